#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <vector>

namespace callboard {

/// What a connection's peer waits for.
enum class inflight_kind : uint8_t {
  request,
  publish,
  subscribe,
  register_action,
};

/// The seqIds of one connection that wait for a reply: few, so a plain list.
/// At rest it holds no memory.
class inflight_table {
public:
  struct entry {
    uint32_t seq_id;
    /// The shard that will answer.
    uint32_t shard;
    inflight_kind kind;
  };

  [[nodiscard]] bool contains(uint32_t seq_id) const noexcept {
    return find(seq_id) != entries_.end();
  }

  /// @pre `seq_id` is not in the table.
  void add(uint32_t seq_id, inflight_kind kind, uint32_t shard) {
    entries_.push_back({seq_id, shard, kind});
  }

  /// Removes the entry.
  /// @returns false if it was not there, or is of another kind.
  bool remove(uint32_t seq_id, inflight_kind kind) {
    return take(seq_id, kind).has_value();
  }

  std::optional<entry> take(uint32_t seq_id, inflight_kind kind) {
    auto i = find(seq_id);
    if (i == entries_.end() || i->kind != kind)
      return std::nullopt;
    auto result = *i;
    entries_[static_cast<size_t>(i - entries_.begin())] = entries_.back();
    entries_.pop_back();
    if (entries_.empty() && entries_.capacity() > 16)
      entries_.shrink_to_fit();
    return result;
  }

  /// Removes all entries that satisfy `pred` and calls `f` for each.
  template <class Predicate, class F>
  void take_if(Predicate&& pred, F&& f) {
    auto entries = std::move(entries_);
    entries_.clear();
    for (auto& x : entries)
      if (!pred(x))
        entries_.push_back(x);
    for (auto& x : entries)
      if (pred(x))
        f(x);
  }

  [[nodiscard]] size_t size() const noexcept {
    return entries_.size();
  }

private:
  [[nodiscard]] std::vector<entry>::const_iterator
  find(uint32_t seq_id) const noexcept {
    return std::ranges::find(entries_, seq_id, &entry::seq_id);
  }

  std::vector<entry> entries_;
};

} // namespace callboard
