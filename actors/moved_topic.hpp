#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <callboard/actors/history.hpp>
#include <callboard/actors/loop_set.hpp>
#include <callboard/actors/moved_group.hpp>
#include <callboard/actors/moved_room.hpp>
#include <callboard/actors/publication.hpp>

namespace callboard {

/// The ids that one topic remembers, and the offsets of the publications that
/// had them.
struct topic_ids {
  struct remembered {
    // In `offsets`.
    const std::string* key;
    int64_t expires_ms;
  };

  /// Adds one, unless it is known.
  void add(std::string key, uint64_t offset, int64_t expires_ms) {
    auto [i, is_new] = offsets.emplace(std::move(key), offset);
    if (!is_new)
      return;
    bytes += cost(i->first);
    order.push_back({&i->first, expires_ms});
  }

  /// Forgets the oldest one.
  /// @pre there is one.
  void pop() {
    auto i = offsets.find(*order.front().key);
    bytes -= cost(i->first);
    offsets.erase(i);
    order.pop_front();
  }

  std::unordered_map<std::string, uint64_t> offsets;
  /// Oldest first.
  std::deque<remembered> order;
  /// Roughly what they take, in bytes.
  int64_t bytes = 0;

private:
  static int64_t cost(const std::string& key) noexcept {
    // What it takes beside its characters.
    return 112 + static_cast<int64_t>(key.size());
  }
};

/// A topic that one owner has given away and no other one has taken yet: all
/// that goes on elsewhere. What else is to travel with topics belongs here, in
/// `peer_handover`, and in `topic_sender` and `topic_receiver`.
struct moved_topic {
  std::string name;
  std::string epoch;
  /// Of its last event; 0: there was none yet.
  uint64_t head = 0;
  /// The loops that want it, of the owner that it comes from.
  loop_set loops;
  /// Null: it remembers none.
  std::unique_ptr<topic_ids> ids;
  history kept;
  publication_ptr retained;
  /// Who is there; empty: nobody, or that is not kept.
  moved_room room;
  std::vector<moved_group> groups;
};

} // namespace callboard
