#include "support/test.hpp"

#include <cmath>
#include <random>
#include <string>

#include <callboard/messages/frame_writer.hpp>

#include "messages/hex.hpp"

using namespace callboard;

namespace {

payload_view msgpack_of(const std::string& bytes) {
  return {codec::msgpack, bytes};
}

payload_view json(const std::string& text) {
  return {codec::json, text};
}

std::string to_json(const std::string& hex) {
  byte_buffer out;
  return transcode(codec::json, msgpack_of(from_hex(hex)), out)
           ? std::string{out.view()}
           : "false";
}

std::string to_msgpack(const std::string& text) {
  byte_buffer out;
  return transcode(codec::msgpack, json(text), out) ? to_hex(out.view())
                                                    : "false";
}

} // namespace

CAF_TEST(no payload is nil and null) {
  for (auto encoding : {codec::msgpack, codec::json}) {
    byte_buffer out;
    CHECK(transcode(codec::msgpack, {encoding, {}}, out));
    CHECK(transcode(codec::json, {encoding, {}}, out));
    CHECK_EQ(out.view(), "\xc0null");
  }
}

CAF_TEST(the same codec is copied) {
  byte_buffer out;
  CHECK(transcode(codec::json, json(" 1.0 "), out));
  CHECK_EQ(out.view(), " 1.0 ");
  out.clear();
  CHECK(transcode(codec::msgpack, msgpack_of(from_hex("cc05")), out));
  CHECK_EQ(to_hex(out.view()), "cc05");
}

CAF_TEST(what is not one value leaves the buffer as it was) {
  byte_buffer out;
  out.append("before");
  for (auto encoding : {codec::msgpack, codec::json}) {
    for (auto bad : {"c1", "92c0", "c0c0", "a5", "dd", "92c0c1"})
      CHECK(!transcode(encoding, msgpack_of(from_hex(bad)), out));
    for (auto bad : {"[1,", "1 2", " ", "[1]\n", "[\n1]", "\"\\udc00\"",
                     "1e309", R"({"$map":[[1,2])", R"({"$bin":"AQID"},)"}) {
      CHECK(!transcode(encoding, json(bad), out));
      CHECK(!well_formed(json(bad)));
    }
  }
  CHECK_EQ(out.view(), "before");
}

CAF_TEST(nesting is bounded by the value) {
  CHECK(well_formed(msgpack_of(from_hex(times(64, "91") + "00"))));
  CHECK(!well_formed(msgpack_of(from_hex(times(65, "91") + "00"))));
  CHECK(well_formed(json(times(64, "[") + times(64, "]"))));
  CHECK(!well_formed(json(times(65, "[") + times(65, "]"))));
  CHECK_EQ(to_msgpack(times(65, "[") + times(65, "]")), "false");
  CHECK_EQ(to_json(times(64, "91") + "90"), "false");
}

CAF_TEST(a value of 64 levels has a JSON form that reads back) {
  for (std::string inner : {"00", "c403010203", "d40561", "a0"}) {
    auto hex = times(64, "81c0") + inner;
    auto text = to_json(hex);
    CHECK(well_formed(json(text)));
    CHECK_EQ(to_msgpack(text), hex);
  }
  // And the same around a map that looks like a special form.
  auto hex = times(63, "8190") + "81a4246d617090";
  CHECK_EQ(to_json(hex), "false"); // the array in it is level 65
  hex = times(62, "8180") + "81a4246d617090";
  CHECK_EQ(to_msgpack(to_json(hex)), hex);
}

CAF_TEST(doubles survive) {
  std::mt19937_64 rng{1};
  for (auto i = 0; i < 20'000; ++i) {
    auto bits = rng();
    std::string hex = "cb";
    for (auto shift = 56; shift >= 0; shift -= 8)
      hex += to_hex(std::string(1, static_cast<char>(bits >> shift)));
    auto text = to_json(hex);
    if (text != "null")
      CHECK_EQ(to_msgpack(text), hex);
  }
}

