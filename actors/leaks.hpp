#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <caf/fwd.hpp>
#include <caf/telemetry/counter.hpp>

#include <callboard/actors/publication.hpp>

namespace callboard {

/// What a node can leave behind, as `callboard_leaks_total` counts it.
enum class leak_kind : uint8_t {
  /// Connections past the deadline of their log-in, and sockets past that of
  /// their close.
  stuck_connecting,
  stuck_disconnecting,
  /// A connection's actor whose socket is gone, and a socket whose actor is.
  actor_without_socket,
  socket_without_actor,
  /// Subscriptions of somebody who is gone.
  subscription_without_subscriber,
  /// A place that a limit counts and nobody has.
  place_without_owner,
  /// Connections that the pool does not know, and those that it knows and that
  /// are gone.
  unregistered,
  registered_dead,
  /// A descriptor of the process that nobody accounts for.
  descriptor,
};

inline constexpr size_t leak_kind_count = 9;

/// Returns the name: `actor_without_socket`.
std::string_view to_string(leak_kind x) noexcept;

/// What is known of a connection when something is wrong with it.
struct leak_history {
  /// 0: it is not known, or there is none.
  connection_id connection = 0;
  /// Empty where they are not known.
  std::string address;
  std::string user;
  std::string_view state = "unknown";
  /// Loop times in milliseconds at which it was opened, was connected and began
  /// to close; 0: it is not known, or it did not.
  int64_t opened_ms = 0;
  int64_t connected_ms = 0;
  int64_t closing_ms = 0;
};

/// A leak that two audits in a row have seen.
struct leak_report {
  leak_kind kind;
  leak_history who;
  /// Loop time in milliseconds.
  int64_t now_ms = 0;
  /// For how long it has been past its deadline; 0: it had none.
  int64_t overdue_ms = 0;
  /// How many are told of at once, from 1.
  uint64_t count = 1;
};

/// How many leaks were found, and how many of them were reclaimed. One set for
/// all loops: these numbers seldom change.
struct leak_metrics {
  std::array<caf::telemetry::int_counter*, leak_kind_count> found;
  std::array<caf::telemetry::int_counter*, leak_kind_count> reclaimed;

  [[nodiscard]] caf::telemetry::int_counter*
  found_of(leak_kind x) const noexcept {
    return found[static_cast<size_t>(x)];
  }

  [[nodiscard]] caf::telemetry::int_counter*
  reclaimed_of(leak_kind x) const noexcept {
    return reclaimed[static_cast<size_t>(x)];
  }
};

/// Returns the metrics, made on first use.
leak_metrics make_leak_metrics(caf::telemetry::metric_registry& registry);

} // namespace callboard
