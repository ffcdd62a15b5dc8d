#pragma once

#include <cstddef>
#include <string>

namespace callboard::net {

/// Returns the share of arrivals that find all servers of an M/M/c/c queue
/// taken (Erlang's formula B), by its recurrence, whose terms stay in 0 … 1.
/// @param servers c, from 0.
/// @param erlangs offered load: arrival rate times mean service time, from 0.
[[nodiscard]] double erlang_b(size_t servers, double erlangs) noexcept;

/// Returns the share of arrivals that have to wait in an M/M/c queue (Erlang's
/// formula C); 1 where the load is that of all servers, or more.
[[nodiscard]] double erlang_c(size_t servers, double erlangs) noexcept;

/// Returns the mean service time that goes with the 99th percentile of one:
/// M/M/c takes service times to be exponential, whose 99th percentile is
/// ln 100 (4.6) times the mean.
/// @param p99_s seconds, from 0.
[[nodiscard]] double mean_of_p99(double p99_s) noexcept;

/// What a pool has to bear, and within which bounds.
struct pool_load {
  /// Borrows a second, 0 … 1e9.
  double rate = 0;
  /// Mean time that a connection is borrowed for, in seconds, more than 0.
  double service_s = 0;
  /// Share of the time that a connection may be borrowed, 0.01 … 0.99.
  double utilisation_max = 0.85;
  /// Bound of the 99th percentile of the wait for a connection, in seconds; 0:
  /// only the utilisation counts.
  double wait_p99_max_s = 0;
  /// Processor time of a borrow on this machine, in seconds; 0: next to none.
  double cpu_s = 0;
  /// Cores that it has, at least 1.
  size_t cores = 1;
  /// Bounds of the answer, 1 … `pool_size_max`.
  size_t size_min = 1;
  size_t size_max = 64;
};

/// What no pool is larger than.
inline constexpr size_t pool_size_max = 4096;

/// How large a pool should be, and what it then does.
struct pool_size {
  size_t size = 0;
  /// The rate that is counted with: what the cores can do at most.
  double rate = 0;
  /// Offered load: connections that are borrowed on average.
  double erlangs = 0;
  /// Share of the time that a connection is borrowed.
  double utilisation = 0;
  /// Share of borrows that wait, and how long all of them wait on average, and
  /// 99 of 100 at most, in seconds; infinite where the size does not suffice.
  double wait_share = 0;
  double wait_mean_s = 0;
  double wait_p99_s = 0;
  /// Whether the bound `size_max` leaves the targets out of reach.
  bool too_small = false;
  /// Whether the cores do, at `utilisation_max`: `rate` is less than was asked.
  bool cores_short = false;
};

/// Returns what is wrong with `x`, as a sentence; empty: nothing.
[[nodiscard]] std::string check(const pool_load& x);

/// Returns the smallest size that keeps to the targets, from the M/M/c queue.
/// More connections than the cores can feed do not help, so that the rate is
/// bounded by `cores * utilisation_max / cpu_s` first.
/// @pre `check(x)` finds nothing.
[[nodiscard]] pool_size size_pool(const pool_load& x) noexcept;

} // namespace callboard::net
