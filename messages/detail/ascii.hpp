#pragma once

#include <cstddef>
#include <string_view>

namespace callboard::detail {

/// Returns `c` in lower case if it is an upper-case ASCII letter.
constexpr char to_lower(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

/// Returns whether `x` is the text `lower`, which is in lower case, in any case
/// of ASCII letters.
constexpr bool equals_ignoring_case(std::string_view lower,
                                    std::string_view x) noexcept {
  if (lower.size() != x.size())
    return false;
  for (size_t i = 0; i < x.size(); ++i)
    if (to_lower(x[i]) != lower[i])
      return false;
  return true;
}

} // namespace callboard::detail
