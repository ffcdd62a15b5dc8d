#pragma once

#include <cstddef>
#include <cstdint>
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

/// What a section of a config file is about.
enum class section_kind : uint8_t {
  topic,
  action,
};

/// Returns the word in the section's header.
std::string_view to_string(section_kind x) noexcept;

/// A `[KIND PATTERN]` of a config file, and what stands behind it.
struct config_section {
  section_kind kind = section_kind::topic;
  /// As it was written: nothing has checked it.
  std::string pattern;
  /// Of its header, from 1.
  size_t line = 0;
  std::vector<config_line> lines;
};

/// What a config file says, in its order.
struct config {
  /// Those in front of the first section.
  std::vector<config_line> lines;
  std::vector<config_section> sections;
};

/// Reads a config file's text: a `name = value` a line; empty lines, and what
/// begins with `#`, are comments. A value may stand in double quotes, in which
/// it keeps spaces and `#`; there are no escapes. A `[topic PATTERN]` or an
/// `[action PATTERN]` opens a section, up to the next one; the pattern ends at
/// the line's last `]` in front of a comment, and may stand in double quotes.
/// @param result takes what it says.
/// @returns empty, or what is wrong and in which line.
std::string parse_config(std::string_view text, config& result);

} // namespace callboard::cmd
