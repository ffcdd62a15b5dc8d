#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include <caf/timespan.hpp>

#include <callboard/net/client_pool_sizing.hpp>

namespace callboard::net {

/// How a pool's size follows its load.
struct pool_sizer_options {
  /// Bounds, utilisation, wait, processor time and cores; `rate` and
  /// `service_s` are measured.
  pool_load targets;
  /// How fast old measurements are forgotten: half of their weight in this
  /// time, 0.1 s … 1 h.
  caf::timespan half_life = std::chrono::seconds{10};
  /// The size shrinks once less than this share of it was wanted …
  double shrink_below = 0.8;
  /// … for this long without a break, 1 s … 24 h …
  caf::timespan shrink_after = std::chrono::minutes{1};
  /// … by this share of it at most, one at least.
  double shrink_step = 0.25;
};

/// Follows the measured load of a pool with its size. It grows at once, and
/// shrinks late and in steps, so that a load that goes up and down does not
/// open and close connections. Pure: it is told the time, which must not go
/// back.
class pool_sizer {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// Begins with `targets.size_min`.
  explicit pool_sizer(const pool_sizer_options& options) noexcept;

  /// Takes a measurement.
  /// @param borrows since the beginning, which never become fewer.
  /// @param wanted connections that are borrowed now, and borrowers that wait.
  /// @returns the size that the pool should have.
  size_t measure(uint64_t borrows, size_t wanted, time_point now) noexcept;

  /// Returns what the last measurement came to.
  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

  /// Returns borrows a second, and the mean of those that were borrowed.
  [[nodiscard]] double rate() const noexcept {
    return rate_;
  }

  [[nodiscard]] double erlangs() const noexcept {
    return erlangs_;
  }

private:
  // Returns what the load asks for now.
  [[nodiscard]] size_t wanted_size() const noexcept;

  void follow(size_t wanted, time_point now) noexcept;

  pool_sizer_options options_;
  size_t size_;
  double rate_ = 0;
  double erlangs_ = 0;
  uint64_t borrows_ = 0;
  std::optional<time_point> measured_at_;
  // Since when less than `shrink_below` is wanted, and the most since then.
  std::optional<time_point> small_since_;
  size_t small_peak_ = 0;
};

} // namespace callboard::net
