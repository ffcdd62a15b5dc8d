#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <caf/timespan.hpp>

namespace callboard::net {

/// When a target is left out that fails while others do not.
struct ejection_options {
  /// So many failures in a row eject it, 1 … 1000.
  size_t failures = 5;
  /// For how long at first; each time in a row for as long again, 0.1 s … 1 h …
  caf::timespan time = std::chrono::seconds{10};
  /// … but not longer than this, 0.1 s … 24 h.
  caf::timespan time_max = std::chrono::minutes{5};
  /// Share of the targets that may be out at once, 0 … 1, rounded down; one
  /// always stays.
  double share_max = 0.5;
};

/// Says in which order targets are tried: the one with the least in flight
/// first, or by a key the one that the key belongs to (rendezvous hashing:
/// Thaler and Ravishankar, 1998), so that a key keeps its target and one target
/// less moves only that one's keys. Those that are ejected come last, in case
/// that all others fail. Pure; the time that it is told must not go back.
class target_set {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// @param names 1 … 64 different ones.
  /// @param first whose turn it is first, where several are equal.
  target_set(std::vector<std::string> names, const ejection_options& options,
             size_t first = 0);

  /// Returns all targets, by number, the best first.
  /// @param key empty: by what is in flight; equal ones take turns.
  /// @param in_flight a number for each target.
  std::vector<size_t> order(std::string_view key,
                            const std::vector<size_t>& in_flight,
                            time_point now);

  /// Takes what a try has come to. A good one ends an ejection.
  /// @returns whether it has ejected the target.
  bool report(size_t target, bool good, time_point now) noexcept;

  [[nodiscard]] bool is_ejected(size_t target, time_point now) const noexcept {
    return now < targets_[target].out_until;
  }

private:
  struct target {
    std::string name;
    size_t failures = 0;
    // In a row.
    size_t ejections = 0;
    time_point out_until = time_point::min();
  };

  [[nodiscard]] bool may_eject(time_point now) const noexcept;

  ejection_options options_;
  std::vector<target> targets_;
  size_t turn_;
};

/// Returns how much a target wants a key: a hash of both, the same everywhere.
[[nodiscard]] uint64_t affinity(std::string_view key,
                                std::string_view target) noexcept;

} // namespace callboard::net
