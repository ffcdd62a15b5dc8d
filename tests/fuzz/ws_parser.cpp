// Hands the same bytes to our parser, in several cuts, and to Beast's stream,
// and compares what they deliver and how they end.
//
// The first byte of the input chooses the options and the cuts, the rest is
// what a client sends behind its handshake.
//
// Beast 1.74 differs from us, and mostly from the RFCs, in these places:
//
// - RFC 6455, 5.2: a length with its top bit set is too big to it, not a
//   protocol error. It judges a header only when all of it is there.
// - RFC 6455, 8.1: it takes a text message that ends within a character if its
//   last frame is empty.
// - RFC 6455, 7.4.2: it takes close codes from 5000 on; 7.4.1: it does not know
//   1014, which was registered later.
// - RFC 6455, 5.4: it does not bound empty fragments, nor what a compressed
//   message has on the wire (both are limits of ours).
// - RFC 7692, 7.2.2: it delivers compressed messages that were cut short, and
//   inflates a message as it comes, so it may fail (by its content or size)
//   before its last frame or the control frames in between.
// - RFC 7692, 7.1.1.2 and 7.2.2: it clears no context between messages, so it
//   takes references to earlier ones, and a compressed message of no bytes at
//   all (which has half a block's header once its tail is back) spoils the
//   next.
// - RFC 7692, 7.2.3.4: it takes nothing behind a final block.
//
// Its error for a close reason that is not UTF-8 has no code of its own; it
// answers 1002. Here it counts as 1007, which is ours.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/net/boost/websocket.hpp>

#include <boost/beast/_experimental/test/stream.hpp>

#include <callboard/net/ws_deflate.hpp>
#include <callboard/net/ws_parser.hpp>

#include "support/ws_stream.hpp"

namespace {

using namespace callboard::net;

using test_stream = boost::beast::test::stream;

/// What a receiver made of the bytes.
struct outcome {
  std::vector<std::string> events;

  /// The code that it fails with; 0 if it does not.
  uint16_t failure = 0;

  /// Whether a close frame ended it.
  bool closed = false;

  bool operator==(const outcome&) const = default;
};

struct settings {
  bool deflate;
  ws_parser_options parser;

  explicit settings(uint8_t byte, ws_inflater* inflater)
    : deflate((byte & 1) != 0) {
    parser.message_bytes_max = (byte & 2) != 0 ? 40 : 100'000;
    parser.inflater = deflate ? inflater : nullptr;
    // Beast has no such limit; no input is long enough for this one.
    parser.empty_fragments_max = 65535;
  }
};

// -- ours ---------------------------------------------------------------------

/// Cuts the bytes into pieces of 1 ... `piece_bytes_max`; 0: one piece.
outcome parse(const settings& chosen, std::string_view bytes,
              size_t piece_bytes_max, size_t pause_every,
              ws_error* error = nullptr) {
  ws_parser parser{chosen.parser};
  ws_recorder recorder;
  recorder.pause_every = pause_every;
  auto seed = bytes.size();
  while (!bytes.empty()) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    auto size = bytes.size();
    if (piece_bytes_max > 0)
      size = std::min(size, 1 + (seed >> 33) % piece_bytes_max);
    feed(parser, recorder, bytes.substr(0, size));
    bytes.remove_prefix(size);
  }
  if (error)
    *error = parser.error();
  outcome result;
  result.events = std::move(recorder.events);
  result.closed = parser.status() == ws_status::closed;
  if (parser.status() == ws_status::failed)
    result.failure = close_code(parser.error());
  return result;
}

// -- Beast's ------------------------------------------------------------------

uint16_t failure_of(const error_code& ec) {
  using websocket::error;
  if (ec == error::message_too_big || ec == error::buffer_overflow)
    return ws_close::message_too_big;
  if (ec == error::bad_frame_payload || ec == error::partial_deflate_block
      || ec.category() == make_error_code(beast::zlib::error{}).category())
    return ws_close::invalid_payload;
  if (ec == error::bad_close_payload)
    return ws_close::invalid_payload;
  if (ec == websocket::condition::protocol_violation)
    return ws_close::protocol_error;
  return 0;
}

