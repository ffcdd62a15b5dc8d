#pragma once

#include <cstddef>
#include <string_view>

namespace callboard::detail {

/// Returns the length of the well-formed UTF-8 sequence (RFC 3629: shortest
/// form, no surrogates, at most U+10FFFF) that `x` begins with, 1 … 4, or 0 if
/// there is none.
size_t utf8_sequence(std::string_view x) noexcept;

/// Returns whether all of `x` is well-formed UTF-8.
bool is_utf8(std::string_view x) noexcept;

} // namespace callboard::detail
