#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace callboard::net {

/// What a frame carries (RFC 6455, 5.2). The other ten values are reserved.
enum class ws_opcode : uint8_t {
  /// The next fragment of a message.
  continuation = 0x0,
  /// A message of UTF-8 text, or its first fragment.
  text = 0x1,
  /// A message of bytes, or its first fragment.
  binary = 0x2,
  /// The last frame that its sender sends.
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

/// Returns whether frames of this kind may stand between the fragments of a
/// message. They are never fragmented and hold at most 125 bytes.
constexpr bool is_control(ws_opcode opcode) noexcept {
  return (static_cast<uint8_t>(opcode) & 0x8) != 0;
}

/// The close codes of RFC 6455, 7.4.1, that this library sends or reports.
namespace ws_close {

constexpr uint16_t normal = 1000;
constexpr uint16_t going_away = 1001;
constexpr uint16_t protocol_error = 1002;
constexpr uint16_t unsupported_data = 1003;
/// Stands for a close frame without a code; never on the wire.
constexpr uint16_t no_status = 1005;
constexpr uint16_t invalid_payload = 1007;
constexpr uint16_t policy_violation = 1008;
constexpr uint16_t message_too_big = 1009;
constexpr uint16_t internal_error = 1011;

} // namespace ws_close

/// Returns whether a close frame may carry this code: one of RFC 6455, 7.4.1
/// and its registry (1000 ... 1014 without 1004, 1005, 1006), or one for
/// libraries and applications (3000 ... 4999).
constexpr bool is_sendable_close_code(uint16_t code) noexcept {
  if (code < 3000)
    return code >= 1000 && code <= 1014 && (code < 1004 || code > 1006);
  return code < 5000;
}

/// The most bytes that a control frame may hold (RFC 6455, 5.5).
constexpr size_t ws_control_bytes_max = 125;

/// The most bytes that a frame's header can have, masking key included.
constexpr size_t ws_header_bytes_max = 14;

/// Returns the size of the header of an unmasked frame: 2, 4 or 10 bytes.
constexpr size_t ws_header_size(size_t payload_bytes) noexcept {
  return payload_bytes < 126 ? 2 : payload_bytes <= 0xFFFF ? 4 : 10;
}

/// Returns the size of the header of a masked frame: 6, 8 or 14 bytes.
constexpr size_t ws_masked_header_size(size_t payload_bytes) noexcept {
  return ws_header_size(payload_bytes) + 4;
}

/// Writes the header of a server's frame, which is unmasked.
/// @param out room for `ws_header_size(payload_bytes)` bytes.
/// @param rsv1 whether the message is compressed (RFC 7692, 6.1); only on its
///             first frame.
/// @returns the byte behind the header.
char* write_ws_header(char* out, ws_opcode opcode, size_t payload_bytes,
                      bool fin = true, bool rsv1 = false) noexcept;

/// Writes the header of a client's frame, whose payload must then go through
/// `ws_mask` with the same key.
/// @param out room for `ws_masked_header_size(payload_bytes)` bytes.
/// @param key the four bytes of the masking key as they lie in memory.
/// @returns the byte behind the header.
char* write_ws_masked_header(char* out, ws_opcode opcode, size_t payload_bytes,
                             uint32_t key, bool fin = true,
                             bool rsv1 = false) noexcept;

/// Writes the payload of a close frame.
/// @param out room for `ws_control_bytes_max` bytes.
/// @param code `ws_close::no_status` for an empty payload.
/// @param reason UTF-8; cut to 123 bytes at a character's border.
/// @returns the byte behind the payload.
char* write_ws_close_body(char* out, uint16_t code,
                          std::string_view reason) noexcept;

/// Masks or unmasks in place (RFC 6455, 5.3). `data` needs no alignment.
/// @param key the four bytes of the masking key as they lie in memory, the
///            first one belonging to `data[0]`.
void ws_mask(char* data, size_t size, uint32_t key) noexcept;

/// Returns the key for what follows `size` bytes masked with `key`.
uint32_t advance_ws_mask(uint32_t key, size_t size) noexcept;

} // namespace callboard::net
