#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace callboard {

/// The two encodings of a frame and of its payload.
enum class codec : uint8_t {
  /// `callboard.v1.msgpack`, binary WebSocket messages.
  msgpack = 0,
  /// `callboard.v1.json`, text WebSocket messages.
  json = 1,
};

/// Number of values in `codec`, for tables with a slot for each.
inline constexpr size_t codec_count = 2;

/// Returns the WebSocket subprotocol of `x`.
constexpr std::string_view subprotocol(codec x) noexcept {
  return x == codec::msgpack ? "callboard.v1.msgpack" : "callboard.v1.json";
}

} // namespace callboard
