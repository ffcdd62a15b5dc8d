#include "support/test.hpp"

#include <random>
#include <string>
#include <string_view>

#include <callboard/net/ws_error.hpp>
#include <callboard/net/ws_frame.hpp>

#include "support/ws_stream.hpp"

using namespace callboard::net;

using namespace std::literals;

namespace {

std::string header(ws_opcode opcode, size_t payload_bytes, bool fin = true,
                   bool rsv1 = false) {
  char out[ws_header_bytes_max];
  return {out, write_ws_header(out, opcode, payload_bytes, fin, rsv1)};
}

std::string body(uint16_t code, std::string_view reason) {
  char out[ws_control_bytes_max];
  return {out, write_ws_close_body(out, code, reason)};
}

} // namespace

CAF_TEST(a server writes the headers of RFC 6455) {
  // The examples of 5.7.
  CHECK_EQ(header(ws_opcode::text, 5), "\x81\x05"s);
  CHECK_EQ(header(ws_opcode::text, 3, false), "\x01\x03"s);
  CHECK_EQ(header(ws_opcode::continuation, 2), "\x80\x02"s);
  CHECK_EQ(header(ws_opcode::ping, 5), "\x89\x05"s);
  CHECK_EQ(header(ws_opcode::binary, 256), "\x82\x7E\x01\x00"s);
  CHECK_EQ(header(ws_opcode::binary, 65536),
           "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
  // RFC 7692, 7.2.3.1.
  CHECK_EQ(header(ws_opcode::text, 7, true, true), "\xC1\x07"s);
}

CAF_TEST(lengths take the fewest bytes) {
  CHECK_EQ(header(ws_opcode::binary, 125), "\x82\x7D"s);
  CHECK_EQ(header(ws_opcode::binary, 126), "\x82\x7E\x00\x7E"s);
  CHECK_EQ(header(ws_opcode::binary, 65535), "\x82\x7E\xFF\xFF"s);
  for (size_t n : {0u, 125u, 126u, 65535u, 65536u}) {
    CHECK_EQ(header(ws_opcode::binary, n).size(), ws_header_size(n));
    CHECK_EQ(client_frame(0x82, std::string(n, 'x')).size(),
             ws_masked_header_size(n) + n);
  }
}

CAF_TEST(a client masks like RFC 6455) {
  CHECK_EQ(client_frame(0x81, "Hello"),
           "\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"s);
}

CAF_TEST(masks fit at every size and offset) {
  std::mt19937 rng{1};
  std::string plain(150, '\0');
  for (auto& c : plain)
    c = static_cast<char>(rng());
  auto key = rfc_mask_key();
  auto key_bytes = "\x37\xFA\x21\x3D"sv;
  for (size_t offset = 0; offset < 9; ++offset)
    for (size_t size = 0; size + offset <= plain.size(); ++size) {
      auto masked = plain;
      ws_mask(masked.data() + offset, size, key);
      auto expected = plain;
      for (size_t i = 0; i < size; ++i)
        expected[offset + i] ^= key_bytes[i % 4];
      CHECK(masked == expected);
    }
}

CAF_TEST(a mask goes on where it was) {
  std::string text = "the quick brown fox jumps over the lazy dog";
  auto key = rfc_mask_key();
  auto whole = text;
  ws_mask(whole.data(), whole.size(), key);
  for (size_t i = 0; i <= text.size(); ++i) {
    auto halves = text;
    ws_mask(halves.data(), i, key);
    ws_mask(halves.data() + i, text.size() - i, advance_ws_mask(key, i));
    CHECK_EQ(halves, whole);
  }
}

CAF_TEST(close frames hold a code and a reason that fits) {
  CHECK_EQ(body(ws_close::normal, ""), "\x03\xE8"s);
  CHECK_EQ(body(4002, "slow"), "\x0F\xA2slow"s);
  CHECK_EQ(body(ws_close::no_status, "ignored"), ""s);
  CHECK_EQ(body(1000, std::string(123, 'x')).size(), 125u);
  CHECK_EQ(body(1000, std::string(124, 'x')).size(), 125u);
  // The character at the border goes as a whole.
  CHECK_EQ(body(1000, std::string(121, 'x') + "\u20ac").size(), 2u + 121u);
}

CAF_TEST(close codes are those that may be sent) {
  size_t sendable = 0;
  for (auto code = 0; code < 65536; ++code)
    sendable += is_sendable_close_code(static_cast<uint16_t>(code)) ? 1 : 0;
  CHECK_EQ(sendable, 4u + 8u + 2000u);
  for (uint16_t code : {1000, 1003, 1007, 1014, 3000, 4999})
    CHECK(is_sendable_close_code(code));
  for (uint16_t code : {0, 999, 1004, 1005, 1006, 1015, 2999, 5000, 65535})
    CHECK(!is_sendable_close_code(code));
}

CAF_TEST(every error has a close code and a reason that fits) {
  for (auto i = 1; i <= static_cast<int>(ws_error::too_many_fragments); ++i) {
    auto error = static_cast<ws_error>(i);
    CHECK(is_sendable_close_code(close_code(error)));
    CHECK(!to_string(error).empty());
    CHECK(!close_reason(error).empty());
    CHECK_EQ(body(close_code(error), close_reason(error)).size(),
             2 + close_reason(error).size());
  }
  CHECK_EQ(close_code(ws_error::none), 1000u);
  CHECK_EQ(close_code(ws_error::unmasked), 1002u);
  CHECK_EQ(close_code(ws_error::bad_text), 1007u);
  CHECK_EQ(close_code(ws_error::too_many_fragments), 1008u);
  CHECK_EQ(close_code(ws_error::message_too_big), 1009u);
}
