#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <vector>

#include <callboard/actors/admission.hpp>

namespace callboard::net {

/// Gives out the places of a node, and lets handshakes wait for one, on
/// whichever loop they are: who came first gets the next. Any thread. Nothing
/// is locked where nobody may wait.
class accept_queue {
public:
  /// How many may wait on one loop: half of the HTTP sessions that it has.
  static constexpr size_t loop_waiting_max = 2048;

  /// @param places outlives this.
  /// @param waiting_max how many may wait; 0: nobody may.
  accept_queue(admission& places, size_t waiting_max)
    : places_{places}, waiting_max_{waiting_max}, waiting_on_(places.loops()) {
  }

  /// Takes a place on a loop.
  /// @returns false if there is none, or others wait for it.
  bool admit(uint32_t loop) noexcept {
    return size_ == 0 && places_.admit(loop);
  }

  /// Gives a place back.
  void leave(uint32_t loop);

  /// Calls those who have a place, because there may be more of them now.
  void look_again() {
    call_next();
  }

  /// Waits for a place on a loop.
  /// @param called is called once, when the place is taken: by this call, or by
  ///               the thread that gives one back. It must not throw, or call
  ///               this.
  /// @returns what `forget` takes, which who is called calls as well; 0: as
  ///          many wait as may.
  uint64_t enter(uint32_t loop, std::function<void()> called);

  /// Waits no longer.
  /// @returns false if the place was taken already.
  bool forget(uint64_t ticket);

  /// Returns how many places of a loop are taken that nobody has: neither is
  /// one of `had`, nor on its way to who has not called `forget` yet. Right on
  /// the loop's thread, where those two change into each other.
  [[nodiscard]] size_t surplus(uint32_t loop, size_t had);

  /// Returns how many wait.
  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

private:
  struct waiter {
    uint32_t loop;
    std::function<void()> called;
  };

  // Calls those who are next, as long as there are places.
  void call_next();

  // Takes who is first out, with a place; empty: nobody, or no place.
  std::function<void()> take_next();

  // Takes somebody out.
  void remove(std::map<uint64_t, waiter>::iterator who);

  admission& places_;
  size_t waiting_max_;
  std::mutex mutex_;
  uint64_t last_ticket_ = 0;
  // By tickets, and so in order.
  std::map<uint64_t, waiter> waiting_;
  // How many of them wait on each loop.
  std::vector<size_t> waiting_on_;
  // The loops of places that are on their way, by tickets.
  std::map<uint64_t, uint32_t> granted_;
  std::atomic<size_t> size_ = 0;
};

} // namespace callboard::net
