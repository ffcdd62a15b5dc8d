#include "support/test.hpp"

#include <string>

#include <callboard/messages/frame_reader.hpp>

#include "messages/hex.hpp"

using namespace callboard;

namespace {

struct fixture {
  read_status read(const std::string& text) {
    message = text;
    reader.reset(message);
    return reader.next(frame);
  }

  // Reads a ping with this payload.
  read_status read_payload(const std::string& text) {
    return read(R"({"payload":)" + text + R"(,"type":"ping","seqId":7})");
  }

  std::string message;
  frame_reader reader{codec::json};
  frame_view frame;
};

constexpr auto ok = read_status::frame;
constexpr auto malformed = read_status::malformed;

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(views without escapes point into the message) {
  CHECK(read(R"({"type":"publish","subject":"test","payload": [1, "a\n"] ,)"
             R"("meta":{"id":"i","sender":"\u0061"}})")
        == ok);
  auto within = [this](std::string_view x) {
    return x.data() >= message.data()
           && x.data() + x.size() <= message.data() + message.size();
  };
  CHECK(within(frame.subject));
  CHECK(within(frame.payload.bytes));
  CHECK(within(frame.meta.id));
  CHECK(!within(frame.meta.sender));
  CHECK_EQ(frame.meta.sender, "a");
  CHECK_EQ(frame.payload.bytes, R"([1, "a\n"])");
  CHECK(frame.payload.encoding == codec::json);
}

CAF_TEST(a message holds a frame a line) {
  for (auto text : {"", "\n", "\n\n", " \t\r\n \n"})
    CHECK(read(text) == read_status::end);
  CHECK(read("\n\r\n{\"type\":\"ping\"}\r\n \n{\"type\":\"pong\"}") == ok);
  CHECK(frame.type == frame_type::ping);
  CHECK(reader.next(frame) == ok);
  CHECK(frame.type == frame_type::pong);
  CHECK(reader.next(frame) == read_status::end);
  CHECK(reader.next(frame) == read_status::end);
}

CAF_TEST(a frame is one line) {
  CHECK(read("{\"type\":\n\"ping\"}") == malformed);
  CHECK(reader.next(frame) == read_status::end);
}

CAF_TEST(nothing is left over from the frame before) {
  CHECK(read(R"({"type":"request","seqId":1,"timestamp":2,"subject":"\u0061",)"
             R"("payload":{"action":"b"},"meta":{"id":"c"}})"
             "\n"
             R"({"type":"request"})")
        == ok);
  CHECK_EQ(frame.subject, "a");
  CHECK(reader.next(frame) == ok);
  CHECK_EQ(frame.subject, "");
  CHECK(frame.payload.empty());
  CHECK_EQ(frame.seq_id, 0u);
  CHECK_EQ(frame.timestamp, 0);
  CHECK_EQ(frame.meta.present, 0u);
  CHECK_EQ(frame.meta.id, "");
}

CAF_TEST(frames in front of a malformed one stand) {
  CHECK(read("{\"type\":\"ping\",\"seqId\":1}\n{\"type\":1,\"seqId\":2}\n"
             "{\"type\":\"ping\"}")
        == ok);
  CHECK(reader.next(frame) == malformed);
  CHECK_EQ(frame.seq_id, 2u);
  CHECK_EQ(reader.reason(), "type is not a string");
  CHECK(reader.next(frame) == read_status::end);
}

CAF_TEST(frames behind an unknown type are read) {
  CHECK(read("{\"type\":\"shout\",\"seqId\":1}\n{\"type\":\"ping\"}")
        == read_status::unknown_type);
  CHECK_EQ(frame.seq_id, 1u);
  CHECK(reader.next(frame) == ok);
}

CAF_TEST(integers are read at their bounds) {
  CHECK(read(R"({"type":"ping","seqId":4294967295,)"
             R"("timestamp":-9223372036854775808,)"
             R"("meta":{"offset":18446744073709551615}})")
        == ok);
  CHECK_EQ(frame.seq_id, UINT32_MAX);
  CHECK_EQ(frame.timestamp, INT64_MIN);
  CHECK_EQ(frame.meta.offset, UINT64_MAX);
  CHECK(read(R"({"type":"ping","timestamp":9223372036854775807})") == ok);
  CHECK_EQ(frame.timestamp, INT64_MAX);
  CHECK(read(R"({"type":"ping","timestamp":-9223372036854775809})")
        == malformed);
  CHECK(read(R"({"type":"ping","meta":{"offset":18446744073709551616}})")
        == malformed);
}

CAF_TEST(a request without a subject takes its action from the payload) {
  auto subject = [this](const std::string& rest) {
    CHECK(read("{" + rest + "}") == ok);
    return std::string{frame.subject};
  };
  CHECK_EQ(subject(R"("payload":{"action":"a"},"type":"request")"), "a");
  CHECK_EQ(subject(R"("type":"request","payload":{"action":"\u0061"})"), "a");
  CHECK_EQ(subject(R"("type":"request","subject":"","payload":{"action":"a"})"),
           "a");
  CHECK_EQ(
    subject(R"("type":"request","subject":"s","payload":{"action":"a"})"), "s");
  // Only one that is text and at the top.
  CHECK_EQ(subject(R"("type":"request","payload":{"action":5})"), "");
  CHECK_EQ(subject(R"("type":"request","payload":{"action":["a"]})"), "");
  CHECK_EQ(subject(R"("type":"request","payload":["action","a"])"), "");
  CHECK_EQ(subject(R"("type":"request","payload":{"x":{"action":"a"}})"), "");
  CHECK_EQ(subject(R"("type":"request","payload":{"x":"action","y":"a"})"), "");
  CHECK_EQ(subject(R"("type":"request","x":{"action":"a"})"), "");
  CHECK_EQ(subject(R"("type":"request")"), "");
  // And only a request.
  CHECK_EQ(subject(R"("type":"notify","payload":{"action":"a"})"), "");
}

CAF_TEST(payloads are cut out as they stand) {
  for (std::string text :
       {"0", "-0.5e+3", "true", "false", R"("")", R"("\"}")", "[]", "{}",
        R"([ {"a" : [ ] } ])", R"({"payload":{"type":1}})", "\"\u00e4\""}) {
    CHECK(read_payload(text) == ok);
    CHECK_EQ(frame.payload.bytes, text);
    CHECK(read_payload(" \t" + text + "\r ") == ok);
    CHECK_EQ(frame.payload.bytes, text);
  }
  CHECK(read_payload("null") == ok);
  CHECK(frame.payload.empty());
}

