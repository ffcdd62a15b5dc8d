#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/cluster/placement.hpp>
#include <callboard/actors/cluster/store_nodes.hpp>
#include <callboard/actors/cluster/view.hpp>

namespace callboard {

/// What has gone to another node and what has come from it, in bytes of
/// batches since the link to it began. Any thread.
struct link_traffic {
  std::atomic<uint64_t> sent = 0;
  /// What the other one has said that it is done with.
  std::atomic<uint64_t> acknowledged = 0;
  /// What this node is done with.
  std::atomic<uint64_t> received = 0;
  /// Batches, and frames in them.
  std::atomic<uint64_t> batches_sent = 0;
  std::atomic<uint64_t> frames_sent = 0;

  /// Returns how many bytes are on their way.
  [[nodiscard]] uint64_t outstanding() const noexcept {
    auto done = acknowledged.load(std::memory_order_relaxed);
    auto all = sent.load(std::memory_order_relaxed);
    return all > done ? all - done : 0;
  }
};

using link_traffic_ptr = std::shared_ptr<link_traffic>;

/// Goes along with a batch to its shard, and counts it as received when it goes
/// and the shard has not taken that over: as the shard is dead, or dies before
/// it is done with it.
class batch_credit {
public:
  batch_credit(link_traffic_ptr link, uint64_t bytes) noexcept
    : link_{std::move(link)}, bytes_{bytes} {
  }

  ~batch_credit() {
    link_->received.fetch_add(bytes_, std::memory_order_relaxed);
  }

  batch_credit(const batch_credit&) = delete;

  batch_credit& operator=(const batch_credit&) = delete;

  /// The shard says so when it is done with the batch.
  void take_over() noexcept {
    bytes_ = 0;
  }

private:
  link_traffic_ptr link_;
  uint64_t bytes_;
};

/// Another node, as the loops of this one know it.
struct peer_node {
  member who;
  /// Its cluster actor, which takes a `peer_batch` for any of its shards.
  caf::actor gate;
  /// What it has numbered the link from here.
  uint64_t link = 0;
  link_traffic_ptr traffic;
};

/// The nodes of a view, as the loops of one of them know them. Immutable once
/// it is installed; any thread.
class peer_set : public caf::ref_counted {
public:
  /// Of the view, and who made it.
  uint64_t number = 0;
  std::string coordinator;
  /// The other nodes, at their slots. A slot is empty where a node was, until
  /// another one takes it.
  std::vector<std::optional<peer_node>> slots;
  /// All in the order in which they joined: their slots; `here` for this node.
  std::vector<uint32_t> order;
  /// Those that own topics, this one among them; but for durable topics.
  placement owners;
  /// For each of these its slot; `here` for this node.
  std::vector<uint32_t> owner_slots;
  /// Those that own durable topics, whether they are there or not; null: no
  /// topic is durable.
  store_nodes_ptr stores;
  /// For each of these its slot, `here` for this node, or `nobody`.
  std::vector<uint32_t> store_slots;
  /// What may be on its way to one of them, in bytes; beyond that it is down.
  uint64_t outbox_bytes_max = 64 * 1024 * 1024;

  static constexpr auto here = ~uint32_t{0};

  /// In place of the slot of a node that is not there.
  static constexpr auto nobody = here - 1;

  /// Returns whether a topic is durable: only nodes that keep it own it, and
  /// nobody does while none of these is there.
  [[nodiscard]] bool durable(std::string_view topic) const noexcept {
    return stores != nullptr && stores->keep(topic);
  }

  /// Returns the slot of the node that owns `topic`; `here` if this one does,
  /// `nobody` for a durable topic that has no owner for now.
  [[nodiscard]] uint32_t owner_of(std::string_view topic) const noexcept {
    if (stores != nullptr)
      if (auto who = stores->voters_of(topic); who.keepers > 0)
        return first_of(who);
    return owner_slots.empty() ? here : owner_slots[owners.owner_of(topic)];
  }

  /// Returns the slot of the first node of those that keep a durable topic that
  /// is there, or `nobody`.
  [[nodiscard]] uint32_t first_of(const topic_voters& who) const noexcept {
    for (uint32_t i = 0; i < who.keepers; ++i)
      if (auto slot = store_slots[who.places[i]]; slot != nobody)
        return slot;
    return nobody;
  }

  /// Returns whether so much is on its way to the node at `slot` that nothing
  /// new should be sent, unless it must.
  [[nodiscard]] bool congested(uint32_t slot) const noexcept {
    auto* x = at(slot);
    return x != nullptr && x->traffic->outstanding() > outbox_bytes_max / 2;
  }

  /// Returns whether the same run of the same node is at `slot` in `other`, and
  /// the two have not begun anew in between.
  [[nodiscard]] bool same_at(uint32_t slot,
                             const peer_set& other) const noexcept {
    auto* x = at(slot);
    auto* y = other.at(slot);
    return x != nullptr && y != nullptr && x->traffic == y->traffic
           && x->who.same_run(y->who);
  }

  /// Returns whether both are the same view.
  [[nodiscard]] bool same_view(const peer_set& other) const noexcept {
    return number == other.number && coordinator == other.coordinator;
  }

  /// Returns how many nodes have joined before the one at `slot`.
  [[nodiscard]] uint32_t rank_of(uint32_t slot) const noexcept {
    auto i = std::ranges::find(order, slot);
    return static_cast<uint32_t>(i - order.begin());
  }

  /// Returns the node at `slot`, or null.
  [[nodiscard]] const peer_node* at(uint32_t slot) const noexcept {
    return slot < slots.size() && slots[slot] ? &*slots[slot] : nullptr;
  }
};

using peer_set_ptr = caf::intrusive_ptr<const peer_set>;

} // namespace callboard
