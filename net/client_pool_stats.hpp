#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <callboard/actors/circuit_breaker.hpp>

namespace callboard::net {

/// Why a pool has closed a connection.
enum class close_cause : uint8_t {
  /// It was lost, did not answer a ping, or its borrower said that it is.
  broken,
  /// It was unused for too long.
  idle,
  /// More were unused than may be, or than the load asks for.
  surplus,
  /// It was old.
  lifetime,
  /// Its lease was held too long.
  reclaimed,
};

inline constexpr size_t close_cause_count = 5;

/// Returns the cause's name, as in metrics.
std::string_view to_string(close_cause x) noexcept;

/// What a pool has, and what it has done since it was made.
struct client_pool_stats {
  size_t total = 0;
  size_t idle = 0;
  size_t leased = 0;
  size_t opening = 0;
  /// Borrowers that wait.
  size_t waiting = 0;
  /// Connections that the load asks for; 0 where the size does not follow it.
  size_t wanted = 0;
  circuit_state circuit = circuit_state::closed;
  uint64_t borrows = 0;
  /// Borrowers that had to wait.
  uint64_t waits = 0;
  /// Those that were told `pool_exhausted` and `target_unavailable`.
  uint64_t exhausted = 0;
  uint64_t unavailable = 0;
  /// Connections that became ready, and those that did not.
  uint64_t opened = 0;
  uint64_t open_failures = 0;
  /// Connections closed, by `close_cause`.
  std::array<uint64_t, close_cause_count> closed{};
  /// Pings without a sign of life.
  uint64_t ping_failures = 0;
  /// Leases held for too long.
  uint64_t leaks = 0;
  /// How often the circuit has opened.
  uint64_t circuit_openings = 0;

  [[nodiscard]] uint64_t closed_by(close_cause x) const noexcept {
    return closed[static_cast<size_t>(x)];
  }
};

} // namespace callboard::net
