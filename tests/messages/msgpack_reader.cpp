#include "support/test.hpp"

#include <string>

#include <callboard/messages/frame_reader.hpp>

#include "messages/hex.hpp"

using namespace callboard;

namespace {

struct fixture {
  read_status read(const std::string& hex) {
    message = from_hex(hex);
    reader.reset(message);
    return reader.next(frame);
  }

  std::string message;
  frame_reader reader{codec::msgpack};
  frame_view frame;
};

constexpr auto ok = read_status::frame;
constexpr auto malformed = read_status::malformed;

// A ping with this payload.
std::string with_payload(const std::string& hex) {
  return "95 0c 07 05 a0" + hex;
}

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(views point into the message) {
  CHECK(read("96 0a 07 05 a474657374 a3616263 8104a26964") == ok);
  auto within = [this](std::string_view x) {
    return x.data() >= message.data()
           && x.data() + x.size() <= message.data() + message.size();
  };
  CHECK(within(frame.subject));
  CHECK(within(frame.payload.bytes));
  CHECK(within(frame.meta.id));
  CHECK(frame.payload.encoding == codec::msgpack);
  CHECK_EQ(to_hex(frame.payload.bytes), "a3616263");
}

CAF_TEST(a message holds any number of frames) {
  CHECK(read("") == read_status::end);
  CHECK(read("95 0c 01 00 a0 c0  95 0d 02 00 a0 c0") == ok);
  CHECK(frame.type == frame_type::ping);
  CHECK_EQ(frame.seq_id, 1u);
  CHECK(reader.next(frame) == ok);
  CHECK(frame.type == frame_type::pong);
  CHECK_EQ(frame.seq_id, 2u);
  CHECK(reader.next(frame) == read_status::end);
  CHECK(reader.next(frame) == read_status::end);
}

CAF_TEST(nothing is left over from the frame before) {
  CHECK(read("96 0a 07 05 a474657374 a3616263 8406a16104a2696405c30dc3"
             "95 0c 00 00 a0 c0")
        == ok);
  CHECK(frame.meta.has(meta_key::id));
  CHECK(frame.meta.no_echo);
  CHECK(frame.meta.presence);
  CHECK(reader.next(frame) == ok);
  CHECK_EQ(frame.subject, "");
  CHECK(frame.payload.empty());
  CHECK_EQ(frame.seq_id, 0u);
  CHECK_EQ(frame.timestamp, 0);
  CHECK_EQ(frame.meta.present, 0u);
  CHECK_EQ(frame.meta.id, "");
  CHECK_EQ(frame.meta.sender, "");
  CHECK(!frame.meta.no_echo);
  CHECK(!frame.meta.presence);
}

CAF_TEST(frames in front of a malformed one stand) {
  CHECK(read("95 0c 01 00 a0 c0  95 0c 02 00 c0 c0  95 0c 03 00 a0 c0") == ok);
  CHECK(reader.next(frame) == malformed);
  CHECK_EQ(frame.seq_id, 2u);
  CHECK_EQ(reader.reason(), "subject is not a string");
  CHECK(reader.next(frame) == read_status::end);
}

CAF_TEST(frames behind an unknown type are read) {
  CHECK(read("97 7f 01 00 a0 92c0c0 81ff00 90  95 0c 03 00 a0 c0")
        == read_status::unknown_type);
  CHECK_EQ(frame.seq_id, 1u);
  CHECK(reader.next(frame) == ok);
  CHECK_EQ(frame.seq_id, 3u);
}

CAF_TEST(all known types are read and their neighbours are unknown) {
  for (auto type = 0; type < 128; ++type) {
    auto known = type >= 1 && type <= 19;
    auto head = to_hex(std::string(1, static_cast<char>(type)));
    CHECK(read("95" + head + "07 05 a0 c0")
          == (known ? ok : read_status::unknown_type));
    CHECK_EQ(frame.seq_id, 7u);
    if (known)
      CHECK_EQ(static_cast<int>(frame.type), type);
  }
}

CAF_TEST(integers are read at their bounds) {
  CHECK(read("95 0c ceffffffff d38000000000000000 a0 c0") == ok);
  CHECK_EQ(frame.seq_id, UINT32_MAX);
  CHECK_EQ(frame.timestamp, INT64_MIN);
  CHECK(read("95 0c 00 cf7fffffffffffffff a0 c0") == ok);
  CHECK_EQ(frame.timestamp, INT64_MAX);
  CHECK(read("96 0c 00 e0 a0 c0 8101cfffffffffffffffff") == ok);
  CHECK_EQ(frame.timestamp, -32);
  CHECK_EQ(frame.meta.offset, UINT64_MAX);
}

CAF_TEST(timestamps are read in every format) {
  struct row {
    const char* hex;
    int64_t value;
  };
  for (auto [hex, value] :
       {row{"00", 0}, row{"7f", 127}, row{"e0", -32}, row{"ff", -1},
        row{"ccff", 255}, row{"cdffff", 65535}, row{"ceffffffff", 4294967295},
        row{"cf0000000100000000", 4294967296}, row{"d080", -128},
        row{"d18000", -32768}, row{"d280000000", INT32_MIN},
        row{"d3ffffffffffffffff", -1}, row{"d07f", 127}}) {
    CHECK(read(std::string{"95 0c 00 "} + hex + "a0 c0") == ok);
    CHECK_EQ(frame.timestamp, value);
  }
}

CAF_TEST(subjects are read in every format) {
  for (auto head : {"a3", "d903", "da0003", "db00000003"}) {
    CHECK(read(std::string{"95 0c 00 00"} + head + "616263 c0") == ok);
    CHECK_EQ(frame.subject, "abc");
  }
  // The grammar is not the reader's business.
  CHECK(read("95 0c 00 00 a2ff00 c0") == ok);
  CHECK_EQ(frame.subject, std::string_view("\xff\0", 2));
}

CAF_TEST(payloads of every format are one value) {
  auto zeros = [](size_t n) { return times(n, "00"); };
  for (auto& payload :
       {std::string{"00"},       std::string{"ff"},       std::string{"c2"},
        std::string{"c3"},       "ca" + zeros(4),         "cb" + zeros(8),
        "cc" + zeros(1),         "cd" + zeros(2),         "ce" + zeros(4),
        "cf" + zeros(8),         "d0" + zeros(1),         "d1" + zeros(2),
        "d2" + zeros(4),         "d3" + zeros(8),         "d4" + zeros(2),
        "d5" + zeros(3),         "d6" + zeros(5),         "d7" + zeros(9),
        "d8" + zeros(17),        "c403" + zeros(3),       "c50003" + zeros(3),
        "c600000003" + zeros(3), "c703" + zeros(4),       "c80003" + zeros(4),
        "c900000003" + zeros(4), "d903" + zeros(3),       "da0003" + zeros(3),
        "db00000003" + zeros(3), "bf" + zeros(31),        "93" + zeros(3),
        "dc0003" + zeros(3),     "dd00000003" + zeros(3), "82" + zeros(4),
        "de0002" + zeros(4),     "df00000002" + zeros(4), std::string{"80"},
        std::string{"90"},       std::string{"a0"},       std::string{"c400"},
        std::string{"c70005"}}) {
    MESSAGE(payload);
    CHECK(read(with_payload(payload)) == ok);
    CHECK_EQ(to_hex(frame.payload.bytes), payload);
    CHECK(reader.next(frame) == read_status::end);
    // Without its last byte it is none.
    CHECK(read(with_payload(payload.substr(0, payload.size() - 2)))
          == malformed);
    CHECK_EQ(frame.seq_id, 7u);
  }
}

CAF_TEST(payloads nest up to 64 levels) {
  CHECK(read(with_payload(times(63, "91") + "90")) == ok);
  CHECK(read(with_payload(times(64, "91") + "c0")) == ok);
  CHECK(read(with_payload(times(64, "91") + "90")) == malformed);
  CHECK(read(with_payload(times(65, "91") + "c0")) == malformed);
  CHECK_EQ(reader.reason(), "a payload nests deeper than 64");
  CHECK(read(with_payload(times(64, "8100") + "c0")) == ok);
  CHECK(read(with_payload(times(65, "8100") + "c0")) == malformed);
  CHECK(read(with_payload(times(100'000, "91"))) == malformed);
  // What is beside one another does not add up.
  CHECK(read(with_payload("dc0100" + times(256, times(63, "91") + "c0")))
        == ok);
}

CAF_TEST(a nil payload is none) {
  CHECK(read(with_payload("c0")) == ok);
  CHECK(frame.payload.empty());
  CHECK(frame.payload.encoding == codec::msgpack);
}

CAF_TEST(every prefix of a frame is malformed) {
  auto whole = from_hex("96 0a 07 d30000019733c0d5f8 a474657374"
                        "83a16101a1629301c0a0a163c403000102"
                        "8c 0101 02a165 0392a16502 04a169 05c3 06a173"
                        "07cd2710 08cd01f5 09c2 0a05 0ba161 0ca174");
  reader.reset(whole);
  CHECK(reader.next(frame) == ok);
  CHECK_EQ(frame.meta.present, 0x1ffeu);
  for (size_t n = 1; n < whole.size(); ++n) {
    // Copied, so that a sanitizer sees a read behind the end.
    std::string part{whole, 0, n};
    part.shrink_to_fit();
    reader.reset(part);
    CHECK(reader.next(frame) == malformed);
    CHECK_EQ(frame.seq_id, n < 3 ? 0u : 7u);
  }
}

CAF_TEST(ids have 1 to 64 bytes) {
  auto with_id = [](size_t n) {
    auto head = n < 32 ? std::string(1, static_cast<char>(0xa0 + n))
                       : std::string{"\xd9"} + static_cast<char>(n);
    return "96 0a 07 05 a174 c0 8104" + to_hex(head) + times(n, "69");
  };
  CHECK(read(with_id(0)) == malformed);
  CHECK(read(with_id(1)) == ok);
  CHECK(read(with_id(64)) == ok);
  CHECK_EQ(frame.meta.id.size(), 64u);
  CHECK(read(with_id(65)) == malformed);
}

CAF_TEST(the neighbours of known meta keys are unknown) {
  CHECK(read("96 0c 07 05 a0 c0 84 00c1 0d01 0e02 0f03") == malformed);
  CHECK(read("96 0c 07 05 a0 c0 84 00ff 1ea161 cd010101 ff80") == ok);
  CHECK_EQ(frame.meta.present, 0u);
}

CAF_TEST(meta keys are read in every format of integers) {
  for (auto key : {"06", "cc06", "cd0006", "ce00000006", "cf0000000000000006",
                   "d006", "d10006", "d200000006", "d30000000000000006"}) {
    CHECK(read(std::string{"96 0c 07 05 a0 c0 81"} + key + "a161") == ok);
    CHECK_EQ(frame.meta.sender, "a");
  }
}

END_FIXTURE_SCOPE()
