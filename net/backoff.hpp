#pragma once

#include <chrono>
#include <cstddef>
#include <functional>

#include <caf/timespan.hpp>

namespace callboard::net {

/// Says how long to wait before the next try: exponential backoff with full
/// jitter. The n-th wait (from 0) is drawn evenly from 0 … min(cap, base·2ⁿ),
/// so that clients that failed together do not come back together.
class backoff {
public:
  /// Returns a number that is at least 0 and below 1.
  using random_source = std::function<double()>;

  /// @param random is called once for each wait.
  /// @param base bound of the first wait, more than 0.
  /// @param cap bound of every wait, at least `base`.
  explicit backoff(random_source random,
                   caf::timespan base = std::chrono::seconds{1},
                   caf::timespan cap = std::chrono::seconds{60});

  /// Returns the next wait.
  caf::timespan next();

  /// Begins again with the first wait.
  void reset() noexcept {
    bound_ = base_;
    attempts_ = 0;
  }

  /// Returns the number of waits since the start or the last `reset`.
  [[nodiscard]] size_t attempts() const noexcept {
    return attempts_;
  }

private:
  random_source random_;
  caf::timespan base_;
  caf::timespan cap_;
  // Bound of the next wait.
  caf::timespan bound_;
  size_t attempts_ = 0;
};

/// Returns a source of numbers that are drawn evenly, another sequence each
/// time. Copies of it go on by themselves. One thread at a time may use it.
backoff::random_source even_random();

} // namespace callboard::net
