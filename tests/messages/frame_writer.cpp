#include "support/test.hpp"

#include <string>

#include <callboard/messages/frame_reader.hpp>
#include <callboard/messages/frame_writer.hpp>

#include "messages/hex.hpp"

using namespace callboard;

namespace {

std::string write(codec encoding, const frame_view& x) {
  byte_buffer out;
  write_frame(encoding, x, out);
  return std::string{out.view()};
}

std::string hex_of(const frame_view& x) {
  return to_hex(write(codec::msgpack, x));
}

std::string json_of(const frame_view& x) {
  auto text = write(codec::json, x);
  CHECK(text.ends_with('\n'));
  text.pop_back();
  return text;
}

// A frame whose every part has the largest size that a number allows.
frame_view full_frame(const std::string& text) {
  frame_view x;
  x.type = frame_type::unsubscribe;
  x.seq_id = UINT32_MAX;
  x.timestamp = INT64_MIN;
  x.subject = text;
  x.meta.present = 0xfdffe;
  x.meta.offset = x.meta.timeout_ms = x.meta.code = x.meta.retry_after_ms
    = x.meta.attempt = UINT64_MAX;
  x.meta.epoch = x.meta.id = x.meta.sender = x.meta.pattern = x.meta.trace
    = x.meta.group = x.meta.key = x.meta.origin = text;
  x.meta.since = {text, UINT64_MAX};
  return x;
}

} // namespace

CAF_TEST(an empty frame is short) {
  frame_view x;
  CHECK_EQ(hex_of(x), "950c0000a0c0");
  CHECK_EQ(json_of(x), R"({"type":"ping"})");
}

CAF_TEST(meta values count only where they are marked) {
  frame_view x;
  x.meta.sender = "alice";
  x.meta.offset = 5;
  CHECK_EQ(hex_of(x), "950c0000a0c0");
  x.meta.mark(meta_key::offset);
  CHECK_EQ(hex_of(x), "960c0000a0c0810105");
  CHECK_EQ(json_of(x), R"({"type":"ping","meta":{"offset":5}})");
  // Bits of keys that nobody knows write nothing.
  x.meta.present = 1u << 0 | 1u << 30 | 1u << 31;
  CHECK_EQ(hex_of(x), "950c0000a0c0");
  CHECK_EQ(json_of(x), R"({"type":"ping"})");
}

CAF_TEST(meta keys are in ascending order) {
  auto text = std::string{"x"};
  auto x = full_frame(text);
  x.meta.offset = x.meta.timeout_ms = x.meta.code = x.meta.retry_after_ms
    = x.meta.attempt = 5;
  x.meta.since.offset = 5;
  x.timestamp = 0;
  x.seq_id = 0;
  x.subject = {};
  CHECK_EQ(hex_of(x), "96090000a0c0de0012010502a1780392a1780504a17805c2"
                      "06a1780705080509c20a050ba1780ca1780ec2"
                      "0fa17810a17811c2120513a178");
  CHECK_EQ(json_of(x),
           R"({"type":"unsubscribe","meta":{"offset":5,"epoch":"x",)"
           R"("since":{"epoch":"x","offset":5},"id":"x","noEcho":false,)"
           R"("sender":"x","timeoutMs":5,"code":5,"temporary":false,)"
           R"("retryAfterMs":5,"pattern":"x","trace":"x","retained":false,)"
           R"("group":"x","key":"x","ack":false,"attempt":5,"origin":"x"}})");
}

CAF_TEST(integers take the smallest format) {
  frame_view x;
  struct row {
    int64_t value;
    const char* hex;
  };
  for (auto [value, hex] : {row{0, "00"},
                            row{127, "7f"},
                            row{128, "cc80"},
                            row{255, "ccff"},
                            row{256, "cd0100"},
                            row{65535, "cdffff"},
                            row{65536, "ce00010000"},
                            row{UINT32_MAX, "ceffffffff"},
                            row{1ll << 32, "cf0000000100000000"},
                            row{INT64_MAX, "cf7fffffffffffffff"},
                            row{-1, "ff"},
                            row{-32, "e0"},
                            row{-33, "d0df"},
                            row{-128, "d080"},
                            row{-129, "d1ff7f"},
                            row{-32768, "d18000"},
                            row{-32769, "d2ffff7fff"},
                            row{INT32_MIN, "d280000000"},
                            row{INT32_MIN - 1ll, "d3ffffffff7fffffff"},
                            row{INT64_MIN, "d38000000000000000"}}) {
    x.timestamp = value;
    CHECK_EQ(hex_of(x), std::string{"950c00"} + hex + "a0c0");
  }
}

