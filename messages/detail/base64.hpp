#pragma once

#include <cstddef>
#include <string_view>

namespace callboard::detail {

/// Returns the size of `n` bytes in base64, with padding.
constexpr size_t base64_size(size_t n) noexcept {
  return (n + 2) / 3 * 4;
}

/// Writes `x` to `out` as base64 (RFC 4648, section 4, with padding).
/// @returns the position behind the last character.
char* encode_base64(char* out, std::string_view x) noexcept;

/// Returns whether `x` is what `encode_base64` writes for some bytes: padded,
/// without line breaks, and with no bits left over.
bool is_base64(std::string_view x) noexcept;

/// Writes the bytes of `x` to `out`, which may be in front of `x` in the same
/// memory.
/// @pre `is_base64(x)`
/// @returns the position behind the last byte.
char* decode_base64(char* out, std::string_view x) noexcept;

/// Returns the number of bytes in `x`.
/// @pre `is_base64(x)`
size_t base64_decoded_size(std::string_view x) noexcept;

} // namespace callboard::detail
