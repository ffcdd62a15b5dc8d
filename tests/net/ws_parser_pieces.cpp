#include "support/test.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/net/ws_parser.hpp>

#include "support/ws_stream.hpp"

using namespace callboard::net;

using namespace std::literals;

namespace {

using lines = std::vector<std::string>;

constexpr ws_parser_options options{.message_bytes_max = 70000};

std::string text_of(size_t size) {
  return std::string(size, 'x');
}

/// Returns streams that together meet every state of the parser.
std::vector<std::string> example_streams() {
  auto ping = client_frame(0x89, "ping");
  auto close = client_frame(0x88, close_body(4002, "h\u00e9"));
  return {
    client_frame(0x81, "Hello") + client_frame(0x82, "") + ping + close,
    client_message(0x01, "h\u00e9, \u20ac and \U0001F4AC", 3) + ping,
    client_frame(0x01, "a") + ping + client_frame(0x00, "b") + ping
      + client_frame(0x00, "") + client_frame(0x80, "c") + ping,
    client_frame(0x02, "") + client_frame(0x8A, "") + client_frame(0x80, ""),
    client_frame(0x82, text_of(126)) + client_frame(0x82, text_of(300)),
    client_frame(0x01, text_of(130)) + ping + client_frame(0x80, text_of(130)),
    client_frame(0x01, "lost") + close + client_frame(0x80, "late"),
    client_frame(0x88, "") + client_frame(0x81, "late"),
    // What fails, behind something that does not.
    ping + client_frame(0x81, "bad \xE2\x28\xA1 text"),
    ping + client_message(0x01, "cut \xE2\x82", 2) + ping,
    ping + client_frame(0x88, close_body(1005)),
    ping + client_frame(0x88, "x") + ping,
    ping + client_frame(0x83, "x") + ping,
    ping + client_frame(0xC1, "x") + ping,
    ping + client_frame(0x80, "x") + ping,
    ping + client_frame(0x01, "x") + ping + client_frame(0x81, "y"),
    ping + "\x82\xFE\x00\x7D" + text_of(129),
    ping + "\x82\xFF\x80\0\0\0\0\1\0\0\0\0\0\0"s,
    ping + "\x82\xFF\0\0\0\0\0\1\x11\x71\0\0\0\0"s,
    ping + "\x81\x01x",
  };
}

std::vector<std::string_view> bytewise(std::string_view bytes) {
  std::vector<std::string_view> result;
  for (size_t i = 0; i < bytes.size(); ++i)
    result.push_back(bytes.substr(i, 1));
  return result;
}

std::vector<std::string_view> random_pieces(std::string_view bytes,
                                            std::mt19937& rng) {
  std::vector<std::string_view> result;
  while (!bytes.empty()) {
    auto n = std::min<size_t>(rng() % (rng() % 4 == 0 ? 400 : 9), bytes.size());
    result.push_back(bytes.substr(0, n));
    bytes.remove_prefix(n);
  }
  return result;
}

/// Makes a stream of valid frames and says what is in it.
std::string random_stream(std::mt19937& rng, lines& expected) {
  std::string result;
  auto control = [&] {
    auto payload = text_of(rng() % 126);
    auto ping = rng() % 2 == 0;
    result += client_frame(ping ? 0x89 : 0x8A, payload, rng());
    expected.push_back((ping ? "ping " : "pong ") + payload);
  };
  for (auto messages = rng() % 8; messages > 0; --messages) {
    std::string payload(rng() % 4 == 0 ? rng() % 3000 : rng() % 40, '\0');
    for (auto& c : payload)
      c = static_cast<char>(rng() % 128);
    auto first = rng() % 2 == 0 ? 1u : 2u;
    auto title = first == 1 ? "text " : "binary ";
    for (std::string_view rest = payload;;) {
      auto piece = rest.substr(0, rng() % (payload.size() + 1));
      if (rng() % 2 == 0)
        piece = rest;
      rest.remove_prefix(piece.size());
      auto fin = rest.empty() ? 0x80u : 0u;
      result += client_frame(first | fin, piece, rng());
      if (fin != 0)
        break;
      first = 0;
      if (rng() % 4 == 0)
        control();
    }
    expected.push_back(title + payload);
  }
  return result;
}

/// Remembers where views lie, and the parser's memory meanwhile.
struct watcher : ws_handler {
  const ws_parser* parser = nullptr;
  const char* data = nullptr;
  size_t buffered_bytes = 0;

