#include "config_file.hpp"

#include <algorithm>
#include <optional>

namespace callboard::cmd {

namespace {

constexpr std::string_view spaces = " \t\r";

std::string_view trim(std::string_view x) {
  auto first = x.find_first_not_of(spaces);
  if (first == std::string_view::npos)
    return {};
  return x.substr(first, x.find_last_not_of(spaces) - first + 1);
}

// Cuts `x` to its value, without quotes and without a comment behind it.
// Returns what is wrong with it; empty: nothing.
std::string_view read_value(std::string_view& x) {
  if (x.empty() || x.front() != '"') {
    x = trim(x.substr(0, x.find(" #")));
    return {};
  }
  auto end = x.find('"', 1);
  if (end == std::string_view::npos)
    return "is not closed: a '\"' is missing";
  auto behind = trim(x.substr(end + 1));
  if (!behind.empty() && behind.front() != '#')
    return "has something behind its closing '\"'";
  x = x.substr(1, end - 1);
  return {};
}

// Returns where the `]` is that ends a header; `npos`: nowhere.
size_t find_header_end(std::string_view x) {
  // No pattern has a `]` with a comment behind it: `#` is a segment of its own.
  for (auto end = x.find(']'); end != x.npos; end = x.find(']', end + 1)) {
    auto behind = trim(x.substr(end + 1));
    if (behind.empty() || behind.front() == '#')
      return end;
  }
  return x.npos;
}

std::optional<section_kind> kind_of(std::string_view word) {
  for (auto kind : {section_kind::topic, section_kind::action})
    if (word == to_string(kind))
      return kind;
  return std::nullopt;
}

// Cuts `x`, a trimmed line that begins with `[`, to its pattern. Returns what
// is wrong with it; empty: nothing.
std::string_view read_header(std::string_view& x, section_kind& kind) {
  auto end = find_header_end(x);
  auto word = x.substr(1, std::min(x.find_first_of(spaces), x.size()) - 1);
  auto known = kind_of(word);
  if (end == x.npos || !known)
    return "is neither [topic PATTERN] nor [action PATTERN]";
  kind = *known;
  auto begin = 1 + word.size();
  auto pattern = trim(x.substr(begin, end - begin));
  if (pattern.starts_with('"')) {
    if (pattern.size() == 1 || !pattern.ends_with('"'))
      return "does not close its '\"'";
    pattern = pattern.substr(1, pattern.size() - 2);
  }
  x = pattern;
  return {};
}

} // namespace

std::string_view to_string(section_kind x) noexcept {
  switch (x) {
    case section_kind::topic:
      return "topic";
    case section_kind::action:
      return "action";
  }
  return "unknown";
}

std::string parse_config(std::string_view text, config& result) {
  auto lines = &result.lines;
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    auto end = std::min(text.find('\n'), text.size());
    auto line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#')
      continue;
    auto where = "line " + std::to_string(number) + ": ";
    if (line.front() == '[') {
      auto pattern = line;
      auto kind = section_kind::topic;
      if (auto wrong = read_header(pattern, kind); !wrong.empty())
        return where + '\'' + std::string{line} + "' " + std::string{wrong};
      result.sections.push_back({kind, std::string{pattern}, number, {}});
      lines = &result.sections.back().lines;
      continue;
    }
    auto equals = line.find('=');
    if (equals == std::string_view::npos)
      return where + "'" + std::string{line} + "' is not NAME = VALUE";
    auto name = trim(line.substr(0, equals));
    auto value = trim(line.substr(equals + 1));
    if (auto wrong = read_value(value); !wrong.empty())
      return where + "the value of " + std::string{name} + ' '
             + std::string{wrong};
    lines->push_back({std::string{name}, std::string{value}, number});
  }
  return {};
}

} // namespace callboard::cmd