CAF_TEST(texts take the smallest format) {
  frame_view x;
  struct row {
    size_t size;
    const char* head;
  };
  for (auto [size, head] :
       {row{0, "a0"}, row{31, "bf"}, row{32, "d920"}, row{255, "d9ff"},
        row{256, "da0100"}, row{65535, "daffff"}, row{65536, "db00010000"}}) {
    std::string text(size, 'x');
    x.subject = text;
    CHECK_EQ(hex_of(x), std::string{"950c0000"} + head + to_hex(text) + "c0");
  }
}

CAF_TEST(no frame is larger than its bound) {
  for (size_t size : {0, 1, 31, 32, 255, 256, 70'000})
    for (auto c : {'x', '\x01', '\xff', '"'}) {
      std::string text(size, c);
      auto x = full_frame(text);
      auto payload = payload_view{codec::msgpack, "\xc3"};
      for (auto encoding : {codec::msgpack, codec::json}) {
        CHECK_LE(write(encoding, x).size(), frame_size_max(encoding, x));
        x.payload = payload;
        payload = {codec::json, "true"};
      }
    }
}

CAF_TEST(the bound is close) {
  frame_view x;
  x.subject = "room/1";
  x.payload = {codec::msgpack, "\xa4text"};
  CHECK_LE(frame_size_max(codec::msgpack, x), 256u);
  x.payload = {codec::json, "\"text\""};
  CHECK_LE(frame_size_max(codec::json, x), 600u);
}

CAF_TEST(payloads of the same codec are copied) {
  frame_view x;
  // Neither is the form that a conversion would give.
  x.payload = {codec::msgpack, std::string_view{"\xcd\x00\x05", 3}};
  CHECK_EQ(hex_of(x), "950c0000a0cd0005");
  x.payload = {codec::json, R"({"a" : 1.0e0})"};
  CHECK_EQ(json_of(x), R"({"type":"ping","payload":{"a" : 1.0e0}})");
}

CAF_TEST(payloads of the other codec are converted) {
  frame_view x;
  x.payload = {codec::json, R"({"a" : [1, "b"]})"};
  x.meta.mark(meta_key::no_echo);
  x.meta.no_echo = true;
  CHECK_EQ(hex_of(x), "960c0000a081a1619201a1628105c3");
  x.payload = {codec::msgpack, "\x81\xa1"
                               "a\xc4\x01\xff"};
  CHECK_EQ(json_of(x), R"({"type":"ping","payload":{"a":{"$bin":"/w=="}},)"
                       R"("meta":{"noEcho":true}})");
}

CAF_TEST(a large converted payload leaves room for what follows) {
  auto text = std::string(1'000, 'e');
  auto x = full_frame(text);
  x.meta.id = x.meta.group = x.meta.key = "i";
  auto json = "[" + times(5'000, "1e0,") + "1]";
  x.payload = {codec::json, json};
  auto message = write(codec::msgpack, x);
  frame_reader reader{codec::msgpack};
  reader.reset(message);
  frame_view y;
  CHECK(reader.next(y) == read_status::frame);
  CHECK_EQ(y.meta.trace, text);
  CHECK_EQ(y.payload.bytes.size(), 3u + 5'000u * 9 + 1);
}

CAF_TEST(frames follow one another) {
  byte_buffer out;
  out.append("x");
  frame_view x;
  for (uint32_t i = 0; i < 100; ++i) {
    x.seq_id = i;
    write_frame(codec::json, x, out);
  }
  frame_reader reader{codec::json};
  reader.reset(out.view().substr(1));
  frame_view y;
  for (uint32_t i = 0; i < 100; ++i) {
    CHECK(reader.next(y) == read_status::frame);
    CHECK_EQ(y.seq_id, i);
  }
  CHECK(reader.next(y) == read_status::end);
}

CAF_TEST(text that is not UTF8 does not spoil JSON) {
  frame_view x;
  x.subject = "a\xff\"\xe2\x82z\xc3\xa4";
  x.meta.sender = "\xc0\x80";
  x.meta.mark(meta_key::sender);
  CHECK_EQ(json_of(x), "{\"type\":\"ping\",\"subject\":\"a\ufffd\\\"\ufffd"
                       "\ufffdz\u00e4\",\"meta\":{\"sender\":\"\ufffd\ufffd\""
                       "}}");
}
