#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace callboard::cmd {

/// One line of a config file that sets something.
struct config_line {
  std::string name;
  std::string value;
  /// From 1.
  size_t line = 0;
};

/// Reads a config file's text: a `name = value` a line; empty lines, and what
/// begins with `#`, are comments. A value may stand in double quotes, in which
/// it keeps spaces and `#`; there are no escapes.
/// @param lines takes the result.
/// @returns empty, or what is wrong and in which line.
std::string parse_config(std::string_view text,
                         std::vector<config_line>& lines);

} // namespace callboard::cmd
