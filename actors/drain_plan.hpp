#pragma once

#include <chrono>
#include <cstddef>

#include <caf/timespan.hpp>

namespace callboard {

/// Decides when each connection of a node that ends is sent away: evenly over
/// three quarters of the time that there is, so that their clients do not come
/// back all at once, but never fewer than 100 a second, so that a few do not
/// take longer than they must. At nine tenths those that still wait for answers
/// are closed; the rest is for what is on its way to the clients. Pure.
class drain_plan {
public:
  /// The time between two looks at the plan.
  static constexpr caf::timespan step = std::chrono::milliseconds{10};

  drain_plan() = default;

  /// @param connections how many there are at the start.
  /// @param span the time that there is; 0: none, all are sent away at once.
  drain_plan(size_t connections, caf::timespan span) noexcept;

  /// Returns how many have been told to go when `elapsed` has passed since the
  /// start; 0 at the start, unless there is no time.
  [[nodiscard]] size_t due(caf::timespan elapsed) const noexcept;

  /// Returns whether the others are to be closed by now whatever they wait for.
  [[nodiscard]] bool over(caf::timespan elapsed) const noexcept {
    return elapsed >= limit_;
  }

private:
  size_t connections_ = 0;
  // The time over which they are sent away.
  caf::timespan window_{0};
  caf::timespan limit_{0};
};

} // namespace callboard
