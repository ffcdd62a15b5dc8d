#include <callboard/messages/detail/base64.hpp>

#include <array>
#include <cstdint>

namespace callboard::detail {

namespace {

constexpr std::string_view alphabet
  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr uint8_t no_digit = 64;

constexpr auto digits = [] {
  std::array<uint8_t, 256> result{};
  result.fill(no_digit);
  for (size_t i = 0; i < alphabet.size(); ++i)
    result[static_cast<uint8_t>(alphabet[i])] = static_cast<uint8_t>(i);
  return result;
}();

uint8_t digit(char c) noexcept {
  return digits[static_cast<uint8_t>(c)];
}

size_t padding(std::string_view x) noexcept {
  return x.ends_with("==") ? 2 : x.ends_with('=') ? 1 : 0;
}

} // namespace

char* encode_base64(char* out, std::string_view x) noexcept {
  auto byte = [x](size_t i) {
    return i < x.size() ? static_cast<uint8_t>(x[i]) : uint32_t{0};
  };
  for (size_t i = 0; i < x.size(); i += 3) {
    auto bits = byte(i) << 16 | byte(i + 1) << 8 | byte(i + 2);
    *out++ = alphabet[bits >> 18];
    *out++ = alphabet[bits >> 12 & 63];
    *out++ = i + 1 < x.size() ? alphabet[bits >> 6 & 63] : '=';
    *out++ = i + 2 < x.size() ? alphabet[bits & 63] : '=';
  }
  return out;
}

bool is_base64(std::string_view x) noexcept {
  if (x.size() % 4 != 0)
    return false;
  auto pad = padding(x);
  x.remove_suffix(pad);
  for (auto c : x)
    if (digit(c) == no_digit)
      return false;
  // The last digit has four or two bits too many.
  return pad == 0 || (digit(x.back()) & (pad == 2 ? 15 : 3)) == 0;
}

size_t base64_decoded_size(std::string_view x) noexcept {
  return x.size() / 4 * 3 - padding(x);
}

char* decode_base64(char* out, std::string_view x) noexcept {
  auto left = base64_decoded_size(x);
  for (size_t i = 0; left > 0; i += 4) {
    // Padding has the digit 64, whose low bits are zero.
    auto bits = uint32_t{digit(x[i])} << 18 | uint32_t{digit(x[i + 1])} << 12
                | (digit(x[i + 2]) & 63u) << 6 | (digit(x[i + 3]) & 63u);
    for (auto shift = 16; shift >= 0 && left > 0; shift -= 8, --left)
      *out++ = static_cast<char>(bits >> shift);
  }
  return out;
}

} // namespace callboard::detail