  bool on_message(ws_opcode, std::string_view bytes) override {
    data = bytes.data();
    buffered_bytes = parser->buffered_bytes();
    return true;
  }

  bool on_ping(std::string_view) override {
    return true;
  }

  bool on_pong(std::string_view) override {
    return true;
  }

  bool on_close(uint16_t, std::string_view) override {
    return true;
  }
};

/// Shuts the parser amid a message.
struct shutter : ws_recorder {
  ws_parser* parser = nullptr;
  bool go_on = false;

  bool on_message(ws_opcode kind, std::string_view bytes) override {
    parser->shut();
    // Views stay valid all the same.
    ws_recorder::on_message(kind, bytes);
    return go_on;
  }
};

} // namespace

// -- pieces -------------------------------------------------------------------

CAF_TEST(streams mean the same in any two pieces) {
  for (auto& stream : example_streams()) {
    auto expected = events_of(options, {stream});
    CHECK(!expected.empty());
    std::string_view bytes = stream;
    for (size_t i = 0; i <= bytes.size(); ++i)
      CHECK_EQ(events_of(options, {bytes.substr(0, i), bytes.substr(i)}),
               expected);
  }
}

CAF_TEST(streams mean the same byte by byte and with pauses) {
  for (auto& stream : example_streams()) {
    auto expected = events_of(options, {stream});
    CHECK_EQ(events_of(options, bytewise(stream)), expected);
    for (size_t n = 1; n < 4; ++n) {
      CHECK_EQ(events_of(options, {stream}, n), expected);
      CHECK_EQ(events_of(options, bytewise(stream), n), expected);
    }
  }
}

CAF_TEST(the longest headers may be split anywhere) {
  auto stream = client_frame(0x82, text_of(65536)) + client_frame(0x89, "ping");
  auto expected = lines({"binary " + text_of(65536), "ping ping"});
  std::string_view bytes = stream;
  for (size_t i = 0; i < 16; ++i) {
    CHECK(events_of(options, {bytes.substr(0, i), bytes.substr(i)})
          == expected);
    CHECK(events_of(options, {bytes.substr(0, i), bytes.substr(i, 1),
                              bytes.substr(i + 1)})
          == expected);
  }
}

CAF_TEST(random streams mean what was put into them) {
  std::mt19937 rng{2024};
  for (auto i = 0; i < 500; ++i) {
    lines expected;
    auto stream = random_stream(rng, expected);
    CHECK_EQ(events_of(options, {stream}), expected);
    CHECK_EQ(events_of(options, random_pieces(stream, rng)), expected);
    CHECK_EQ(events_of(options, random_pieces(stream, rng), 1 + rng() % 3),
             expected);
  }
}

// -- pauses -------------------------------------------------------------------

CAF_TEST(a pause keeps what is behind it) {
  ws_parser parser{options};
  ws_recorder recorder;
  recorder.pause_every = 2;
  auto data = client_frame(0x81, "1") + client_frame(0x81, "2")
              + client_frame(0x81, "3") + client_frame(0x81, "4")
              + client_frame(0x81, "5").substr(0, 6);
  auto status = parser.consume(data.data(), data.size(), recorder);
  CHECK(status == ws_status::paused);
  CHECK_EQ(recorder.events, lines({"text 1", "text 2"}));
  CHECK_GT(parser.buffered_bytes(), 0u);
  data.assign(data.size(), '?');
  CHECK(parser.resume(recorder) == ws_status::paused);
  CHECK_EQ(recorder.events.size(), 4u);
  CHECK(parser.resume(recorder) == ws_status::open);
  CHECK(parser.resume(recorder) == ws_status::open);
  CHECK(feed(parser, recorder, client_frame(0x81, "5").substr(6))
        == ws_status::open);
  CHECK_EQ(recorder.events.size(), 5u);
  CHECK_EQ(recorder.events.back(), "text 5");
  CHECK_EQ(parser.buffered_bytes(), 0u);
}

CAF_TEST(what comes amid a pause waits behind what waits already) {
  ws_parser parser{options};
  ws_recorder recorder;
  recorder.pause_every = 1;
  auto data = client_frame(0x81, "1") + client_frame(0x81, "2");
  auto rest = client_frame(0x81, "3") + client_frame(0x81, "4");
  data += rest.substr(0, 5);
  rest.erase(0, 5);
  CHECK(parser.consume(data.data(), data.size(), recorder)
        == ws_status::paused);
  CHECK(parser.consume(rest.data(), rest.size(), recorder)
        == ws_status::paused);
  CHECK_EQ(recorder.events, lines({"text 1"}));
  while (parser.resume(recorder) == ws_status::paused)
    CHECK_LE(recorder.events.size(), 4u);
  CHECK_EQ(recorder.events, lines({"text 1", "text 2", "text 3", "text 4"}));
  CHECK_EQ(parser.buffered_bytes(), 0u);
}