void accept_client(websocket::stream<test_stream>& stream, bool deflate) {
  http::request<http::empty_body> request{http::verb::get, "/", 11};
  request.set(http::field::host, "localhost");
  request.set(http::field::upgrade, "websocket");
  request.set(http::field::connection, "upgrade");
  request.set(http::field::sec_websocket_version, "13");
  request.set(http::field::sec_websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
  if (deflate) {
    request.set(http::field::sec_websocket_extensions,
                "permessage-deflate; client_no_context_takeover");
    websocket::permessage_deflate option;
    option.server_enable = true;
    option.client_no_context_takeover = true;
    stream.set_option(option);
  }
  stream.accept(request);
}

outcome parse_with_beast(const settings& chosen, std::string_view bytes,
                         error_code& ec) {
  // Nothing here is asynchronous, so one serves all.
  static asio::io_context context;
  test_stream client{context};
  websocket::stream<test_stream> stream{context};
  stream.next_layer().connect(client);
  accept_client(stream, chosen.deflate);
  stream.read_message_max(chosen.parser.message_bytes_max);
  outcome result;
  stream.control_callback(
    [&](websocket::frame_type kind, beast::string_view bytes) {
      std::string payload{bytes.data(), bytes.size()};
      if (kind == websocket::frame_type::ping)
        result.events.push_back("ping " + payload);
      else if (kind == websocket::frame_type::pong)
        result.events.push_back("pong " + payload);
      else {
        auto code = stream.reason().code;
        result.events.push_back(
          "close "
          + std::to_string(code == websocket::close_code::none ? 1005 : +code)
          + ' ' + payload);
      }
    });
  stream.next_layer().append({bytes.data(), bytes.size()});
  client.close();
  for (;;) {
    beast::flat_buffer message;
    stream.read(message, ec);
    if (ec) {
      result.closed = ec == websocket::error::closed;
      result.failure = failure_of(ec);
      return result;
    }
    std::string payload = beast::buffers_to_string(message.data());
    result.events.push_back((stream.got_text() ? "text " : "binary ")
                            + payload);
  }
}

// -- comparison ---------------------------------------------------------------

void print(const char* title, const outcome& what) {
  std::fprintf(stderr, "%s: failure %d, closed %d\n", title, what.failure,
               what.closed);
  for (auto& event : what.events)
    std::fprintf(stderr, "  %.60s (%zu bytes)\n", event.c_str(), event.size());
}

[[noreturn]] void differ(const char* why, const outcome& x, const outcome& y) {
  std::fprintf(stderr, "%s\n", why);
  print("one", x);
  print("other", y);
  std::abort();
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

bool is_message(std::string_view event) {
  return begins_with(event, "text ") || begins_with(event, "binary ");
}

bool is_empty_message(std::string_view event) {
  return event == "text " || event == "binary ";
}

/// Returns whether Beast failed at a message's content, maybe before its end.
bool fails_early(const outcome& beasts) {
  return beasts.failure == ws_close::invalid_payload
         || beasts.failure == ws_close::message_too_big;
}

/// Returns whether the two differ as the top of this file says.
bool is_known(const settings& chosen, const outcome& ours, ws_error error,
              const outcome& beasts, const error_code& ec) {
  using beast_error = websocket::error;
  auto& x = ours.events;
  auto& y = beasts.events;
  auto shared = std::min(x.size(), y.size());
  if (chosen.deflate) {
    // Beast's inflater may be out of step from here on.
    auto empty = std::find_if(x.begin(), x.end(), is_empty_message);
    if (empty != x.end())
      return std::equal(x.begin(), std::min(empty, x.begin() + shared),
                        y.begin());
  }
  if (!std::equal(x.begin(), x.begin() + shared, y.begin()))
    return false;
  auto same = x.size() == y.size();
  auto beast_goes_on = y.size() > x.size();
  // Close frames. Who takes the code looks at the reason.
  if (error == ws_error::bad_close_code
      && ((same && ec == beast_error::bad_close_payload)
          || (beast_goes_on && beasts.closed
              && std::stoul(y.back().substr(6)) >= 5000)))
    return true;
  if (ec == beast_error::bad_close_code
      && ((same && error == ws_error::bad_close_reason)
          || (ours.closed && begins_with(x.back(), "close 1014 "))))
    return true;
  // Lengths and text.
  if (error == ws_error::bad_length && same
      && beasts.failure == ws_close::message_too_big)
    return true;
  if (error == ws_error::bad_text && beast_goes_on
      && begins_with(y[shared], "text ") && !is_utf8(y[shared]))
    return true;
  // Compressed messages.
  if (!chosen.deflate)
    return false;
  if (error == ws_error::message_too_big || error == ws_error::bad_length)
    return true;
  if (error == ws_error::bad_deflate && beast_goes_on)
    return is_message(y[shared]);
  return fails_early(beasts)
         && (ec == beast::zlib::error::end_of_stream
             || std::none_of(x.begin() + shared, x.end(), is_message));
}

void compare_with_beast(const settings& chosen, std::string_view bytes,
                        const outcome& ours, ws_error error) {
  // What we fail at before a header is whole, Beast fails at once it is.
  std::string padded{bytes};
  if (ours.failure != 0)
    padded.append(ws_header_bytes_max, '\0');
  error_code ec;
  auto beasts = parse_with_beast(chosen, padded, ec);
  if (ours == beasts || is_known(chosen, ours, error, beasts, ec))
    return;
  std::fprintf(stderr, "our error: %s; Beast's: %s\n", to_string(error).data(),
               ec.message().c_str());
  differ("Beast differs", ours, beasts);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0)
    return 0;
  static ws_inflater inflater;
  settings chosen{data[0], &inflater};
  std::string_view bytes{reinterpret_cast<const char*>(data + 1), size - 1};
  auto error = ws_error::none;
  auto whole = parse(chosen, bytes, 0, 0, &error);
  size_t sizes[] = {1, 2, 7, 50};
  auto pieces = parse(chosen, bytes, sizes[(data[0] >> 2) & 3],
                      (data[0] >> 4) & 3);
  if (whole != pieces)
    differ("the cuts matter", whole, pieces);
  compare_with_beast(chosen, bytes, whole, error);
  return 0;
}