CAF_TEST(decimals are read exactly) {
  // Halfway between two doubles, and one digit past it.
  CHECK_EQ(to_msgpack("9007199254740993.0"), "cb4340000000000000");
  CHECK_EQ(to_msgpack("9007199254740993.00000000000000000000000000001"),
           "cb4340000000000001");
  CHECK_EQ(to_msgpack("5708990770823839524233143877797980545530986496.0"),
           "cb4970000000000000");
  CHECK_EQ(to_msgpack("2.2250738585072011e-308"), "cb000fffffffffffff");
  CHECK_EQ(to_msgpack("1e-400"), "cb0000000000000000");
  CHECK_EQ(to_msgpack("-1e-400"), "cb8000000000000000");
  CHECK_EQ(to_msgpack("0." + times(400, "0") + "1"), "cb0000000000000000");
  CHECK_EQ(to_msgpack("0." + times(5'000, "1")), "cb3fbc71c71c71c71c");
  CHECK_EQ(to_msgpack("0e5"), "cb0000000000000000");
  CHECK_EQ(to_msgpack("1" + times(309, "0")), "false");
  CHECK_EQ(to_msgpack("1.8e308"), "false");
  CHECK_EQ(to_msgpack("-1.8e308"), "false");
}

CAF_TEST(containers of every size have the right head) {
  struct row {
    size_t size;
    const char* array;
    const char* map;
  };
  for (auto [size, array, map] :
       {row{0, "90", "80"}, row{15, "9f", "8f"}, row{16, "dc0010", "de0010"},
        row{65535, "dcffff", "deffff"},
        row{65536, "dd00010000", "df00010000"}}) {
    std::string list = "[[";
    std::string object = "[{";
    for (size_t i = 0; i < size; ++i) {
      list += i > 0 ? ",1" : "1";
      object += i > 0 ? R"(,"":1)" : R"("":1)";
    }
    CHECK_EQ(to_msgpack(list + "],2]"),
             std::string{"92"} + array + times(size, "01") + "02");
    CHECK_EQ(to_msgpack(object + "},2]"),
             std::string{"92"} + map + times(size, "a001") + "02");
  }
}

CAF_TEST(special forms of every size have the right head) {
  for (size_t size : {0, 1, 15, 16, 255, 256, 65535, 65536}) {
    auto bytes = std::string(size, 'b');
    auto pairs = times(size, ",[1,2]").substr(size > 0 ? 1 : 0);
    auto low = to_hex(std::string(1, static_cast<char>(size)));
    auto both = to_hex(std::string(1, static_cast<char>(size >> 8))) + low;
    auto bin = size < 256     ? "c4" + low
               : size < 65536 ? "c5" + both
                              : "c600010000";
    auto map = size < 16      ? "8" + low.substr(1)
               : size < 65536 ? "de" + both
                              : "df00010000";
    auto hex = bin + to_hex(bytes);
    CHECK_EQ(to_msgpack(to_json(hex)), hex);
    CHECK_EQ(to_msgpack(R"([0,{"$map":[)" + pairs + "]},0]"),
             "9300" + map + times(size, "0102") + "00");
  }
}

CAF_TEST(special forms stand inside one another) {
  std::string hex = "9281c4016181c7030541424380c0";
  CHECK_EQ(to_json(hex),
           R"([{"$map":[[{"$bin":"YQ=="},{"$map":[[{"$ext":[5,"QUJD"]},{}]]}]])"
           R"(},null])");
  CHECK_EQ(to_msgpack(to_json(hex)), hex);
}

CAF_TEST(hostile bytes cost no more than they are) {
  // Would run for minutes or out of memory if the sizes were believed.
  for (auto bad : {"ddffffffff", "dfffffffff", "dbffffffff", "c6ffffffff",
                   "c9ffffffff05", "dd7fffffff00", "dcffff00"})
    CHECK(!well_formed(msgpack_of(from_hex(bad))));
  CHECK(!well_formed(msgpack_of(std::string(1'000'000, '\x91'))));
  CHECK(!well_formed(msgpack_of(std::string(1'000'000, '\xdd'))));
  CHECK(!well_formed(json(std::string(1'000'000, '['))));
  CHECK(!well_formed(json(times(200'000, R"({"a":)"))));
}
