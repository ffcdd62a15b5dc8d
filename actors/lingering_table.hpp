#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>
#include <utility>

namespace callboard {

/// Entries by key that stay while they are used, and behind that as long as
/// they have something to remember. Those that only remember are bounded: where
/// there are too many, the next in turn is forgotten.
/// @tparam Entry has `bool used() const` and `bool at_rest(int64_t now_ms)
///               const`, which tells whether a new entry would be the same.
template <class Key, class Entry, class Hash = std::hash<Key>>
class lingering_table {
public:
  /// @param lingering_max entries that are not used.
  explicit lingering_table(size_t lingering_max, Hash hash = {})
    : entries_(0, std::move(hash)), lingering_max_{lingering_max} {
  }

  /// Returns the entry of `key`, which is `made()` if there was none. It stays
  /// where it is until `settle`, which has to follow if it is not used then.
  template <class Make>
  Entry& get(const Key& key, int64_t now_ms, Make&& made) {
    if (auto i = entries_.find(key); i != entries_.end())
      return i->second.value;
    // Two for one, so that what is at rest cannot gather.
    for (auto i = 0; i < 2 && !lingering_.empty(); ++i)
      look_at_oldest(now_ms, false);
    return entries_.emplace(key, held{made()}).first->second.value;
  }

  /// Returns the entry of `key`; null: there is none.
  Entry* find(const Key& key) {
    auto i = entries_.find(key);
    return i == entries_.end() ? nullptr : &i->second.value;
  }

  /// Lets an entry go that may have come out of use.
  void settle(const Key& key, int64_t now_ms) {
    auto i = entries_.find(key);
    if (i == entries_.end() || i->second.lingers || i->second.value.used())
      return;
    if (i->second.value.at_rest(now_ms)) {
      entries_.erase(i);
      return;
    }
    i->second.lingers = true;
    lingering_.push_back(key);
    while (lingering_.size() > lingering_max_)
      look_at_oldest(now_ms, true);
  }

  [[nodiscard]] size_t size() const noexcept {
    return entries_.size();
  }

private:
  struct held {
    Entry value;
    // Whether the key is in `lingering_`. Only what is there is erased from
    // there, so no key stands in it twice, or without an entry.
    bool lingers = false;
  };

  void look_at_oldest(int64_t now_ms, bool forget) {
    auto key = std::move(lingering_.front());
    lingering_.pop_front();
    auto i = entries_.find(key);
    i->second.lingers = false;
    if (i->second.value.used())
      return;
    if (forget || i->second.value.at_rest(now_ms)) {
      entries_.erase(i);
      return;
    }
    i->second.lingers = true;
    lingering_.push_back(std::move(key));
  }

  std::unordered_map<Key, held, Hash> entries_;
  std::deque<Key> lingering_;
  size_t lingering_max_;
};

} // namespace callboard
