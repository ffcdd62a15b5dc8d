#pragma once

#include <cstdint>
#include <string_view>

namespace callboard::net {

/// Why bytes that were received end a WebSocket connection.
enum class ws_error : uint8_t {
  /// Nothing is wrong.
  none,
  /// A reserved bit is set that no negotiated extension defines here (5.2).
  reserved_bit,
  /// One of the opcodes 3 ... 7 and 11 ... 15 (5.2).
  reserved_opcode,
  /// A control frame without FIN (5.5).
  fragmented_control,
  /// A control frame of more than 125 bytes (5.5).
  long_control,
  /// A continuation without a message to continue (5.4).
  stray_continuation,
  /// A new message before the last fragment of the previous one (5.4).
  unfinished_message,
  /// A client's frame that is not masked (5.1).
  unmasked,
  /// A server's frame that is masked (5.1).
  masked,
  /// A length in more bytes than it needs, or above 2^63 - 1 (5.2).
  bad_length,
  /// A close frame of one byte (5.5.1).
  bad_close_body,
  /// A close frame with a code that must not be sent (7.4).
  bad_close_code,
  /// Text that is not UTF-8 (8.1).
  bad_text,
  /// A close frame's reason that is not UTF-8 (5.5.1).
  bad_close_reason,
  /// A compressed message that cannot be inflated (RFC 7692, 7.2.2).
  bad_deflate,
  /// A message with more bytes than the receiver takes.
  message_too_big,
  /// A message in more empty fragments than the receiver takes.
  too_many_fragments,
};

/// Returns the close code to answer with; 1000 for `ws_error::none`.
uint16_t close_code(ws_error error) noexcept;

/// Returns a sentence of at most 123 bytes for the close frame, which stays
/// valid for ever; empty for `ws_error::none`.
std::string_view close_reason(ws_error error) noexcept;

/// Returns the enumerator's name, for logs and metrics.
std::string_view to_string(ws_error error) noexcept;

} // namespace callboard::net
