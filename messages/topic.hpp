#pragma once

#include <cstddef>
#include <string_view>

namespace callboard {

/// Longest topic, pattern or action in bytes; the shortest has 1.
inline constexpr size_t subject_bytes_max = 255;

/// In front of a topic's name: where events go that no member of a group has
/// confirmed.
inline constexpr std::string_view dead_letter_prefix = "$dead/";

/// What is wrong with a subject.
enum class subject_error {
  none,
  empty,
  too_long,
  empty_segment,
  control_character,
  not_utf8,
  /// `+` or `#` in a topic or an action.
  wildcard,
  /// In a pattern, `+` or `#` that is not a whole segment, or `#` not last.
  misplaced_wildcard,
  /// Begins with `$` or, for an action, with `callboard.`.
  reserved,
};

/// Returns a sentence for people; empty for `none`.
std::string_view to_sentence(subject_error x) noexcept;

/// Checks the grammar of a topic: 1 … 255 bytes of UTF-8, segments of at least
/// one character with `/` between them, no control characters (C0, DEL, C1),
/// no `+` or `#`. A leading `$` is reported as `reserved`, after all else.
subject_error check_topic(std::string_view x) noexcept;

/// Checks the grammar of a pattern: a topic in which a whole segment may be
/// `+`, and the last one `#`.
subject_error check_pattern(std::string_view x) noexcept;

/// Checks the grammar of what may be subscribed to: a topic or a pattern, or
/// `$dead/` and one of these.
subject_error check_subscription(std::string_view x) noexcept;

/// Checks the grammar of what may be read: a topic, or `$dead/` and one.
subject_error check_readable(std::string_view x) noexcept;

/// Checks the grammar of an action: that of a topic; `callboard.` in front is
/// reported as `reserved`, after all else.
subject_error check_action(std::string_view x) noexcept;

/// Returns whether `x` contains `+` or `#`, and so is a pattern, not a topic.
bool is_pattern(std::string_view x) noexcept;

/// Returns whether the well-formed `pattern` matches the well-formed `topic`:
/// `+` one whole segment, `#` one or more at the end; neither matches a topic
/// that begins with `$` unless the pattern's first segment is that text.
bool matches(std::string_view pattern, std::string_view topic) noexcept;

/// Returns whether the well-formed `pattern` matches every topic that the
/// well-formed topic or pattern `x` matches.
bool covers(std::string_view pattern, std::string_view x) noexcept;

} // namespace callboard
