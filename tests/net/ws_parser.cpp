#include "support/test.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <callboard/net/ws_parser.hpp>

#include "support/ws_stream.hpp"

using namespace callboard::net;

using namespace std::literals;

namespace {

using lines = std::vector<std::string>;

constexpr ws_parser_options from_client;

constexpr ws_parser_options from_server{.peer_is_client = false};

constexpr ws_parser_options tiny{.message_bytes_max = 10};

lines parse(std::string_view bytes,
            const ws_parser_options& options = from_client) {
  return events_of(options, {bytes});
}

/// Returns the only thing found in `bytes`.
std::string parse_one(std::string_view bytes,
                      const ws_parser_options& options = from_client) {
  auto events = parse(bytes, options);
  return events.size() == 1 ? events.front() : "not one thing";
}

std::string text_of(size_t size) {
  return std::string(size, 'x');
}

} // namespace

// -- what is right ------------------------------------------------------------

CAF_TEST(the examples of RFC 6455 are read) {
  // Section 5.7, in its order.
  CHECK_EQ(parse_one("\x81\x05Hello"sv, from_server), "text Hello");
  CHECK_EQ(parse_one("\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"sv),
           "text Hello");
  CHECK_EQ(parse_one("\x01\x03Hel\x80\x02lo"sv, from_server), "text Hello");
  CHECK_EQ(parse_one("\x89\x05Hello"sv, from_server), "ping Hello");
  CHECK_EQ(parse_one("\x8A\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"sv),
           "pong Hello");
  CHECK_EQ(parse_one("\x82\x7E\x01\x00"s + text_of(256), from_server),
           "binary " + text_of(256));
  CHECK_EQ(parse_one("\x82\x7F\0\0\0\0\0\1\0\0"s + text_of(65536), from_server),
           "binary " + text_of(65536));
}

CAF_TEST(empty frames are frames) {
  CHECK_EQ(parse_one(client_frame(0x81, "")), "text ");
  CHECK_EQ(parse_one(client_frame(0x82, "")), "binary ");
  CHECK_EQ(parse_one(client_frame(0x89, "")), "ping ");
  CHECK_EQ(parse_one(client_frame(0x8A, "")), "pong ");
  CHECK_EQ(parse_one(client_frame(0x88, "")), "close 1005 ");
  CHECK_EQ(parse_one(client_frame(0x01, "") + client_frame(0x80, "")), "text ");
}

CAF_TEST(control frames come between fragments) {
  auto bytes = client_frame(0x01, "one ") + client_frame(0x89, "p")
               + client_frame(0x00, "two ") + client_frame(0x8A, "q")
               + client_frame(0x80, "three") + client_frame(0x82, "next");
  CHECK_EQ(parse(bytes),
           lines({"ping p", "pong q", "text one two three", "binary next"}));
}

CAF_TEST(a close frame between fragments ends all) {
  auto bytes = client_frame(0x01, "one ") + client_frame(0x88, close_body(1001))
               + client_frame(0x80, "two");
  CHECK_EQ(parse(bytes), lines({"close 1001 "}));
}

CAF_TEST(nothing is delivered behind a close frame) {
  ws_parser parser{from_client};
  ws_recorder recorder;
  auto close = client_frame(0x88, close_body(4000, "bye"));
  auto status = feed(parser, recorder, close + client_frame(0x81, "late"));
  CHECK(status == ws_status::closed);
  CHECK(feed(parser, recorder, client_frame(0x81, "later"))
        == ws_status::closed);
  // Not even a violation.
  CHECK(feed(parser, recorder, "\xFF\xFF"sv) == ws_status::closed);
  CHECK(parser.error() == ws_error::none);
  CHECK_EQ(recorder.events, lines({"close 4000 bye"}));
}

CAF_TEST(every close code is judged) {
  auto wrong = 0;
  for (auto code = 0u; code < 65536; ++code) {
    auto valid = (code >= 1000 && code <= 1003)
                 || (code >= 1007 && code <= 1014)
                 || (code >= 3000 && code <= 4999);
    auto expected = valid ? "close " + std::to_string(code) + " why"
                          : "bad_close_code";
    if (parse_one(client_frame(0x88, close_body(code, "why"))) != expected)
      ++wrong;
  }
  CHECK_EQ(wrong, 0);
}

