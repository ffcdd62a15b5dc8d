#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/actors/pattern_tree.hpp>
#include <callboard/messages/topic.hpp>

namespace callboard {

/// What somebody wants to do to a subject.
enum class operation : uint8_t {
  subscribe,
  publish,
  request,
  register_action,
};

/// How many operations there are.
inline constexpr size_t operation_count = 4;

/// Returns the operation's name.
std::string_view to_string(operation x) noexcept;

/// What a log-in may do: topics, actions and patterns, a list for each
/// operation. The zero value allows nothing. Filled once, then constant; may
/// then be shared between threads.
class grants {
public:
  /// Most entries of one list.
  static constexpr size_t patterns_max = 256;

  /// Allows `what` for all that `pattern` matches: a topic, an action, or a
  /// pattern of either.
  /// @returns why `pattern` is none; `reserved` is none of the reasons. Else
  ///          `none`.
  subject_error add(operation what, std::string_view pattern);

  /// Returns whether `what` may be done to the topic or action `subject`, or
  /// to all that the pattern `subject` matches. Allocates nothing, and takes
  /// a time that depends on the subject's segments, not on how much is allowed;
  /// but for patterns.
  [[nodiscard]] bool allows(operation what, std::string_view subject) const;

  /// Returns how many patterns were added for an operation, without those that
  /// were there already.
  [[nodiscard]] size_t size(operation what) const noexcept;

private:
  struct list {
    pattern_tree<bool> tree;
    std::vector<std::string> patterns;
  };

  std::array<list, operation_count> lists_;
};

} // namespace callboard
