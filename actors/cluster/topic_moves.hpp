#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/typed_response_promise.hpp>

#include <callboard/actors/cluster/parked_calls.hpp>
#include <callboard/actors/cluster/pattern_gaps.hpp>
#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/cluster/topic_handover.hpp>
#include <callboard/actors/cluster/view_flush.hpp>
#include <callboard/actors/loop_set.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/actors/moved_room.hpp>
#include <callboard/actors/string_hash.hpp>

namespace callboard {

/// What a broker shard knows of topics that change their owner: from when it
/// goes by other nodes until all shards of all of them have settled, it takes
/// nothing for topics that may have had another owner before. `broker_peers`
/// does what follows from it.
class topic_moves {
public:
  /// @param open whether this shard takes the place of one, which may have been
  ///        about to take topics over.
  explicit topic_moves(bool open) : gaps{open}, open_{open}, all_{open} {
  }

  /// The nodes are these from now on.
  /// @param first whether this shard knew of none before.
  void begin(const peer_set_ptr& old, const peer_set& now, bool first);

  /// All have settled.
  void end(const peer_set& now);

  [[nodiscard]] bool open() const noexcept {
    return open_;
  }

  /// Returns whether this topic, which is not durable, may have had another
  /// owner before.
  [[nodiscard]] bool moves(std::string_view topic,
                           const peer_set& now) const noexcept;

  /// Returns whether there is an owner of a topic to be told anew: one since
  /// all had settled may have lost what it was told or given, or there was
  /// none.
  [[nodiscard]] bool lost_owner(std::string_view topic,
                                const peer_set& now) const noexcept;

  /// Returns whether a topic that is another node's may come back yet: a home
  /// that has yet to hear of the view may never do, and by the next one this
  /// node may be the owner again.
  [[nodiscard]] bool may_return() const noexcept {
    return open_ && !flush.all_handed();
  }

  /// Returns whether what the node at `slot` sends of a topic, as an owner that
  /// goes by the view with this number, comes before all that later owners may
  /// send.
  [[nodiscard]] bool from_before(uint32_t slot, uint64_t view,
                                 std::string_view topic,
                                 const peer_set& now) const noexcept;

  /// Returns whether the node at `slot` owned a topic at some time since all
  /// had settled, or does now.
  [[nodiscard]] bool owned(uint32_t slot, std::string_view topic,
                           const peer_set& now) const noexcept;

  /// Calls `f(slot)` with the other nodes that owned a topic since all had
  /// settled, and are there still, or own it now; with all where nobody does.
  template <class F>
  void
  for_each_owner(std::string_view topic, const peer_set& now, F&& f) const {
    for (uint32_t slot = 0; slot < now.slots.size(); ++slot)
      if (owned(slot, topic, now) || now.owner_of(topic) == peer_set::nobody)
        f(slot);
  }

  /// Returns the same number at shards that went by the same views since they
  /// last were settled.
  [[nodiscard]] uint64_t way() const noexcept {
    return way_;
  }

  /// A topic that comes to this node, and who wants it.
  struct arrival {
    /// Nodes, and loops of this one.
    loop_set loops;
    /// What these loops have had; meaningless where none is in `loops`.
    position where;
    /// Whether they have to ask anew in any case.
    bool again = false;
    /// The nodes that wait for an answer, with their generation.
    std::vector<std::pair<uint32_t, uint64_t>> asked;
  };

  /// A loop, or a node, wants a topic no longer.
  void cancel(uint32_t loop, std::string_view topic);

  view_flush flush;
  /// What subscribers by a pattern may have missed.
  pattern_gaps gaps;
  /// What waits until all have settled.
  parked_calls parked;
  /// Topics that are other nodes' by now, and wait for room.
  std::deque<topic_sender> outgoing;
  /// By slot and shard.
  std::map<std::pair<uint32_t, uint32_t>, topic_receiver> incoming;
  std::unordered_map<std::string, arrival, string_hash, std::equal_to<>>
    arrivals;
  /// Of topics that came meanwhile: the rank of the node that had them
  /// (`peer_set::rank_of`). Of two that had the same one the lower counts.
  std::unordered_map<std::string, uint32_t, string_hash, std::equal_to<>> ranks;
  /// Who is in topics that came meanwhile.
  std::unordered_map<std::string, moved_room> rooms;
  /// Topics whose owners have to be told anew who is there, and loops that do.
  std::unordered_map<std::string, loop_set> untold;
  /// The same of those that have no owner by these nodes.
  std::unordered_map<std::string, loop_set> ownerless;
  /// What other nodes told of who is there, and this one had no room for: their
  /// slots, and the topics.
  std::set<std::pair<uint32_t, std::string>> unheard;
  /// Topics that have to be asked for at their owners.
  std::deque<std::string> asks;
  /// Questions to owners that were asked by a view before have lower numbers.
  uint64_t first_asked = 0;
  /// How often in a row there may have been no room for them.
  uint32_t stalled = 0;
  /// What came from later owners, by the number of their view, and the bytes of
  /// the batches that it came in, by slot.
  std::map<uint64_t, std::deque<std::function<void()>>> held;
  std::vector<uint64_t> held_bytes;
  /// Who waits until nothing is left here of what others own.
  std::vector<caf::typed_response_promise<void>> leavers;

private:
  // More views than these within one move are as good as all.
  static constexpr size_t before_max = 16;

  bool open_;
  // Whether any topic may have had another owner.
  bool all_;
  // The nodes since all had settled, but for those of now.
  std::vector<peer_set_ptr> before_;
  uint64_t way_ = 0;
};

} // namespace callboard
