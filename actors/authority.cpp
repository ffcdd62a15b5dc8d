#include <callboard/actors/authority.hpp>

#include <exception>

#include <callboard/messages/topic.hpp>

namespace callboard {

bool is_allowed(const authority& rights, const identity& who, operation what,
                std::string_view subject) {
  auto& authorize = rights.authorize;
  if (!authorize)
    return true;
  try {
    if (!authorize(who, what, subject))
      return false;
    if (!subject.starts_with(dead_letter_prefix))
      return true;
    return authorize(who, what, subject.substr(dead_letter_prefix.size()));
  } catch (const std::exception&) {
    return false;
  }
}

} // namespace callboard
