#pragma once

#include <cstdint>
#include <string_view>

#include <callboard/net/ws_frame.hpp>

namespace callboard::net {

/// Takes what a `ws_parser` finds. Views are valid until the call returns.
///
/// Every function returns whether the parser shall go on: false pauses it
/// behind the frame, with what follows kept for `ws_parser::resume`. None may
/// throw, destroy the parser or hand it more bytes; all may call its `shut`.
class ws_handler {
public:
  /// Takes a whole message.
  /// @param kind `ws_opcode::text` (then it is valid UTF-8) or
  ///             `ws_opcode::binary`.
  /// @param bytes 0 ... `ws_parser_options::message_bytes_max` bytes.
  virtual bool on_message(ws_opcode kind, std::string_view bytes) = 0;

  /// Takes a ping of 0 ... 125 bytes, to be answered with the same bytes.
  virtual bool on_ping(std::string_view bytes) = 0;

  /// Takes a pong of 0 ... 125 bytes.
  virtual bool on_pong(std::string_view bytes) = 0;

  /// Takes the close frame. Nothing follows, whatever is returned.
  /// @param code `ws_close::no_status` if the frame was empty.
  /// @param reason 0 ... 123 bytes of UTF-8.
  virtual bool on_close(uint16_t code, std::string_view reason) = 0;

protected:
  ~ws_handler() = default;
};

} // namespace callboard::net
