#include "config_file.hpp"

#include <algorithm>

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

} // namespace

std::string parse_config(std::string_view text,
                         std::vector<config_line>& lines) {
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    auto end = std::min(text.find('\n'), text.size());
    auto line = trim(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '#')
      continue;
    auto where = "line " + std::to_string(number) + ": ";
    auto equals = line.find('=');
    if (equals == std::string_view::npos)
      return where + "'" + std::string{line} + "' is not NAME = VALUE";
    auto name = trim(line.substr(0, equals));
    auto value = trim(line.substr(equals + 1));
    if (auto wrong = read_value(value); !wrong.empty())
      return where + "the value of " + std::string{name} + ' '
             + std::string{wrong};
    lines.push_back({std::string{name}, std::string{value}, number});
  }
  return {};
}

} // namespace callboard::cmd
