#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include <caf/timespan.hpp>

namespace callboard::net {

/// A thread that ticks: first at once, then again and again, until it is
/// destroyed. Must end before what it ticks.
class client_pool_upkeep {
public:
  /// @param tick is called on that thread: `[&] { pool.tick(); }`.
  /// @param interval from the end of one call to the next, more than 0.
  explicit client_pool_upkeep(std::function<void()> tick,
                              caf::timespan interval
                              = std::chrono::milliseconds{100});

  client_pool_upkeep(const client_pool_upkeep&) = delete;

  client_pool_upkeep& operator=(const client_pool_upkeep&) = delete;

  /// Waits for a call that is under way.
  ~client_pool_upkeep();

private:
  void run();

  std::function<void()> tick_;
  caf::timespan interval_;
  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stopped_ = false;
  std::thread thread_;
};

} // namespace callboard::net
