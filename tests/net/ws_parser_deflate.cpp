#include "support/test.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <callboard/net/ws_deflate.hpp>
#include <callboard/net/ws_parser.hpp>

#include "support/ws_stream.hpp"

using namespace callboard::net;

using namespace std::literals;

namespace {

using lines = std::vector<std::string>;

// RFC 7692, 7.2.3.1.
constexpr auto hello = "\xF2\x48\xCD\xC9\xC9\x07\x00"sv;

struct fixture {
  ws_inflater inflater;
  ws_parser_options options{.message_bytes_max = 1000, .inflater = &inflater};

  lines parse(std::string_view bytes) const {
    return events_of(options, {bytes});
  }

  std::string parse_one(std::string_view bytes) const {
    auto events = parse(bytes);
    return events.size() == 1 ? events.front() : "not one thing";
  }
};

std::string deflate(std::string_view text) {
  ws_deflater deflater;
  std::string result;
  return deflater.deflate(text, result) ? result : "[not worth it]";
}

/// Returns stored blocks of at most `block_bytes`: the worst compression.
std::string store(std::string_view text, size_t block_bytes) {
  std::string result;
  while (!text.empty()) {
    auto block = text.substr(0, block_bytes);
    text.remove_prefix(block.size());
    auto n = static_cast<unsigned>(block.size());
    result += '\0';
    for (auto x : {n, n >> 8, ~n, ~n >> 8})
      result += static_cast<char>(x);
    result += block;
  }
  return result += '\0';
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(ws_parser_deflate_tests, fixture)

CAF_TEST(the examples of RFC 7692 are read) {
  CHECK_EQ(parse_one(client_frame(0xC1, hello)), "text Hello");
  // In two fragments, of which the first one has the bit.
  CHECK_EQ(parse_one(client_frame(0x41, hello.substr(0, 3))
                     + client_frame(0x80, hello.substr(3))),
           "text Hello");
}

CAF_TEST(compressed and plain messages mix) {
  auto bytes = client_frame(0xC1, hello) + client_frame(0x81, "plain")
               + client_frame(0x42, hello.substr(0, 2))
               + client_frame(0x89, "ping")
               + client_frame(0x80, hello.substr(2));
  CHECK_EQ(parse(bytes),
           lines({"text Hello", "text plain", "ping ping", "binary Hello"}));
}

CAF_TEST(compressed streams mean the same in any two pieces) {
  auto stream = client_frame(0xC1, hello)
                + client_message(0x41, deflate(std::string(200, 'x')), 3)
                + client_frame(0xC2, hello) + client_frame(0xC1, "\x07");
  auto expected = parse(stream);
  CHECK_EQ(expected.size(), 4u);
  CHECK_EQ(expected.back(), "bad_deflate");
  std::string_view bytes = stream;
  for (size_t i = 0; i <= bytes.size(); ++i)
    CHECK_EQ(events_of(options, {bytes.substr(0, i), bytes.substr(i)}, i % 3),
             expected);
}

CAF_TEST(the bit belongs to the first frame of a message) {
  CHECK_EQ(parse_one(client_frame(0x41, hello) + client_frame(0xC0, "x")),
           "reserved_bit");
  CHECK_EQ(parse_one(client_frame(0x01, "x") + client_frame(0xC0, hello)),
           "reserved_bit");
  for (auto opcode : {0x8u, 0x9u, 0xAu})
    CHECK_EQ(parse_one(client_frame(0xC0 | opcode, "")), "reserved_bit");
  CHECK_EQ(parse_one(client_frame(0xE1, hello)), "reserved_bit");
  CHECK_EQ(parse_one(client_frame(0xD1, hello)), "reserved_bit");
}

CAF_TEST(text is checked when it is inflated) {
  CHECK_EQ(parse_one(client_frame(0xC1, store("h\u00e9", 9))), "text h\u00e9");
  CHECK_EQ(parse_one(client_frame(0xC1, store("\xC3", 9))), "bad_text");
  CHECK_EQ(parse_one(client_message(0x41, store("x\xFF", 9), 2)), "bad_text");
  CHECK_EQ(parse_one(client_frame(0xC2, store("\xFF", 9))), "binary \xFF");
}

CAF_TEST(messages are bounded inflated) {
  auto text = std::string(1000, 'x');
  CHECK_EQ(parse_one(client_frame(0xC1, deflate(text))), "text " + text);
  CHECK_EQ(parse_one(client_message(0x41, deflate(text), 2)), "text " + text);
  text += 'x';
  CHECK_EQ(parse_one(client_frame(0xC1, deflate(text))), "message_too_big");
  CHECK_EQ(parse_one(client_message(0x41, deflate(text), 2)),
           "message_too_big");
}

CAF_TEST(what cannot be compressed may be as long as any) {
  auto text = std::string(1000, 'x');
  CHECK_EQ(parse_one(client_frame(0xC1, store(text, 1000))), "text " + text);
  CHECK_EQ(parse_one(client_frame(0xC1, store(text, 50))), "text " + text);
  // But not as clumsy.
  CHECK_EQ(parse_one(client_frame(0xC1, store(text, 5))), "message_too_big");
  // The limit is 1000 * (1 + 1/8 + 1/64) + 16.
  CHECK(
    parse(client_frame(0xC1, std::string(1156, '\0')).substr(0, 8)).empty());
  CHECK_EQ(parse_one(client_frame(0xC1, std::string(1157, '\0')).substr(0, 8)),
           "message_too_big");
}

CAF_TEST(corrupt messages are refused) {
  CHECK_EQ(parse_one(client_frame(0xC1, "\x07")), "bad_deflate");
  CHECK_EQ(parse_one(client_frame(0xC1, hello.substr(0, 3))), "bad_deflate");
  // And do not outlast their connection.
  CHECK_EQ(parse_one(client_frame(0xC1, hello)), "text Hello");
}

CAF_TEST_FIXTURE_SCOPE_END()
