#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

namespace callboard {

/// Keeps values until they are due. Pure: the caller tells the time, in
/// milliseconds from any origin, from 0 and never backwards.
///
/// A hierarchical wheel: each level has 64 slots and covers 64 times what the
/// one below it does, and enough levels cover all of time. A value lies at the
/// level of the highest digit, to base 64, in which its due time differs from
/// now, and moves down as now comes nearer. Adding and cancelling take constant
/// time, and allocate nothing while no more values are held than ever before.
template <class T>
class timing_wheel {
public:
  /// Names a value from `add` until it is cancelled or popped.
  using handle = uint32_t;

  /// Names no value.
  static constexpr handle none = std::numeric_limits<handle>::max();

  /// Adds `value`, to be popped from `due_ms` on.
  /// @param due_ms what lies in the past is due at once.
  handle add(int64_t now_ms, int64_t due_ms, T value) {
    if (size_ == 0)
      base_ = std::max(base_, now_ms);
    auto result = take_entry();
    auto& x = entries_[result];
    x.value = std::move(value);
    x.due = std::max(due_ms, base_);
    link(result);
    ++size_;
    return result;
  }

  /// Takes a value out before it is due.
  T cancel(handle x) {
    unlink(x);
    return give_back(x);
  }

  /// Takes out a value that is due, in order of time but for what was added
  /// late; nullopt if none is.
  std::optional<T> pop_due(int64_t now_ms) {
    while (size_ > 0) {
      auto next = first_slot();
      if (next.begin > now_ms)
        break;
      base_ = next.begin;
      if (next.level > 0) {
        move_down(next);
      } else {
        auto x = heads_[0][next.index];
        unlink(x);
        return give_back(x);
      }
    }
    base_ = std::max(base_, now_ms);
    return std::nullopt;
  }

  /// Returns when `pop_due` should be called next; nullopt if there is nothing
  /// to wait for. Not later than the first value is due, and earlier, at most
  /// once for each level, where that value then only moves down.
  [[nodiscard]] std::optional<int64_t> next_due() const noexcept {
    if (size_ == 0)
      return std::nullopt;
    return first_slot().begin;
  }

  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }

private:
  static constexpr int digit_bits = 6;
  static constexpr size_t slots = size_t{1} << digit_bits;
  static constexpr size_t levels = (64 + digit_bits - 1) / digit_bits;

  struct entry {
    T value = {};
    int64_t due = 0;
    // The next one of the slot, or of those that are free.
    handle next = none;
    // None for the first of the slot.
    handle previous = none;
  };

  struct slot {
    size_t level;
    size_t index;
    // The first millisecond of it.
    int64_t begin;
  };

  static constexpr size_t digit(int64_t time, size_t level) noexcept {
    return static_cast<uint64_t>(time) >> (level * digit_bits) & (slots - 1);
  }

  // Holds for as long as `base_` has not reached the slot that `due` lies in,
  // and `pop_due` empties a slot as soon as it has.
  [[nodiscard]] size_t level_of(int64_t due) const noexcept {
    auto differing = static_cast<uint64_t>(due ^ base_) | 1;
    return static_cast<size_t>(std::bit_width(differing) - 1) / digit_bits;
  }

  // What lies at a higher level is later than all that lies below.
  [[nodiscard]] slot first_slot() const noexcept {
    size_t level = 0;
    while (used_[level] == 0)
      ++level;
    auto index = static_cast<size_t>(std::countr_zero(used_[level]));
    auto shift = level * digit_bits;
    auto above = shift + digit_bits < 64
                   ? static_cast<uint64_t>(base_) >> (shift + digit_bits)
                   : 0;
    auto begin = (above << digit_bits | index) << shift;
    return {level, index, static_cast<int64_t>(begin)};
  }

  void link(handle at) {
    auto& x = entries_[at];
    auto level = level_of(x.due);
    auto index = digit(x.due, level);
    auto filled = (used_[level] >> index & 1) != 0;
    x.previous = none;
    x.next = filled ? heads_[level][index] : none;
    if (filled)
      entries_[x.next].previous = at;
    heads_[level][index] = at;
    used_[level] |= uint64_t{1} << index;
  }

  void unlink(handle at) {
    auto& x = entries_[at];
    if (x.next != none)
      entries_[x.next].previous = x.previous;
    if (x.previous != none) {
      entries_[x.previous].next = x.next;
      return;
    }
    auto level = level_of(x.due);
    auto index = digit(x.due, level);
    heads_[level][index] = x.next;
    if (x.next == none)
      used_[level] &= ~(uint64_t{1} << index);
  }

  void move_down(const slot& from) {
    used_[from.level] &= ~(uint64_t{1} << from.index);
    for (auto at = heads_[from.level][from.index]; at != none;) {
      auto next = entries_[at].next;
      link(at);
      at = next;
    }
  }

  handle take_entry() {
    if (free_ == none) {
      entries_.emplace_back();
      return static_cast<handle>(entries_.size() - 1);
    }
    return std::exchange(free_, entries_[free_].next);
  }

  T give_back(handle at) {
    auto& x = entries_[at];
    x.next = std::exchange(free_, at);
    --size_;
    return std::exchange(x.value, T{});
  }

  std::vector<entry> entries_;
  handle free_ = none;
  size_t size_ = 0;
  // Nothing is due before.
  int64_t base_ = 0;
  // A bit for each slot that is not empty; only there the head counts.
  std::array<uint64_t, levels> used_ = {};
  std::array<std::array<handle, slots>, levels> heads_;
};

} // namespace callboard
