#include <callboard/messages/detail/json_out.hpp>

#include <array>
#include <cmath>
#include <cstdint>

#include <callboard/messages/detail/base64.hpp>
#include <callboard/messages/detail/utf8.hpp>

namespace callboard::detail {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

// For each byte: 0 if it stands for itself, the letter of its short escape, or
// 'u'.
constexpr auto escapes = [] {
  std::array<char, 256> result{};
  for (size_t c = 0; c < 0x20; ++c)
    result[c] = 'u';
  result['\b'] = 'b';
  result['\f'] = 'f';
  result['\n'] = 'n';
  result['\r'] = 'r';
  result['\t'] = 't';
  result['"'] = '"';
  result['\\'] = '\\';
  return result;
}();

// Writes UTF-8 text to `p`, at most six bytes for each.
char* escape(char* p, std::string_view text) noexcept {
  constexpr std::string_view hex = "0123456789abcdef";
  for (auto c : text) {
    auto byte = static_cast<uint8_t>(c);
    auto letter = escapes[byte];
    if (letter == 0) [[likely]] {
      *p++ = c;
      continue;
    }
    *p++ = '\\';
    *p++ = letter;
    if (letter == 'u') {
      *p++ = '0';
      *p++ = '0';
      *p++ = hex[byte >> 4];
      *p++ = hex[byte & 15];
    }
  }
  return p;
}

} // namespace

void write_json_string(std::string_view text, byte_buffer& out) {
  // Replaced bytes grow to three.
  auto begin = out.reserve_back(2 + 6 * text.size());
  auto p = begin;
  *p++ = '"';
  if (is_utf8(text)) {
    p = escape(p, text);
  } else {
    while (!text.empty()) {
      auto n = utf8_sequence(text);
      p = escape(p, n > 0 ? text.substr(0, n) : replacement);
      text.remove_prefix(n > 0 ? n : 1);
    }
  }
  *p++ = '"';
  out.commit(static_cast<size_t>(p - begin));
}

void write_json_double(double x, byte_buffer& out) {
  if (!std::isfinite(x)) {
    out.append("null");
    return;
  }
  constexpr size_t room = 32;
  auto begin = out.reserve_back(room + 2);
  auto end = std::to_chars(begin, begin + room, x).ptr;
  auto text = std::string_view{begin, static_cast<size_t>(end - begin)};
  // Without one of these it would read back as an integer.
  if (text.find_first_of(".e") == std::string_view::npos) {
    *end++ = '.';
    *end++ = '0';
  }
  out.commit(static_cast<size_t>(end - begin));
}

void write_json_base64(std::string_view bytes, byte_buffer& out) {
  auto begin = out.reserve_back(2 + base64_size(bytes.size()));
  *begin = '"';
  auto end = encode_base64(begin + 1, bytes);
  *end++ = '"';
  out.commit(static_cast<size_t>(end - begin));
}

} // namespace callboard::detail
