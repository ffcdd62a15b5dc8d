#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace callboard {

/// Returns the bytes that `hex` spells; spaces are for the reader.
inline std::string from_hex(std::string_view hex) {
  auto digit = [](char c) {
    return static_cast<uint8_t>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  };
  std::string result;
  auto high = -1;
  for (auto c : hex) {
    if (c == ' ')
      continue;
    if (high < 0) {
      high = digit(c);
    } else {
      result.push_back(static_cast<char>(high << 4 | digit(c)));
      high = -1;
    }
  }
  return result;
}

/// Spells `bytes` in lower-case digits.
inline std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string result;
  for (auto c : bytes) {
    auto byte = static_cast<uint8_t>(c);
    result.push_back(digits[byte >> 4]);
    result.push_back(digits[byte & 15]);
  }
  return result;
}

/// Returns `x` repeated `n` times.
inline std::string times(size_t n, std::string_view x) {
  std::string result;
  for (size_t i = 0; i < n; ++i)
    result += x;
  return result;
}

} // namespace callboard
