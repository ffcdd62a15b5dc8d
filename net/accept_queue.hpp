#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

#include <callboard/actors/admission.hpp>

namespace callboard::net {

/// Gives out the places of a node, and lets handshakes wait for one, on
/// whichever loop they are: who came first gets the next. Any thread. Nothing
/// is locked where nobody may wait.
class accept_queue {
public:
  /// @param places outlives this.
  /// @param waiting_max how many may wait; 0: nobody may.
  accept_queue(admission& places, size_t waiting_max)
    : places_{places}, waiting_max_{waiting_max} {
  }

  /// Takes a place on a loop.
  /// @returns false if there is none, or others wait for it.
  bool admit(uint32_t loop) noexcept {
    return size_ == 0 && places_.admit(loop);
  }

  /// Gives a place back.
  void leave(uint32_t loop);

  /// Waits for a place on a loop.
  /// @param called is called once, when the place is taken: by this call, or by
  ///               the thread that gives one back. It must not throw, or call
  ///               this.
  /// @returns what `forget` takes; 0: as many wait as may.
  uint64_t enter(uint32_t loop, std::function<void()> called);

  /// Waits no longer.
  /// @returns false if the place was taken already.
  bool forget(uint64_t ticket);

  /// Returns how many wait.
  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

private:
  struct waiter {
    uint32_t loop;
    std::function<void()> called;
  };

  // Takes who is first out, with a place; empty: nobody, or no place.
  std::function<void()> take_next();

  admission& places_;
  size_t waiting_max_;
  std::mutex mutex_;
  uint64_t last_ticket_ = 0;
  // By tickets, and so in order.
  std::map<uint64_t, waiter> waiting_;
  std::atomic<size_t> size_ = 0;
};

} // namespace callboard::net
