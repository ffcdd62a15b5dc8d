#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace callboard {

/// Decides whether one more connection may be, and on which loop it lives.
/// All functions may be called from any thread.
class admission {
public:
  /// @param loops number of loops, from 1.
  /// @param connections_max WebSocket connections of the node, from 1.
  admission(uint32_t loops, size_t connections_max)
    : counts_{std::make_unique<std::atomic<size_t>[]>(loops)},
      loops_{loops},
      connections_max_{connections_max} {
  }

  /// Lets there be so many from now on. Nobody loses a place.
  void set_connections_max(size_t x) noexcept {
    connections_max_ = x;
  }

  [[nodiscard]] size_t connections_max() const noexcept {
    return connections_max_;
  }

  /// Takes a place on the loop where the connection lives.
  /// @returns false if the node is full.
  bool admit(uint32_t loop) noexcept {
    // Not raised and lowered again: for that moment the node would be full for
    // others.
    auto n = total_.load();
    do {
      if (n >= connections_max_)
        return false;
    } while (!total_.compare_exchange_weak(n, n + 1));
    counts_[loop].fetch_add(1);
    return true;
  }

  /// Gives a place back. A loop that has none gives nothing.
  void leave(uint32_t loop) noexcept {
    auto n = counts_[loop].load();
    do {
      if (n == 0)
        return;
    } while (!counts_[loop].compare_exchange_weak(n, n - 1));
    total_.fetch_sub(1);
  }

  /// Returns the loop that serves the fewest connections; among equals, they
  /// take turns, so that sockets spread before they are connections.
  uint32_t least_loaded() noexcept {
    auto first = next_.fetch_add(1) % loops_;
    auto best = first;
    for (uint32_t i = 1; i < loops_; ++i) {
      auto candidate = (first + i) % loops_;
      if (counts_[candidate] < counts_[best])
        best = candidate;
    }
    return best;
  }

  [[nodiscard]] uint32_t loops() const noexcept {
    return loops_;
  }

  [[nodiscard]] size_t connections() const noexcept {
    return total_;
  }

  /// Returns how many of them are on this loop.
  [[nodiscard]] size_t connections(uint32_t loop) const noexcept {
    return counts_[loop];
  }

private:
  std::unique_ptr<std::atomic<size_t>[]> counts_;
  std::atomic<size_t> total_ = 0;
  std::atomic<uint32_t> next_ = 0;
  uint32_t loops_;
  std::atomic<size_t> connections_max_;
};

} // namespace callboard
