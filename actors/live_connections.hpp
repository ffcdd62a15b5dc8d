#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace callboard {

class connection;

/// What its loop knows of a connection that lives.
struct live_entry {
  connection* self = nullptr;
  /// Its place in the list.
  size_t slot = 0;
  /// The last round of the audit in which its socket was seen.
  uint32_t seen = 0;
  /// Loop times in milliseconds at which it came to be `connecting`,
  /// `connected`, `disconnecting`; 0: it did not.
  std::array<int64_t, 3> entered_ms = {};
};

/// The connections of a loop whose actors live, in any order.
class live_connections {
public:
  void add(live_entry& x) {
    x.slot = entries_.size();
    entries_.push_back(&x);
  }

  /// Removes an entry; the last one takes its place. One that is not there is
  /// fine.
  void remove(const live_entry& x) noexcept {
    if (x.slot >= entries_.size() || entries_[x.slot] != &x)
      return;
    auto slot = x.slot;
    entries_[slot] = entries_.back();
    entries_[slot]->slot = slot;
    entries_.pop_back();
  }

  [[nodiscard]] size_t size() const noexcept {
    return entries_.size();
  }

  [[nodiscard]] live_entry& operator[](size_t i) const noexcept {
    return *entries_[i];
  }

private:
  std::vector<live_entry*> entries_;
};

} // namespace callboard
