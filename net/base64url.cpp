#include <callboard/net/base64url.hpp>

#include <array>
#include <cstdint>

namespace callboard::net {

namespace {

constexpr std::string_view digits
  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr uint8_t no_digit = 64;

constexpr std::array<uint8_t, 256> values = [] {
  std::array<uint8_t, 256> result{};
  for (auto& x : result)
    x = no_digit;
  for (size_t i = 0; i < digits.size(); ++i)
    result[static_cast<uint8_t>(digits[i])] = static_cast<uint8_t>(i);
  return result;
}();

} // namespace

std::string to_base64url(std::string_view bytes) {
  std::string result;
  result.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t held = 0;
  auto bits = 0u;
  for (auto c : bytes) {
    held = held << 8 | static_cast<uint8_t>(c);
    for (bits += 8; bits >= 6;)
      result += digits[held >> (bits -= 6) & 63];
  }
  if (bits > 0)
    result += digits[held << (6 - bits) & 63];
  return result;
}

std::optional<std::string> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1)
    return std::nullopt;
  std::string result;
  result.reserve(text.size() * 3 / 4);
  uint32_t held = 0;
  auto bits = 0u;
  for (auto c : text) {
    auto value = values[static_cast<uint8_t>(c)];
    if (value == no_digit)
      return std::nullopt;
    held = held << 6 | value;
    bits += 6;
    if (bits >= 8)
      result += static_cast<char>(held >> (bits -= 8) & 255);
  }
  if ((held & ((1u << bits) - 1)) != 0)
    return std::nullopt;
  return result;
}

} // namespace callboard::net
