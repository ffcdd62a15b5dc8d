#pragma once

#include <string>
#include <string_view>

#include <callboard/messages/topic.hpp>

namespace callboard {

/// Returns the topic of what is pushed to a user; every connection of the user
/// has it. Empty for nobody, and for a user whose name fits into no topic.
inline std::string user_topic(std::string_view user) {
  auto result = "$user/" + std::string{user};
  if (user.empty() || check_topic(result) != subject_error::reserved)
    result.clear();
  return result;
}

} // namespace callboard
