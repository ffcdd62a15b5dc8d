#pragma once

// Makes WebSocket byte streams and writes down what a parser finds in them.

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/net/ws_handler.hpp>
#include <callboard/net/ws_parser.hpp>

namespace callboard::net {

/// The masking key of RFC 6455's examples, as it lies in memory.
inline uint32_t rfc_mask_key() {
  uint32_t result;
  std::memcpy(&result, "\x37\xfa\x21\x3d", sizeof(result));
  return result;
}

/// Returns a client's frame.
/// @param first its first byte, as wrong as a test wants it.
inline std::string client_frame(unsigned first, std::string_view payload,
                                uint32_t key = rfc_mask_key()) {
  char header[ws_header_bytes_max];
  auto end = write_ws_masked_header(header, ws_opcode::binary, payload.size(),
                                    key);
  header[0] = static_cast<char>(first);
  std::string result{header, end};
  auto start = result.size();
  result += payload;
  ws_mask(result.data() + start, payload.size(), key);
  return result;
}

/// Returns a message in frames of at most `fragment_bytes` each.
inline std::string client_message(unsigned first, std::string_view payload,
                                  size_t fragment_bytes) {
  std::string result;
  for (;;) {
    auto piece = payload.substr(0, fragment_bytes);
    payload.remove_prefix(piece.size());
    auto fin = payload.empty() ? 0x80u : 0u;
    result += client_frame(first | fin, piece);
    if (fin != 0)
      return result;
    first = 0;
  }
}

/// Returns the payload of a close frame with any code.
inline std::string close_body(unsigned code, std::string_view reason = {}) {
  std::string result{static_cast<char>(code >> 8), static_cast<char>(code)};
  return result += reason;
}

/// Writes down each callback as a line.
class ws_recorder : public ws_handler {
public:
  std::vector<std::string> events;

  /// Pauses after every n-th event; 0: never.
  size_t pause_every = 0;

  bool on_message(ws_opcode kind, std::string_view bytes) override {
    return add(kind == ws_opcode::text ? "text " : "binary ", bytes);
  }

  bool on_ping(std::string_view bytes) override {
    return add("ping ", bytes);
  }

  bool on_pong(std::string_view bytes) override {
    return add("pong ", bytes);
  }

  bool on_close(uint16_t code, std::string_view reason) override {
    return add("close " + std::to_string(code) + ' ', reason);
  }

private:
  bool add(std::string line, std::string_view bytes) {
    events.emplace_back(std::move(line)) += bytes;
    return pause_every == 0 || events.size() % pause_every != 0;
  }
};

/// Hands `bytes` to a parser, from memory of exactly this size, and resumes it
/// for as long as it is paused.
inline ws_status feed(ws_parser& parser, ws_handler& handler,
                      std::string_view bytes) {
  std::vector<char> data{bytes.begin(), bytes.end()};
  data.shrink_to_fit();
  auto status = parser.consume(data.data(), data.size(), handler);
  std::vector<char>{}.swap(data);
  while (status == ws_status::paused)
    status = parser.resume(handler);
  return status;
}

/// Returns the events of a stream that comes in these pieces, and behind them
/// the error, if one ended it.
inline std::vector<std::string>
events_of(const ws_parser_options& options,
          const std::vector<std::string_view>& pieces, size_t pause_every = 0) {
  ws_parser parser{options};
  ws_recorder recorder;
  recorder.pause_every = pause_every;
  for (auto piece : pieces)
    feed(parser, recorder, piece);
  if (parser.status() == ws_status::failed)
    recorder.events.emplace_back(to_string(parser.error()));
  return std::move(recorder.events);
}

} // namespace callboard::net
