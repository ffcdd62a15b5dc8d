#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/publication.hpp>

namespace callboard {

/// A run of a topic's publications as it was at one moment. Immutable once
/// sent; may be shared by threads.
class history_slice : public caf::ref_counted {
public:
  /// What one slice holds at most for those who come back, because it keeps
  /// alive what the topic may have forgotten.
  static constexpr size_t events_max = 4096;
  static constexpr int64_t bytes_max = 4 * 1024 * 1024;

  std::string topic;
  /// Where the topic stood.
  std::string epoch;
  uint64_t head = 0;
  /// The offset from which on a loop asked for it.
  uint64_t asked = 0;
  /// Their offsets go up by one from each to the next.
  std::vector<publication_ptr> events;
};

using history_slice_ptr = caf::intrusive_ptr<history_slice>;

/// The last publications of one topic, oldest first and without gaps. It refers
/// to the publications that are delivered and copies nothing. Pure; times are
/// milliseconds of the caller's clock.
class history {
public:
  /// Adds `x`, whose offset is the last one's plus one. The oldest one goes if
  /// there are `size_max` already.
  /// @param size_max from 1.
  void add(publication_ptr x, size_t size_max, int64_t now_ms);

  /// Forgets those that were added at `added_ms` or before.
  void expire(int64_t added_ms);

  /// Forgets the oldest ones, so that at most `size_max` are left.
  void trim(size_t size_max);

  /// Appends those with offsets from `first` on to `out`, at most `limit` of
  /// them, and at most about `bytes_max` bytes.
  void copy(uint64_t first, size_t limit, int64_t bytes_max,
            std::vector<publication_ptr>& out) const;

  /// Returns the offset of the oldest one; 0 if there is none.
  [[nodiscard]] uint64_t first_offset() const noexcept {
    return size_ == 0 ? 0 : at(0).event->offset;
  }

  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

  [[nodiscard]] bool empty() const noexcept {
    return size_ == 0;
  }

  /// Returns roughly what it costs in memory, in bytes.
  [[nodiscard]] int64_t cost() const noexcept {
    return bytes_ + static_cast<int64_t>(ring_.size() * sizeof(kept));
  }

  /// Forgets the oldest one.
  /// @pre it is not empty.
  void pop();

  struct kept {
    publication_ptr event;
    int64_t added_ms = 0;
  };

  /// Returns one of them; 0 is the oldest.
  /// @pre `i < size()`
  [[nodiscard]] const kept& at(size_t i) const noexcept {
    return ring_[(first_ + i) % ring_.size()];
  }

private:
  // Makes room for one more.
  void grow(size_t size_max);

  // Moves everything to a ring of `n`, from `size_`.
  void move_to(size_t n);

  std::vector<kept> ring_;
  size_t first_ = 0;
  size_t size_ = 0;
  int64_t bytes_ = 0;
};

} // namespace callboard
