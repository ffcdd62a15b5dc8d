#include <callboard/messages/detail/utf8.hpp>

#include <cstdint>
#include <cstring>

namespace callboard::detail {

namespace {

constexpr uint64_t high_bits = 0x8080808080808080;

} // namespace

size_t utf8_sequence(std::string_view x) noexcept {
  auto byte = [x](size_t i) { return static_cast<uint8_t>(x[i]); };
  auto within = [&](size_t i, uint8_t first, uint8_t last) {
    return i < x.size() && byte(i) >= first && byte(i) <= last;
  };
  if (x.empty())
    return 0;
  // Unicode 15, table 3-7.
  auto lead = byte(0);
  if (lead <= 0x7f)
    return 1;
  if (lead >= 0xc2 && lead <= 0xdf)
    return within(1, 0x80, 0xbf) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    uint8_t first = lead == 0xe0 ? 0xa0 : 0x80;
    uint8_t last = lead == 0xed ? 0x9f : 0xbf;
    return within(1, first, last) && within(2, 0x80, 0xbf) ? 3 : 0;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    uint8_t first = lead == 0xf0 ? 0x90 : 0x80;
    uint8_t last = lead == 0xf4 ? 0x8f : 0xbf;
    return within(1, first, last) && within(2, 0x80, 0xbf)
               && within(3, 0x80, 0xbf)
             ? 4
             : 0;
  }
  return 0;
}

bool is_utf8(std::string_view x) noexcept {
  while (!x.empty()) {
    uint64_t word = 0;
    while (x.size() >= sizeof(word)) {
      std::memcpy(&word, x.data(), sizeof(word));
      if ((word & high_bits) != 0)
        break;
      x.remove_prefix(sizeof(word));
    }
    if (x.empty())
      return true;
    auto n = utf8_sequence(x);
    if (n == 0)
      return false;
    x.remove_prefix(n);
  }
  return true;
}

} // namespace callboard::detail
