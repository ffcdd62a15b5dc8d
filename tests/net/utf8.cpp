#include "support/test.hpp"

#include <string>
#include <string_view>

#include <callboard/net/utf8.hpp>

using namespace callboard::net;

namespace {

/// Encodes as UTF-8 would if it had no rules: surrogates, and any length.
std::string encode(uint32_t code_point, int bytes) {
  if (bytes == 1)
    return {static_cast<char>(code_point)};
  std::string result(static_cast<size_t>(bytes), '\0');
  for (auto i = bytes - 1; i > 0; --i, code_point >>= 6)
    result[static_cast<size_t>(i)]
      = static_cast<char>(0x80 | (code_point & 0x3F));
  result[0] = static_cast<char>((0xF00 >> bytes) | code_point);
  return result;
}

int shortest(uint32_t code_point) {
  return code_point < 0x80      ? 1
         : code_point < 0x800   ? 2
         : code_point < 0x10000 ? 3
                                : 4;
}

/// Returns the number of bytes taken one by one before the checker refuses.
size_t accepted_bytes(std::string_view text) {
  utf8_checker checker;
  for (size_t i = 0; i < text.size(); ++i)
    if (!checker.write(text.substr(i, 1)))
      return i;
  return text.size();
}

} // namespace

CAF_TEST(every code point in every length is judged) {
  size_t wrong = 0;
  for (uint32_t x = 0; x < 0x200000; ++x)
    for (auto bytes = shortest(x); bytes <= 4; ++bytes) {
      auto surrogate = x >= 0xD800 && x <= 0xDFFF;
      auto expected = bytes == shortest(x) && !surrogate && x <= 0x10FFFF;
      wrong += is_utf8(encode(x, bytes)) != expected ? 1 : 0;
    }
  CHECK_EQ(wrong, 0u);
}

CAF_TEST(pairs of bytes are judged as RFC 3629 says) {
  size_t valid = 0;
  for (auto a = 0; a < 256; ++a)
    for (auto b = 0; b < 256; ++b) {
      char text[] = {static_cast<char>(a), static_cast<char>(b)};
      valid += is_utf8({text, 2}) ? 1 : 0;
    }
  // Two of ASCII, or a lead byte C2 ... DF and a continuation.
  CHECK_EQ(valid, 128u * 128u + 30u * 64u);
}

CAF_TEST(text is refused at its first impossible byte) {
  using namespace std::literals;
  CHECK_EQ(accepted_bytes("\xC0\x80"sv), 0u);
  CHECK_EQ(accepted_bytes("\x80"sv), 0u);
  CHECK_EQ(accepted_bytes("\xF5"sv), 0u);
  CHECK_EQ(accepted_bytes("\xE0\x9F\xBF"sv), 1u);
  CHECK_EQ(accepted_bytes("\xED\xA0\x80"sv), 1u);
  CHECK_EQ(accepted_bytes("\xF0\x8F\xBF\xBF"sv), 1u);
  CHECK_EQ(accepted_bytes("\xF4\x90\x80\x80"sv), 1u);
  CHECK_EQ(accepted_bytes("\xF0\x9F\x92x"sv), 3u);
  CHECK_EQ(accepted_bytes("\xC3\xA9\xFF"sv), 2u);
}

CAF_TEST(text may be split anywhere and must end between characters) {
  std::string_view text = "a longer stretch of ASCII, h\u00e9, \u20ac, "
                          "\U0001F4AC and again a stretch of ASCII";
  for (size_t i = 0; i <= text.size(); ++i) {
    utf8_checker checker;
    CHECK(checker.write(text.substr(0, i)));
    auto inside = i < text.size() && (text[i] & 0xC0) == 0x80;
    CHECK_EQ(checker.complete(), !inside);
    CHECK_EQ(is_utf8(text.substr(0, i)), !inside);
    CHECK(checker.write(text.substr(i)));
    CHECK(checker.complete());
  }
}

CAF_TEST(a bad byte is found at every distance) {
  for (size_t size = 1; size < 70; ++size)
    for (size_t i = 0; i < size; ++i) {
      std::string text(size, 'x');
      text[i] = '\xFF';
      CHECK(!is_utf8(text));
    }
}

CAF_TEST(a prefix ends between characters) {
  std::string_view text = "h\u00e9\u20ac\U0001F4AC";
  size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (size_t n = 0; n < std::size(expected); ++n)
    CHECK_EQ(utf8_prefix(text, n), expected[n]);
}
