#pragma once

#include <string>

#include <callboard/actors/wire_form.hpp>
#include <callboard/net/ws_deflate.hpp>

namespace callboard::net {

/// Puts each frame into a WebSocket message of a server: header, then the frame
/// in its codec, compressed where the form says so. Belongs to one thread.
class ws_framing : public framing {
public:
  /// A shorter message is not worth compressing, in bytes.
  static constexpr size_t deflate_bytes_min = 128;

  void append(wire_form form, const frame_view& x, byte_buffer& out) override;

private:
  void append_deflated(wire_form form, const frame_view& x, byte_buffer& out);

  ws_deflater deflater_;
  byte_buffer plain_;
  std::string deflated_;
};

} // namespace callboard::net