// -- what is wrong ------------------------------------------------------------

CAF_TEST(reserved bits are refused) {
  for (auto opcode : {0x1u, 0x2u, 0x8u, 0x9u, 0xAu})
    for (auto bits = 1u; bits < 8; ++bits)
      CHECK_EQ(parse_one(client_frame(0x80 | (bits << 4) | opcode, "")),
               "reserved_bit");
  for (auto bits = 1u; bits < 8; ++bits)
    CHECK_EQ(parse_one(client_frame(0x01, "a")
                       + client_frame(0x80 | (bits << 4), "b")),
             "reserved_bit");
}

CAF_TEST(reserved opcodes are refused) {
  for (auto opcode : {3u, 4u, 5u, 6u, 7u, 11u, 12u, 13u, 14u, 15u}) {
    CHECK_EQ(parse_one(client_frame(0x80 | opcode, "")), "reserved_opcode");
    CHECK_EQ(parse_one(client_frame(opcode, "")), "reserved_opcode");
  }
}

CAF_TEST(control frames are whole and short) {
  for (auto opcode : {0x8u, 0x9u, 0xAu}) {
    CHECK_EQ(parse_one(client_frame(opcode, "")), "fragmented_control");
    CHECK_EQ(parse_one(client_frame(0x80 | opcode, text_of(126))),
             "long_control");
    CHECK_EQ(parse_one(client_frame(0x80 | opcode, text_of(70000))),
             "long_control");
  }
  CHECK_EQ(parse_one(client_frame(0x89, text_of(125))), "ping " + text_of(125));
  CHECK_EQ(parse_one(client_frame(0x8A, text_of(125))), "pong " + text_of(125));
  CHECK_EQ(parse_one(client_frame(0x88, close_body(1000, text_of(123)))),
           "close 1000 " + text_of(123));
}

CAF_TEST(fragments come in order) {
  auto start = client_frame(0x01, "a");
  CHECK_EQ(parse_one(client_frame(0x80, "a")), "stray_continuation");
  CHECK_EQ(parse_one(client_frame(0x00, "a")), "stray_continuation");
  CHECK_EQ(parse_one(start + client_frame(0x81, "b")), "unfinished_message");
  CHECK_EQ(parse_one(start + client_frame(0x02, "b")), "unfinished_message");
  CHECK_EQ(parse(start + client_frame(0x80, "b") + client_frame(0x80, "c")),
           lines({"text ab", "stray_continuation"}));
  CHECK_EQ(parse(client_frame(0x82, "a") + client_frame(0x80, "c")),
           lines({"binary a", "stray_continuation"}));
}

CAF_TEST(clients mask and servers do not ) {
  CHECK_EQ(parse_one("\x81\x05Hello"sv), "unmasked");
  CHECK_EQ(parse_one("\x81\x05Hello, and more"sv), "unmasked");
  CHECK_EQ(parse_one("\x89\0"sv), "unmasked");
  CHECK_EQ(parse_one(client_frame(0x81, "Hello"), from_server), "masked");
  // A key of zeros is a key.
  CHECK_EQ(parse_one(client_frame(0x81, "Hello", 0)), "text Hello");
}

