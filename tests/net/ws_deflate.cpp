#include "support/test.hpp"

#include <random>
#include <string>
#include <string_view>

#include <callboard/net/ws_deflate.hpp>

using namespace callboard::net;

using namespace std::literals;

namespace {

constexpr size_t no_limit = 1 << 20;

/// Returns the message, or the error's name in brackets.
std::string inflate(ws_inflater& inflater, std::string_view in,
                    size_t bytes_max = no_limit) {
  std::string_view out;
  if (auto error = inflater.inflate(in, bytes_max, out);
      error != ws_error::none)
    return "[" + std::string{to_string(error)} + "]";
  return std::string{out};
}

std::string inflate(std::string_view in, size_t bytes_max = no_limit) {
  ws_inflater inflater;
  return inflate(inflater, in, bytes_max);
}

std::string deflate(std::string_view in, int window_bits = 15) {
  ws_deflater deflater{window_bits};
  std::string out;
  return deflater.deflate(in, out) ? out : "[not worth it]";
}

std::string noise(size_t size) {
  std::mt19937 rng{7};
  std::string result(size, '\0');
  for (auto& c : result)
    c = static_cast<char>(rng());
  return result;
}

/// Returns what compresses well, but not to nothing.
std::string prose(size_t size) {
  std::mt19937 rng{8};
  std::string_view words[] = {"actor ", "topic ", "frame ", "outbox ", "loop "};
  std::string result;
  while (result.size() < size)
    result += words[rng() % 5];
  result.resize(size);
  return result;
}

// RFC 7692, 7.2.3.1.
constexpr auto hello = "\xF2\x48\xCD\xC9\xC9\x07\x00"sv;

} // namespace

// -- inflating ----------------------------------------------------------------

CAF_TEST(the examples of RFC 7692 are inflated) {
  CHECK_EQ(inflate(hello), "Hello");
  // 7.2.3.3: a block without compression.
  CHECK_EQ(inflate("\x00\x05\x00\xFA\xFF\x48\x65\x6C\x6C\x6F\x00"sv), "Hello");
  // 7.2.3.4: a final block.
  CHECK_EQ(inflate("\xF3\x48\xCD\xC9\xC9\x07\x00\x00"sv), "Hello");
  // 7.2.3.5: two blocks.
  CHECK_EQ(inflate("\xF2\x48\x05\x00\x00\x00\xFF\xFF\xCA\xC9\xC9\x07\x00"sv),
           "Hello");
  // 7.2.3.6: an empty message.
  CHECK_EQ(inflate("\x00"sv), "");
}

CAF_TEST(contexts are taken over where that was negotiated) {
  // 7.2.3.2: the same message again refers to the first one.
  constexpr auto again = "\xF2\x00\x11\x00\x00"sv;
  ws_inflater keeping{true};
  CHECK_EQ(inflate(keeping, hello), "Hello");
  CHECK_EQ(inflate(keeping, again), "Hello");
  ws_inflater forgetting;
  CHECK_EQ(inflate(forgetting, hello), "Hello");
  CHECK_EQ(inflate(forgetting, again), "[bad_deflate]");
  CHECK_EQ(inflate(forgetting, hello), "Hello");
}

CAF_TEST(contexts live on behind a final block) {
  ws_inflater keeping{true};
  CHECK_EQ(inflate(keeping, "\xF3\x48\xCD\xC9\xC9\x07\x00\x00"sv), "Hello");
  CHECK_EQ(inflate(keeping, "\xF2\x00\x11\x00\x00"sv), "Hello");
}

CAF_TEST(final blocks are bounded) {
  // Each of these is an empty final block, on a byte's border.
  std::string block = "\x03\x00"s;
  std::string many;
  for (auto i = 0; i < 16; ++i)
    many += block;
  CHECK_EQ(inflate(many + '\0'), "");
  CHECK_EQ(inflate(many + block + '\0'), "[bad_deflate]");
}

CAF_TEST(what was deflated to nothing is inflated to nothing) {
  CHECK_EQ(inflate(""), "");
}