CAF_TEST(payloads nest up to 64 levels) {
  CHECK(read_payload(times(64, "[") + times(64, "]")) == ok);
  CHECK(read_payload(times(65, "[") + times(65, "]")) == malformed);
  CHECK_EQ(frame.seq_id, 7u);
  CHECK_EQ(reader.reason(), "a payload nests deeper than 64");
  CHECK(read_payload(times(64, R"({"a":)") + "1" + times(64, "}")) == ok);
  CHECK(read_payload(times(65, R"({"a":)") + "1" + times(65, "}"))
        == malformed);
  CHECK(read_payload(times(100'000, "[")) == malformed);
  CHECK_EQ(reader.reason(), "the text nests too deeply");
}

CAF_TEST(special forms count as the values that they stand for) {
  auto maps = [](size_t n, const std::string& inner) {
    return times(n, R"({"$map":[[0,)") + inner + times(n, "]]}");
  };
  CHECK(read_payload(maps(64, R"({"$ext":[1,""]})")) == ok);
  CHECK(read_payload(maps(64, R"({"$bin":""})")) == ok);
  CHECK(read_payload(maps(64, R"({"$bin":"x"})")) == malformed);
  CHECK(read_payload(maps(64, "[]")) == malformed);
  CHECK(read_payload(maps(65, "1")) == malformed);
  // What only begins like one is an object.
  CHECK(read_payload(times(30, R"({"$map":[[0,1,)") + "1" + times(30, "]]}"))
        == malformed);
  CHECK(read_payload(times(21, R"({"$map":[[0,1,)") + "1" + times(21, "]]}"))
        == ok);
}

CAF_TEST(texts are UTF8 everywhere) {
  for (auto bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82"}) {
    std::string text{bad};
    CHECK(read_payload("\"" + text + "\"") == malformed);
    CHECK(read("{\"type\":\"ping\",\"" + text + "\":1}") == malformed);
    CHECK(read("{\"type\":\"ping\",\"subject\":\"" + text + "\"}")
          == malformed);
    CHECK_EQ(reader.reason(), "the text is not UTF-8");
  }
}

CAF_TEST(escapes are read) {
  CHECK(read(R"({"type":"ping","subject":"\"\\\/\b\f\n\r\t\u0000\u00e4)"
             R"(\ud83c\udfad","meta":{"epoch":"\u0065","sender":"\n"}})")
        == ok);
  CHECK_EQ(frame.subject, std::string("\"\\/\b\f\n\r\t\0\u00e4\U0001f3ad", 15));
  CHECK_EQ(frame.meta.epoch, "e");
  CHECK_EQ(frame.meta.sender, "\n");
  for (auto bad : {R"("\x")", R"("\u12")", R"("\u12g4")", R"("\ud800")",
                   R"("\ud800x")", R"("\ud800\u0061")", R"("\udfff")",
                   R"("\ud800\ud800")", R"({"\udc00":1})", "\"\\"})
    CHECK(read_payload(bad) == malformed);
}

CAF_TEST(what is not JSON is malformed) {
  using namespace std::literals;
  for (auto bad : {"+1"s,
                   "01"s,
                   "-"s,
                   "1."s,
                   ".5"s,
                   "1e"s,
                   "1e+"s,
                   "0x1"s,
                   "NaN"s,
                   "Infinity"s,
                   "tru"s,
                   "True"s,
                   "nul"s,
                   "'a'"s,
                   "[1,]"s,
                   "[,1]"s,
                   "[1 2]"s,
                   "{\"a\"}"s,
                   "{\"a\":}"s,
                   "{a:1}"s,
                   "{1:1}"s,
                   "[1}"s,
                   "\"a"s,
                   "/**/1"s,
                   "1 2"s,
                   "\"\x01\""s,
                   "\"\0\""s,
                   "\0"s,
                   "[1\0]"s,
                   "1e309"s,
                   "-1e309"s,
                   "1e99999999999"s,
                   "\xef\xbb\xbf"
                   "1"s})
    CHECK(read_payload(bad) == malformed);
  CHECK(read("{\"type\":\"ping\"}\0"s) == malformed);
  CHECK(read("{\"type\":\"ping\"}\0{}"s) == malformed);
}

CAF_TEST(a position has an epoch and an offset) {
  auto subscribe = [this](const std::string& since) {
    return read(R"({"type":"subscribe","meta":{"since":)" + since + "}}");
  };
  CHECK(subscribe(R"({"offset":5,"x":[{"epoch":1}],"epoch":"\u0065"})") == ok);
  CHECK(frame.meta.has(meta_key::since));
  CHECK_EQ(frame.meta.since.epoch, "e");
  CHECK_EQ(frame.meta.since.offset, 5u);
  for (auto bad :
       {"{}", R"({"epoch":"e"})", R"({"offset":5})", "null", "[]", "5",
        R"({"epoch":1,"offset":5})", R"({"epoch":"e","offset":-5})",
        R"({"epoch":"e","offset":"5"})", R"({"epoch":["e"],"offset":5})",
        R"({"epoch":"e","offset":5,"offset":6})"})
    CHECK(subscribe(bad) == malformed);
}

CAF_TEST(names are told apart by case) {
  CHECK(read(R"({"Type":"ping"})") == malformed);
  CHECK(read(R"({"type":"ping","seqid":7,"META":5})") == ok);
  CHECK_EQ(frame.seq_id, 0u);
  CHECK(read(R"({"type":"ping","meta":{"noecho":5}})") == ok);
  CHECK_EQ(frame.meta.present, 0u);
}

CAF_TEST(every prefix of a frame is malformed) {
  std::string whole = R"({"seqId":7,"type":"publish","subject":"\u0061b",)"
                      R"("payload":{"a":[1,-2.5e3,null,true,"x"]},)"
                      R"("timestamp":5,"meta":{"id":"i","noEcho":false}})";
  CHECK(read(whole) == ok);
  for (size_t n = 1; n < whole.size(); ++n) {
    std::string part{whole, 0, n};
    part.shrink_to_fit();
    reader.reset(part);
    CHECK(reader.next(frame) == malformed);
    CHECK_EQ(frame.seq_id, n < 10 ? 0u : 7u);
  }
}

CAF_TEST(a reader can be moved) {
  message = R"({"type":"ping"})";
  auto other = std::move(reader);
  other.reset(message);
  CHECK(other.next(frame) == ok);
  reader = std::move(other);
  reader.reset(message);
  CHECK(reader.next(frame) == ok);
}

END_FIXTURE_SCOPE()
