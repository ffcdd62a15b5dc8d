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
  /// What a broker is asked of a topic.
  query,
  /// The same of who is in it: the answer comes through the shard of the
  /// asker's loop.
  presence_query,
};

/// Subscriptions and registrations have bounds of their own.
constexpr bool is_call(inflight_kind x) noexcept {
  return x != inflight_kind::subscribe && x != inflight_kind::register_action;
}

/// The seqIds of one connection that wait for a reply: few, so a plain list.
/// At rest it holds no memory.
///
/// Shards answer to a call ID, not to the seqId: the peer may use a seqId again
/// as soon as it has cancelled, when the old answer can be on its way.
class inflight_table {
public:
  struct entry {
    uint32_t seq_id;
    /// Not used again by this connection before 2^32 others.
    uint32_t call_id;
    /// The shard that will answer.
    uint32_t shard;
    inflight_kind kind;
  };

  [[nodiscard]] bool contains(uint32_t seq_id) const noexcept {
    return std::ranges::find(entries_, seq_id, &entry::seq_id)
           != entries_.end();
  }

  [[nodiscard]] bool contains(uint32_t seq_id,
                              inflight_kind kind) const noexcept {
    auto i = std::ranges::find(entries_, seq_id, &entry::seq_id);
    return i != entries_.end() && i->kind == kind;
  }

  /// @pre `seq_id` is not in the table.
  /// @returns the call ID, never 0.
  uint32_t add(uint32_t seq_id, inflight_kind kind, uint32_t shard) {
    if (++last_call_id_ == 0)
      ++last_call_id_;
    entries_.push_back({seq_id, last_call_id_, shard, kind});
    return last_call_id_;
  }

  /// Takes the entry with this call ID out.
  /// @returns nothing if it was not there, or is of another kind.
  std::optional<entry> take(uint32_t call_id, inflight_kind kind) {
    return take(&entry::call_id, call_id, kind);
  }

  /// Takes the entry with this seqId out.
  std::optional<entry> take_seq_id(uint32_t seq_id, inflight_kind kind) {
    return take(&entry::seq_id, seq_id, kind);
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

  /// Returns how many of them are calls.
  [[nodiscard]] size_t calls() const noexcept {
    return static_cast<size_t>(
      std::ranges::count_if(entries_, is_call, &entry::kind));
  }

private:
  std::optional<entry> take(uint32_t entry::*key, uint32_t value,
                            inflight_kind kind) {
    auto i = std::ranges::find(entries_, value, key);
    if (i == entries_.end() || i->kind != kind)
      return std::nullopt;
    auto result = *i;
    *i = entries_.back();
    entries_.pop_back();
    if (entries_.empty() && entries_.capacity() > 16)
      entries_.shrink_to_fit();
    return result;
  }

  std::vector<entry> entries_;
  uint32_t last_call_id_ = 0;
};

} // namespace callboard
