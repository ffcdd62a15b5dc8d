#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <callboard/actors/authority.hpp>
#include <callboard/actors/publication.hpp>

namespace callboard {

/// Where a connection is in its life; it only goes forward.
enum class connection_state : uint8_t {
  /// The WebSocket is open; who is there is not known yet.
  connecting,
  connected,
  /// A close frame is on its way, or the peer is gone.
  disconnecting,
  disconnected,
};

std::string_view to_string(connection_state x) noexcept;

/// What the handshake found out about a connection.
struct connection_setup {
  connection_id id = 0;
  identity who;
  /// Whether a `connect` frame with a token has to come first.
  bool must_authenticate = false;
  /// The client's IP address.
  std::string address;
};

} // namespace callboard
