#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace callboard::net {

/// Checks text that arrives in pieces for being UTF-8 (RFC 3629: no overlong
/// forms, no surrogates, nothing above U+10FFFF). Fails at the first byte that
/// no valid text can have at its place.
class utf8_checker {
public:
  /// Checks the next piece; pieces may end within a character.
  /// @returns false once the text is not UTF-8; the checker is then spent.
  bool write(std::string_view piece) noexcept;

  /// Returns whether the text may end here, i.e. not within a character.
  bool complete() const noexcept {
    return left_ == 0;
  }

private:
  // Continuation bytes that the current character still needs: 0 ... 3.
  uint8_t left_ = 0;

  // The range of the next continuation byte: narrower than 0x80 ... 0xBF only
  // behind a lead byte that has overlong or out-of-range forms.
  uint8_t low_ = 0x80;
  uint8_t high_ = 0xBF;
};

/// Returns whether `text` as a whole is UTF-8.
bool is_utf8(std::string_view text) noexcept;

/// Returns the length of the longest prefix of `text` that has at most
/// `bytes_max` bytes and does not end within a character.
/// @param text valid UTF-8.
size_t utf8_prefix(std::string_view text, size_t bytes_max) noexcept;

} // namespace callboard::net
