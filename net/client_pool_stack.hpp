#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace callboard::net {

/// Where the indices that a stack holds are linked: one place for each index,
/// shared by all stacks of a pool, because an index is on one of them at most.
class index_links {
public:
  explicit index_links(size_t size) : places_(size) {
  }

  /// Returns the place that says what is below `index`: its number plus one; 0:
  /// nothing.
  std::atomic<uint32_t>& operator[](uint32_t index) noexcept {
    return places_[index].next;
  }

private:
  // A line of its own each: neighbours are other threads'.
  struct alignas(64) place {
    std::atomic<uint32_t> next{0};
  };

  std::vector<place> places_;
};

/// A stack of indices without a lock (Treiber, Systems Programming: Coping with
/// Parallelism, 1986). The last one in is the first one out, so that what is
/// seldom needed gets old at the bottom.
///
/// The head is an index plus one, and a tag that every change counts up: a head
/// that went away and came back is not taken for the same one (ABA), unless
/// exactly a multiple of 2^32 changes happen between the load and the exchange
/// of one `pop`.
///
/// Memory order: whatever was written before `push` is seen by who pops that
/// index. All changes of the head are exchanges, so each later one goes on with
/// the release sequence of the push, whichever value it saw. The operations are
/// sequentially consistent beyond that, because the pool decides by two
/// variables (this head, and the number of those who wait) of which each side
/// writes one and then reads the other.
class idle_stack {
public:
  /// @pre `index` is on no stack.
  void push(index_links& links, uint32_t index) noexcept {
    auto head = head_.load(std::memory_order_relaxed);
    do {
      links[index].store(top_of(head), std::memory_order_relaxed);
    } while (!head_.compare_exchange_weak(head, after(head, index + 1),
                                          std::memory_order_seq_cst,
                                          std::memory_order_relaxed));
  }

  /// Returns the index on top, which is no longer on the stack.
  std::optional<uint32_t> pop(index_links& links) noexcept {
    auto head = head_.load(std::memory_order_seq_cst);
    while (auto top = top_of(head)) {
      // Another thread may pop and push it meanwhile; the tag tells.
      auto below = links[top - 1].load(std::memory_order_relaxed);
      if (head_.compare_exchange_weak(head, after(head, below),
                                      std::memory_order_seq_cst,
                                      std::memory_order_seq_cst))
        return top - 1;
    }
    return std::nullopt;
  }

  /// Empties the stack.
  /// @returns what was on it, from top to bottom.
  std::vector<uint32_t> take_all(index_links& links) {
    std::vector<uint32_t> result;
    auto head = head_.load(std::memory_order_seq_cst);
    while (!head_.compare_exchange_weak(head, after(head, 0),
                                        std::memory_order_seq_cst,
                                        std::memory_order_seq_cst))
      ;
    for (auto top = top_of(head); top != 0;
         top = links[top - 1].load(std::memory_order_relaxed))
      result.push_back(top - 1);
    return result;
  }

private:
  static uint32_t top_of(uint64_t head) noexcept {
    return static_cast<uint32_t>(head);
  }

  static uint64_t after(uint64_t head, uint32_t top) noexcept {
    return ((head >> 32) + 1) << 32 | top;
  }

  // A line of its own: other stacks are other threads'.
  alignas(64) std::atomic<uint64_t> head_{0};
};

static_assert(std::atomic<uint64_t>::is_always_lock_free);

} // namespace callboard::net
