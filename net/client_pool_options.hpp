#pragma once

#include <cstddef>
#include <string>

#include <caf/timespan.hpp>

#include <callboard/actors/action_options.hpp>
#include <callboard/net/client_pool_sizer.hpp>

namespace callboard::net {

/// Returns when a target counts as unavailable: half of at least four tries to
/// connect failed; it is then left alone for 1 s, or longer each time up to a
/// minute, until one try succeeds.
circuit_options standard_pool_circuit() noexcept;

/// What a pool of connections to one target is started with.
struct client_pool_options {
  /// Its name in metrics and logs; none of a client's. Pools of one name share
  /// their metrics.
  std::string name = "default";
  /// Connections that are kept ready beyond those borrowed, 0 … `idle_max`.
  size_t idle_min = 1;
  /// Connections that may be left unused, at least 1. More than these are
  /// closed by the next `tick`.
  size_t idle_max = 16;
  /// Connections at all, `idle_max` … 4096.
  size_t total_max = 16;
  /// How long a borrower waits where it does not say, 0 … 5 min; 0: not at all.
  caf::timespan wait_max = std::chrono::seconds{1};
  /// Borrowers that may wait at once, 0 … 1,000,000.
  size_t waiters_max = 1000;
  /// Connections that are opened at once without anybody waiting for them,
  /// 1 … 64: the pace of the warm-up.
  size_t openings_max = 2;
  /// Time for one to become ready, 1 ms … 5 min.
  caf::timespan open_timeout = std::chrono::seconds{15};
  /// How often an unused one is asked for a sign of life, 0 … 1 h; 0: never.
  caf::timespan ping_interval = std::chrono::seconds{15};
  /// Time for that sign, 1 ms … 5 min.
  caf::timespan ping_timeout = std::chrono::seconds{5};
  /// How long a lease may be held before it counts as leaked, 0 … 24 h; 0: for
  /// ever.
  caf::timespan lease_max = std::chrono::seconds{30};
  /// Whether a leaked lease loses its connection.
  bool reclaim = false;
  /// How long one may be unused before it is closed, if there are more than
  /// `idle_min`, 0 … 24 h; 0: for ever.
  caf::timespan idle_time = std::chrono::minutes{5};
  /// How old one may become, 0 … 7 days; 0: as old as it gets. A borrowed one
  /// is closed when it comes back.
  caf::timespan lifetime = std::chrono::hours{1};
  /// Share of `lifetime` by which it is shortened at random, 0 … 1, so that
  /// connections made together do not end together.
  double lifetime_jitter = 0.1;
  /// When no connection is tried after failures.
  circuit_options circuit = standard_pool_circuit();
  /// Whether the number of connections follows the load, within `idle_min` (at
  /// least 1) … `total_max`, by `sizer`.
  bool sized_by_load = false;
  pool_sizer_options sizer;
};

/// Returns what is wrong with `x`, as a sentence; empty: nothing.
[[nodiscard]] std::string check(const client_pool_options& x);

} // namespace callboard::net