CAF_TEST(lengths take the fewest bytes) {
  CHECK_EQ(parse_one("\x82\xFE\x00\x7D"sv), "bad_length");
  CHECK_EQ(parse_one("\x82\xFE\x00\x00"sv), "bad_length");
  CHECK_EQ(parse_one("\x82\xFF\0\0\0\0\0\0\xFF\xFF"sv), "bad_length");
  CHECK_EQ(parse_one("\x82\xFF\0\0\0\0\0\0\0\x05"sv), "bad_length");
  CHECK_EQ(parse_one("\x82\xFF\x80\0\0\0\0\1\0\0"sv), "bad_length");
  CHECK_EQ(parse_one("\x82\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv),
           "bad_length");
  for (auto n : {125u, 126u, 65535u, 65536u})
    CHECK_EQ(parse_one(client_frame(0x82, text_of(n))), "binary " + text_of(n));
}

CAF_TEST(text is UTF - 8) {
  CHECK_EQ(parse_one(client_frame(0x81, "h\u00e9\U0001F4AC")),
           "text h\u00e9\U0001F4AC");
  CHECK_EQ(parse_one(client_frame(0x81, "\xC0\x80")), "bad_text");
  // A character may span fragments, but not the end.
  CHECK_EQ(parse_one(client_message(0x01, "h\u00e9\U0001F4AC", 1)),
           "text h\u00e9\U0001F4AC");
  CHECK_EQ(parse_one(client_frame(0x81, "\xE2\x82")), "bad_text");
  CHECK_EQ(parse_one(client_message(0x01, "\xE2\x82", 1)), "bad_text");
  CHECK_EQ(parse_one(client_frame(0x01, "\xE2\x82") + client_frame(0x80, "")),
           "bad_text");
  // Bytes need not be text.
  CHECK_EQ(parse_one(client_frame(0x82, "\xC0\x80")), "binary \xC0\x80");
}

CAF_TEST(bad text is refused as soon as it shows) {
  CHECK_EQ(parse_one(client_frame(0x01, "\xFF")), "bad_text");
  CHECK_EQ(parse_one(client_frame(0x01, "\xE2") + client_frame(0x00, "x")),
           "bad_text");
  // Within a frame of which most is still missing.
  auto frame = client_frame(0x81, "ok \xFF" + text_of(1000));
  CHECK(parse(frame.substr(0, 8 + 3)).empty());
  CHECK_EQ(parse_one(frame.substr(0, 8 + 4)), "bad_text");
}

CAF_TEST(close frames are well formed) {
  CHECK_EQ(parse_one(client_frame(0x88, "\x03")), "bad_close_body");
  CHECK_EQ(parse_one(client_frame(0x88, close_body(1000, "\xFF"))),
           "bad_close_reason");
  CHECK_EQ(parse_one(client_frame(0x88, close_body(1000, "\xE2\x82"))),
           "bad_close_reason");
}

CAF_TEST(a parser that failed stays so) {
  ws_parser parser{from_client};
  ws_recorder recorder;
  auto good = client_frame(0x81, "good");
  CHECK(feed(parser, recorder, good + "\xFF\xFF" + good) == ws_status::failed);
  CHECK(feed(parser, recorder, good) == ws_status::failed);
  CHECK(parser.error() == ws_error::reserved_bit);
  parser.shut();
  CHECK(parser.status() == ws_status::failed);
  CHECK_EQ(recorder.events, lines({"text good"}));
}

// -- limits -------------------------------------------------------------------

CAF_TEST(messages are bounded in one frame) {
  CHECK_EQ(parse_one(client_frame(0x82, text_of(10)), tiny),
           "binary " + text_of(10));
  // The header is enough.
  auto frame = client_frame(0x82, text_of(11));
  CHECK_EQ(parse_one(frame, tiny), "message_too_big");
  CHECK_EQ(parse_one(frame.substr(0, 2), tiny), "message_too_big");
  CHECK_EQ(parse_one("\x82\xFF\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv, tiny),
           "message_too_big");
  // A control frame is no message.
  CHECK_EQ(parse_one(client_frame(0x89, text_of(11)), tiny),
           "ping " + text_of(11));
}

CAF_TEST(messages are bounded in fragments) {
  for (size_t fragment_bytes = 1; fragment_bytes < 11; ++fragment_bytes) {
    CHECK_EQ(parse_one(client_message(0x02, text_of(10), fragment_bytes), tiny),
             "binary " + text_of(10));
    CHECK_EQ(parse_one(client_message(0x02, text_of(11), fragment_bytes), tiny),
             "message_too_big");
  }
  ws_parser_options none{.message_bytes_max = 0};
  CHECK_EQ(parse_one(client_frame(0x82, ""), none), "binary ");
  CHECK_EQ(parse_one(client_frame(0x82, "x"), none), "message_too_big");
}

CAF_TEST(empty fragments are bounded) {
  ws_parser_options options{.empty_fragments_max = 3};
  auto empty = client_frame(0x00, "");
  auto start = client_frame(0x02, "");
  auto end = client_frame(0x80, "");
  auto most = start + empty + empty + end;
  CHECK_EQ(parse(most + most, options), lines({"binary ", "binary "}));
  CHECK_EQ(parse_one(start + empty + empty + empty, options),
           "too_many_fragments");
  // Others do not count.
  auto full = client_frame(0x00, "x");
  CHECK_EQ(parse_one(start + full + empty + full + full + empty + full + end,
                     options),
           "binary xxxx");
}
