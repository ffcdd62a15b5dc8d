#pragma once

#include <cstddef>
#include <cstdint>

#include <callboard/messages/byte_buffer.hpp>
#include <callboard/messages/codec.hpp>
#include <callboard/messages/frame.hpp>

namespace callboard {

/// How frames look to one receiver: its codec, and whether messages to it are
/// compressed. Receivers of one form get the same bytes.
enum class wire_form : uint8_t {
  msgpack = 0,
  json = 1,
  msgpack_deflate = 2,
  json_deflate = 3,
};

/// Number of values in `wire_form`.
inline constexpr size_t wire_form_count = 4;

constexpr wire_form make_wire_form(codec encoding, bool deflate) noexcept {
  return static_cast<wire_form>(static_cast<int>(encoding) + 2 * deflate);
}

constexpr codec codec_of(wire_form x) noexcept {
  return static_cast<codec>(static_cast<int>(x) & 1);
}

constexpr bool is_deflated(wire_form x) noexcept {
  return static_cast<int>(x) >= 2;
}

/// Puts frames into messages of the transport. One instance serves a loop.
class framing {
public:
  virtual ~framing() = default;

  /// Appends `x` as one whole message of the transport.
  virtual void append(wire_form form, const frame_view& x, byte_buffer& out)
    = 0;
};

} // namespace callboard
