#include <callboard/net/utf8.hpp>

#include <cstring>

namespace callboard::net {

namespace {

/// Returns the first byte at or after `p` that is not ASCII, or `end`.
const unsigned char* skip_ascii(const unsigned char* p,
                                const unsigned char* end) noexcept {
  constexpr uint64_t high_bits = 0x8080808080808080u;
  while (end - p >= 16) {
    uint64_t words[2];
    std::memcpy(words, p, sizeof(words));
    if (((words[0] | words[1]) & high_bits) != 0)
      break;
    p += sizeof(words);
  }
  while (p != end && *p < 0x80)
    ++p;
  return p;
}

} // namespace

bool utf8_checker::write(std::string_view piece) noexcept {
  auto p = reinterpret_cast<const unsigned char*>(piece.data());
  auto end = p + piece.size();
  for (;;) {
    while (left_ > 0) {
      if (p == end)
        return true;
      if (*p < low_ || *p > high_)
        return false;
      ++p;
      --left_;
      low_ = 0x80;
      high_ = 0xBF;
    }
    p = skip_ascii(p, end);
    if (p == end)
      return true;
    auto lead = *p++;
    // 0xC0 and 0xC1 could only begin overlong forms, 0xF5 and up only what is
    // above U+10FFFF, and 0x80 ... 0xBF begin nothing.
    if (lead < 0xC2 || lead > 0xF4)
      return false;
    left_ = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
    switch (lead) {
      case 0xE0: // below U+0800 would be overlong
        low_ = 0xA0;
        break;
      case 0xED: // surrogates
        high_ = 0x9F;
        break;
      case 0xF0: // below U+10000 would be overlong
        low_ = 0x90;
        break;
      case 0xF4: // above U+10FFFF
        high_ = 0x8F;
        break;
      default:
        break;
    }
  }
}

bool is_utf8(std::string_view text) noexcept {
  utf8_checker checker;
  return checker.write(text) && checker.complete();
}

size_t utf8_prefix(std::string_view text, size_t bytes_max) noexcept {
  if (text.size() <= bytes_max)
    return text.size();
  auto n = bytes_max;
  while (n > 0 && (static_cast<unsigned char>(text[n]) & 0xC0) == 0x80)
    --n;
  return n;
}

} // namespace callboard::net