CAF_TEST(corrupt messages are refused) {
  // A block of the reserved type.
  CHECK_EQ(inflate("\x07"sv), "[bad_deflate]");
  // A stored block whose length and complement differ.
  CHECK_EQ(inflate("\x00\x05\x00\xFA\xFEHello\x00"sv), "[bad_deflate]");
  // A distance to before the beginning.
  CHECK_EQ(inflate("\xF2\x00\x11\x00\x00"sv), "[bad_deflate]");
}

CAF_TEST(messages that were cut short are refused) {
  auto whole = deflate(prose(3000));
  for (size_t n = 1; n < whole.size(); ++n)
    CHECK(inflate(std::string_view{whole}.substr(0, n)) == "[bad_deflate]");
  CHECK_EQ(inflate(whole), prose(3000));
}

CAF_TEST(output is bounded) {
  CHECK_EQ(inflate(hello, 5), "Hello");
  CHECK_EQ(inflate(hello, 4), "[message_too_big]");
  CHECK_EQ(inflate(hello, 0), "[message_too_big]");
  for (size_t size : {4095u, 4096u, 4097u, 65535u, 65536u, 65537u}) {
    auto text = std::string(size, 'x');
    auto bytes = deflate(text);
    CHECK(inflate(bytes, size) == text);
    CHECK(inflate(bytes, size + 1) == text);
    CHECK_EQ(inflate(bytes, size - 1), "[message_too_big]");
  }
}

CAF_TEST(output is bounded by each call for itself) {
  ws_inflater inflater;
  auto text = std::string(5000, 'x');
  CHECK(inflate(inflater, deflate(text), 5000) == text);
  CHECK_EQ(inflate(inflater, hello, 4), "[message_too_big]");
  CHECK_EQ(inflate(inflater, hello, 5), "Hello");
  CHECK(inflate(inflater, deflate(text), 5000) == text);
}

CAF_TEST(a bomb is cut at the limit and harms nobody) {
  // 16 MiB in 16 KiB.
  auto bomb = deflate(std::string(16 << 20, '\0'));
  CHECK_LT(bomb.size(), 17u * 1024u);
  ws_inflater inflater;
  CHECK_EQ(inflate(inflater, bomb, 64 * 1024), "[message_too_big]");
  CHECK_LE(inflater.buffered_bytes(), 64u * 1024u + 1);
  CHECK_EQ(inflate(inflater, hello, 64 * 1024), "Hello");
}

CAF_TEST(room for a large message is given back) {
  ws_inflater inflater;
  auto large = deflate(std::string(1 << 19, 'x'));
  CHECK_EQ(inflate(inflater, large).size(), size_t{1 << 19});
  CHECK_GE(inflater.buffered_bytes(), size_t{1 << 19});
  CHECK_EQ(inflate(inflater, hello), "Hello");
  CHECK_LE(inflater.buffered_bytes(), 64u * 1024u);
}

// -- deflating ----------------------------------------------------------------

CAF_TEST(messages are themselves again) {
  ws_inflater inflater;
  for (auto window_bits = 9; window_bits <= 15; ++window_bits) {
    ws_deflater deflater{window_bits};
    for (size_t size : {100u, 511u, 512u, 513u, 5000u, 100000u}) {
      std::string out;
      auto text = prose(size);
      CHECK(deflater.deflate(text, out));
      CHECK_LT(out.size(), size);
      CHECK(inflate(inflater, out) == text);
    }
  }
}

CAF_TEST(each message stands by itself) {
  ws_deflater deflater;
  std::string first;
  std::string second;
  CHECK(deflater.deflate(prose(1000), first));
  CHECK(deflater.deflate(prose(1000), second));
  CHECK(first == second);
}

CAF_TEST(a small window is kept to) {
  // A repetition farther back than the window is of no use.
  auto text = noise(2000);
  text += text;
  CHECK_EQ(deflate(text, 9), "[not worth it]");
  CHECK_LT(deflate(text, 12).size(), text.size());
}

CAF_TEST(messages that would not get smaller stay as they are) {
  CHECK_EQ(deflate(""), "[not worth it]");
  CHECK_EQ(deflate("x"), "[not worth it]");
  CHECK_EQ(deflate(noise(5000)), "[not worth it]");
}
