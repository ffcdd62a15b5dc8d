#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace callboard {

/// The limits that a client meets, as `callboard_refusals_total` counts them.
enum class limit_kind : uint8_t {
  /// WebSockets of the node, and of one address.
  connections,
  address_connections,
  /// HTTP sessions of one address.
  address_sessions,
  /// Handshakes a second of the node, and of one address.
  handshakes,
  address_handshakes,
  /// Connections of one user, and of one tenant.
  user_connections,
  tenant_connections,
  /// Frames and bytes a second of one connection.
  frames,
  bytes,
  /// Publications a second of one user.
  publishes,
  /// Connections that were closed because they went far beyond a rate.
  flood,
  /// Log-ins whose names cannot be told from full ones, or fit into none, where
  /// tenants are isolated.
  tenant_name,
  /// Handshakes that wait for a place.
  accept_queue,
  /// What is shed because of a loop's load, by its stages.
  load_connections,
  load_logins,
  load_publishes,
  load_requests,
};

inline constexpr size_t limit_kind_count = 17;

/// Returns the name: `address_connections`.
std::string_view to_string(limit_kind x) noexcept;

/// A limit that somebody has met.
struct limit_hit {
  limit_kind what = limit_kind::connections;
  /// When trying again can help, in milliseconds from now; 0: not known.
  int64_t wait_ms = 0;
};

} // namespace callboard
