#include <callboard/cmd/json_text.hpp>

#include <callboard/messages/payload.hpp>

#include "support/test.hpp"

using namespace callboard;

namespace {

std::string json(std::string_view text) {
  std::string result;
  cmd::append_json(result, text);
  return result;
}

std::string json(payload_view x) {
  std::string result;
  cmd::append_json(result, x);
  return result;
}

} // namespace

CAF_TEST(text is escaped) {
  CAF_CHECK_EQUAL(json("plain"), R"("plain")");
  CAF_CHECK_EQUAL(json("a\"b\\c\n\t"), R"("a\"b\\c\n\t")");
  CAF_CHECK_EQUAL(json(std::string_view{"\x01\x1f\0", 3}),
                  R"("\u0001\u001f\u0000")");
  CAF_CHECK_EQUAL(json("\xc3\xa4\x7f"), "\"\xc3\xa4\x7f\"");
}

CAF_TEST(what is not UTF - 8 is replaced byte by byte) {
  CAF_CHECK_EQUAL(json("a\xff\xc3\xa4\xc3"),
                  "\"a\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\"");
}

CAF_TEST(payloads become one line of JSON) {
  CAF_CHECK_EQUAL(json(payload{}.view()), "null");
  CAF_CHECK_EQUAL(json(payload::pack(std::vector<int>{1, 2}).view()), "[1,2]");
  CAF_CHECK_EQUAL(json(payload::pack(std::string{"x"}).view()), "\"x\"");
}

CAF_TEST(a payload that is no value becomes null) {
  CAF_CHECK_EQUAL(json(payload_view{codec::msgpack, "\x92\x01"}), "null");
}
