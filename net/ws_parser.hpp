#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <callboard/net/utf8.hpp>
#include <callboard/net/ws_error.hpp>
#include <callboard/net/ws_frame.hpp>
#include <callboard/net/ws_handler.hpp>

namespace callboard::net {

class ws_inflater;

/// What parsers share: one object for all connections of a loop that were
/// negotiated alike. It must outlive them and not change meanwhile.
struct ws_parser_options {
  /// Whether the peer is a client, whose frames are masked.
  bool peer_is_client = true;

  /// The most bytes of a message, fragments put together and inflated;
  /// 0 ... 2^30. A longer one fails with `ws_error::message_too_big`, as soon
  /// as a header announces it.
  uint32_t message_bytes_max = 64 * 1024;

  /// The most empty fragments of a message; others are bounded by their bytes.
  uint16_t empty_fragments_max = 128;

  /// Inflates messages where permessage-deflate was negotiated; null elsewhere.
  /// Without context takeover all parsers of a thread may share it.
  ws_inflater* inflater = nullptr;
};

/// Says what a parser wants next.
enum class ws_status : uint8_t {
  /// More bytes.
  open,
  /// `resume`: the handler paused it.
  paused,
  /// Nothing: a close frame came, or `shut` was called.
  closed,
  /// Nothing: the peer broke the protocol, see `ws_parser::error`.
  failed,
};

/// Parses one side's WebSocket frames after the handshake: all of RFC 6455 for
/// a receiver, and RFC 7692 given an inflater. Does no I/O and knows no clock.
///
/// A message that lies within the bytes handed over is unmasked there and never
/// copied. Only what is incomplete is kept, in one allocation that grows with
/// the bytes that came, never on the word of a header, up to the message limit;
/// it is freed when the message is complete. At rest a parser holds no memory
/// besides itself. Belongs to one thread at a time.
class ws_parser {
public:
  /// Makes a parser that keeps a reference to `options`.
  explicit ws_parser(const ws_parser_options& options) noexcept;

  ws_parser(const ws_parser&) = delete;

  ws_parser& operator=(const ws_parser&) = delete;

  ~ws_parser();

  /// Parses received bytes and calls `handler` for all that is complete. Takes
  /// all of them: what is behind a pause is copied, and what is behind the end
  /// (closed, failed) is dropped. A parser that is paused already only copies,
  /// so that it is the caller who bounds how much.
  /// @param data is written to; free again when the call returns.
  ws_status consume(char* data, size_t size, ws_handler& handler);

  /// Goes on with what was kept when the handler paused.
  /// @returns `ws_status::paused` if it did so again; unless paused, does
  ///          nothing and returns the status.
  ws_status resume(ws_handler& handler);

  /// Ends parsing: nothing more is delivered. May be called by the handler.
  void shut() noexcept;

  ws_status status() const noexcept {
    return status_;
  }

  /// Returns what the peer broke; `ws_error::none` unless failed.
  ws_error error() const noexcept {
    return error_;
  }

  /// Returns the bytes of memory held for what is incomplete or behind a pause.
  size_t buffered_bytes() const noexcept;

private:
  struct frame_header;
  struct paused_bytes;

  char* parse(char* pos, char* end, ws_handler& handler);
  char* short_message(char* pos, char* end, ws_handler& handler);
  char* next_header(char* pos, char* end, ws_handler& handler);
  char* rest_of_header(char* pos, char* end, ws_handler& handler);
  char* begin_frame(const frame_header& header, char* pos, char* end,
                    ws_handler& handler);
  char* rest_of_payload(char* pos, char* end, ws_handler& handler);
  void end_frame(ws_handler& handler);

  size_t read_header(const char* pos, size_t size, frame_header& header);
  ws_error check_opening(unsigned first, unsigned second) const noexcept;
  bool keep_payload(const char* data, size_t size);
  void deliver_message(std::string_view bytes, uint8_t first,
                       ws_handler& handler);
  void deliver_control(std::string_view bytes, ws_handler& handler);
  void deliver_close(std::string_view bytes, ws_handler& handler);

  uint64_t wire_bytes_max(bool compressed) const noexcept;
  void reserve(size_t size);
  void release() noexcept;
  void went_on(bool go_on) noexcept;
  void fail(ws_error error) noexcept;

  const ws_parser_options* options_;

  // The fragments so far of an incomplete message and, behind them, the bytes
  // so far of an incomplete control frame; all unmasked.
  char* buffer_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;

  // What the handler has not seen because it paused; null if nothing.
  std::unique_ptr<paused_bytes> paused_;

  // Bytes that are missing to the current frame; 0 between frames.
  uint32_t missing_bytes_ = 0;

  // The masking key, turned so that it fits the next byte; 0 if unmasked.
  uint32_t mask_key_ = 0;

  // Empty fragments of the current message.
  uint16_t empty_fragments_ = 0;

  // The first byte of the current frame (FIN, RSV1, opcode), and of the current
  // message's first frame; the latter 0 between messages.
  uint8_t frame_ = 0;
  uint8_t message_ = 0;

  // Bytes of the current frame if it is a control frame.
  uint8_t control_bytes_ = 0;

  ws_status status_ = ws_status::open;
  ws_error error_ = ws_error::none;

  // Checks uncompressed text as it comes; complete between messages.
  utf8_checker text_;

  // The bytes so far of an incomplete header.
  uint8_t header_bytes_ = 0;
  char header_[ws_header_bytes_max - 1];
};

static_assert(sizeof(ws_parser) <= 64);

} // namespace callboard::net
