#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <caf/byte_buffer.hpp>

#include <callboard/actors/cluster/messages.hpp>
#include <callboard/actors/cluster/peer_frames.hpp>
#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/string_hash.hpp>

namespace callboard {

/// A loop's side of the links to other nodes: what its shards have to tell them
/// is gathered here, and goes out as one message for each shard of theirs at
/// the end of the turn. Used on the loop's thread only.
class loop_peers {
public:
  /// A batch of so many bytes does not wait for the turn's end.
  static constexpr size_t batch_bytes_max = 64 * 1024;

  /// Of no cluster: this node owns every topic, but for those that nodes of the
  /// cluster keep which it is about to be in.
  explicit loop_peers(const store_nodes_ptr& stores = nullptr);

  /// Lets what is sent from now on go to these nodes. What has not gone out to
  /// those that are gone is dropped.
  void install(peer_set_ptr x);

  [[nodiscard]] const peer_set& nodes() const noexcept {
    return *nodes_;
  }

  /// Returns the same, to be kept.
  [[nodiscard]] const peer_set_ptr& shared_nodes() const noexcept {
    return nodes_;
  }

  /// Returns the slot of the node that owns `topic`; `peer_set::here` if this
  /// one does, `peer_set::nobody` where no node does for now.
  [[nodiscard]] uint32_t owner_of(std::string_view topic) const noexcept {
    return nodes_->owner_of(topic);
  }

  /// Returns a number that no shard of this loop has had: an answer to one that
  /// is no more is not taken for that to another question.
  uint64_t new_number() noexcept {
    return ++last_number_;
  }

  /// Sends a frame to a shard of another node. It is dropped where there is no
  /// such node or shard.
  template <class Frame>
  void send_to(shard_kind kind, uint32_t slot, uint32_t shard, const Frame& x) {
    auto* node = nodes_->at(slot);
    if (node == nullptr || shard >= node->who.loops)
      return;
    auto& to = lane_of(kind, slot, shard);
    if (to.frames.empty())
      to.frames.reserve(to.expected);
    append_frame(to.frames, x);
    ++to.count;
    if (to.frames.size() >= batch_bytes_max)
      send_batch(to);
  }

  /// Sends a frame to the shard that a topic or action has at another node.
  template <class Frame>
  void
  send(shard_kind kind, uint32_t slot, std::string_view name, const Frame& x) {
    if (auto* node = nodes_->at(slot))
      send_to(kind, slot, shard_of(name, node->who.loops), x);
  }

  /// Sends a frame to every shard of this kind at another node.
  template <class Frame>
  void send_to_all(shard_kind kind, uint32_t slot, const Frame& x) {
    if (auto* node = nodes_->at(slot))
      for (uint32_t shard = 0; shard < node->who.loops; ++shard)
        send_to(kind, slot, shard, x);
  }

  /// Sends all that waits.
  void flush();

private:
  /// What waits for one shard of one node.
  struct lane {
    shard_kind kind = shard_kind::broker;
    uint32_t slot = 0;
    uint32_t shard = 0;
    uint32_t count = 0;
    bool listed = false;
    // Bytes of the next batch: as many as the last one had, or some more.
    size_t expected = 0;
    caf::byte_buffer frames;
  };

  // By the shard of the node, those of a kind one behind the other.
  using node_lanes = std::array<std::vector<lane>, shard_kind_count>;

  // Returns the lane, which will be flushed.
  lane& lane_of(shard_kind kind, uint32_t slot, uint32_t shard);

  void send_batch(lane& x);

  peer_set_ptr nodes_;
  uint64_t last_number_ = 0;
  std::vector<node_lanes> lanes_;
  // Those that something waits in, by slot, kind and shard.
  std::vector<std::array<uint32_t, 3>> waiting_;
};

} // namespace callboard