CAF_TEST(a pause at the end of the bytes holds nothing) {
  ws_parser parser{options};
  ws_recorder recorder;
  recorder.pause_every = 1;
  auto data = client_frame(0x81, "1");
  auto status = parser.consume(data.data(), data.size(), recorder);
  CHECK(status == ws_status::paused);
  CHECK_EQ(parser.buffered_bytes(), 0u);
  CHECK(parser.resume(recorder) == ws_status::open);
}

CAF_TEST(a handler may shut the parser) {
  for (auto go_on : {false, true}) {
    ws_parser parser{options};
    shutter handler;
    handler.parser = &parser;
    handler.go_on = go_on;
    auto stream = client_message(0x01, "last", 2) + client_frame(0x81, "late");
    CHECK(feed(parser, handler, stream.substr(0, 9)) == ws_status::open);
    CHECK(feed(parser, handler, stream.substr(9)) == ws_status::closed);
    CHECK_EQ(handler.events, lines({"text last"}));
    CHECK_EQ(parser.buffered_bytes(), 0u);
  }
}

// -- memory -------------------------------------------------------------------

CAF_TEST(a message within the bytes is not copied) {
  ws_parser parser{options};
  watcher handler;
  handler.parser = &parser;
  auto data = client_frame(0x82, text_of(500));
  parser.consume(data.data(), data.size(), handler);
  CHECK(handler.data == data.data() + 8);
  CHECK_EQ(handler.buffered_bytes, 0u);
}

CAF_TEST(a parser at rest holds nothing) {
  ws_parser parser{options};
  ws_recorder recorder;
  auto stream = client_frame(0x81, "one") + client_message(0x02, "two", 1)
                + client_frame(0x89, "three");
  for (auto piece : bytewise(stream))
    feed(parser, recorder, piece);
  CHECK_EQ(recorder.events.size(), 3u);
  CHECK_EQ(parser.buffered_bytes(), 0u);
  // Nor does one that ended with a message half there.
  feed(parser, recorder, client_frame(0x01, "half"));
  CHECK_GT(parser.buffered_bytes(), 0u);
  feed(parser, recorder, client_frame(0x88, ""));
  CHECK(parser.status() == ws_status::closed);
  CHECK_EQ(parser.buffered_bytes(), 0u);
}

CAF_TEST(the word of a header costs nothing) {
  ws_parser parser{options};
  ws_recorder recorder;
  auto frame = client_frame(0x82, text_of(70000));
  feed(parser, recorder, std::string_view{frame}.substr(0, 13));
  CHECK_EQ(parser.buffered_bytes(), 0u);
  feed(parser, recorder, std::string_view{frame}.substr(13, 2));
  CHECK_LE(parser.buffered_bytes(), 16u);
}

CAF_TEST(memory grows with what came and stays below the limit) {
  constexpr size_t size = 70000;
  ws_parser parser{options};
  ws_recorder recorder;
  auto frame = client_frame(0x02, text_of(size));
  std::string_view bytes = frame;
  size_t grown = 0;
  size_t last = 0;
  for (size_t i = 0; i < bytes.size(); i += 100) {
    feed(parser, recorder, bytes.substr(i, 100));
    auto held = parser.buffered_bytes();
    CHECK_LE(held, std::min(2 * (i + 100), size + ws_control_bytes_max));
    grown += held != last ? 1 : 0;
    last = held;
  }
  CHECK_LE(grown, 12u);
  // Room for a control frame in between was part of it.
  auto ping = client_frame(0x89, text_of(125));
  feed(parser, recorder, std::string_view{ping}.substr(0, 50));
  CHECK_LE(parser.buffered_bytes(), size + ws_control_bytes_max);
  feed(parser, recorder, std::string_view{ping}.substr(50));
  feed(parser, recorder, client_frame(0x80, ""));
  CHECK_EQ(recorder.events,
           lines({"ping " + text_of(125), "binary " + text_of(size)}));
  CHECK_EQ(parser.buffered_bytes(), 0u);
}
