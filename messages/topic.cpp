#include <callboard/messages/topic.hpp>

#include <cstdint>

#include <callboard/messages/detail/utf8.hpp>

namespace callboard {

namespace {

// Whether UTF-8 text has a character of C0, C1 or DEL.
bool has_control(std::string_view x) noexcept {
  for (size_t i = 0; i < x.size(); ++i) {
    auto c = static_cast<uint8_t>(x[i]);
    if (c < 0x20 || c == 0x7f)
      return true;
    if (c == 0xc2 && static_cast<uint8_t>(x[i + 1]) < 0xa0)
      return true;
  }
  return false;
}

// Cuts the first segment off `x`; `more` tells whether a `/` followed it.
std::string_view next_segment(std::string_view& x, bool& more) noexcept {
  auto slash = x.find('/');
  more = slash != std::string_view::npos;
  auto segment = x.substr(0, slash);
  x.remove_prefix(more ? slash + 1 : x.size());
  return segment;
}

// Checks what topics, patterns and actions have in common.
subject_error check_segments(std::string_view x) noexcept {
  if (x.empty())
    return subject_error::empty;
  if (x.size() > subject_bytes_max)
    return subject_error::too_long;
  if (!detail::is_utf8(x))
    return subject_error::not_utf8;
  if (has_control(x))
    return subject_error::control_character;
  if (x.front() == '/' || x.back() == '/'
      || x.find("//") != std::string_view::npos)
    return subject_error::empty_segment;
  return subject_error::none;
}

// Returns the topic that dead letters are of; other subjects as they are.
std::string_view without_dead(std::string_view x) noexcept {
  if (x.starts_with(dead_letter_prefix))
    x.remove_prefix(dead_letter_prefix.size());
  return x;
}

} // namespace

std::string_view to_sentence(subject_error x) noexcept {
  switch (x) {
    case subject_error::none:
      return "";
    case subject_error::empty:
      return "The subject is empty.";
    case subject_error::too_long:
      return "The subject is longer than 255 bytes.";
    case subject_error::empty_segment:
      return "The subject has an empty segment.";
    case subject_error::control_character:
      return "The subject has a control character.";
    case subject_error::not_utf8:
      return "The subject is not UTF-8.";
    case subject_error::wildcard:
      return "The subject has a wildcard, which only patterns may have.";
    case subject_error::misplaced_wildcard:
      return "A wildcard must be a whole segment, and # the last one.";
    case subject_error::reserved:
      return "The subject is reserved for the server.";
  }
  return "The subject is not valid.";
}

subject_error check_topic(std::string_view x) noexcept {
  if (auto error = check_segments(x); error != subject_error::none)
    return error;
  if (is_pattern(x))
    return subject_error::wildcard;
  return x.front() == '$' ? subject_error::reserved : subject_error::none;
}

subject_error check_pattern(std::string_view x) noexcept {
  if (auto error = check_segments(x); error != subject_error::none)
    return error;
  auto reserved = x.front() == '$';
  for (auto more = true; more;) {
    auto segment = next_segment(x, more);
    if (is_pattern(segment) && (segment.size() > 1 || (segment == "#" && more)))
      return subject_error::misplaced_wildcard;
  }
  return reserved ? subject_error::reserved : subject_error::none;
}

subject_error check_subscription(std::string_view x) noexcept {
  auto rest = without_dead(x);
  return is_pattern(rest) ? check_pattern(rest) : check_topic(rest);
}

subject_error check_readable(std::string_view x) noexcept {
  return check_topic(without_dead(x));
}

subject_error check_action(std::string_view x) noexcept {
  auto error = check_topic(x);
  if (error == subject_error::none && x.starts_with("callboard."))
    return subject_error::reserved;
  return error;
}

bool is_pattern(std::string_view x) noexcept {
  return x.find_first_of("+#") != std::string_view::npos;
}

bool matches(std::string_view pattern, std::string_view topic) noexcept {
  if (topic.starts_with('$') && !pattern.starts_with('$'))
    return false;
  auto more_pattern = true;
  auto more_topic = true;
  while (more_pattern && more_topic) {
    auto want = next_segment(pattern, more_pattern);
    if (want == "#")
      return true;
    auto have = next_segment(topic, more_topic);
    if (want != "+" && want != have)
      return false;
  }
  return more_pattern == more_topic;
}

bool covers(std::string_view pattern, std::string_view x) noexcept {
  if (!is_pattern(x))
    return matches(pattern, x);
  if (x.starts_with('$') && !pattern.starts_with('$'))
    return false;
  auto more_pattern = true;
  auto more_x = true;
  while (more_pattern && more_x) {
    auto want = next_segment(pattern, more_pattern);
    if (want == "#")
      return true;
    auto have = next_segment(x, more_x);
    if (have == "#" || (want != "+" && want != have))
      return false;
  }
  return more_pattern == more_x;
}

} // namespace callboard
