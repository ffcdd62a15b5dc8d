#pragma once

#include <optional>
#include <string_view>

namespace callboard::net {

/// Reads the tokens and separators of an HTTP list value (RFC 7230, 3.2.6 and
/// 7) from front to back, without copying.
class http_list_reader {
public:
  explicit http_list_reader(std::string_view value) noexcept : rest_(value) {
  }

  /// Skips blanks and returns whether nothing is left.
  bool at_end() noexcept;

  /// Skips blanks, then takes `separator` if it comes next.
  bool take(char separator) noexcept;

  /// Skips blanks, then takes a token.
  /// @returns an empty view if none comes next.
  std::string_view take_token() noexcept;

  /// Skips blanks, then takes a token that may stand in quotes. Quoted strings
  /// with blanks, escapes or other characters that no token has are refused.
  /// @returns an empty view if none comes next.
  std::string_view take_quotable_token() noexcept;

private:
  void skip_blanks() noexcept;

  std::string_view rest_;
};

/// Returns whether a text is a token: one character or more, letters, digits
/// and `!#$%&'*+-.^_`|~`.
bool is_token(std::string_view x) noexcept;

/// Returns whether a list separated by commas has this element, in any case of
/// its letters.
bool has_element(std::string_view list, std::string_view element) noexcept;

/// Returns whether two strings are equal but for the case of ASCII letters.
bool equal_ignoring_case(std::string_view x, std::string_view y) noexcept;

} // namespace callboard::net
