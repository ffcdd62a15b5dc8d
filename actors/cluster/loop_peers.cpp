#include <callboard/actors/cluster/loop_peers.hpp>

#include <utility>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/cluster/peer_slots.hpp>
#include <callboard/actors/type_ids.hpp>

namespace callboard {

loop_peers::loop_peers(const store_nodes_ptr& stores) {
  auto none = caf::make_counted<peer_set>();
  add_stores(*none, stores, {});
  nodes_ = std::move(none);
}

void loop_peers::install(peer_set_ptr x) {
  auto old = std::exchange(nodes_, std::move(x));
  for (uint32_t slot = 0; slot < lanes_.size(); ++slot) {
    if (nodes_->same_at(slot, *old))
      continue;
    for (auto& lanes : lanes_[slot])
      lanes.clear();
    std::erase_if(waiting_, [slot](auto& at) { return at[0] == slot; });
  }
  lanes_.resize(nodes_->slots.size());
}

loop_peers::lane& loop_peers::lane_of(shard_kind kind, uint32_t slot,
                                      uint32_t shard) {
  auto index = static_cast<uint32_t>(kind);
  auto& lanes = lanes_[slot][index];
  if (shard >= lanes.size())
    lanes.resize(shard + 1);
  auto& result = lanes[shard];
  if (!result.listed) {
    result = {kind, slot, shard, 0, true, result.expected, {}};
    waiting_.push_back({slot, index, shard});
  }
  return result;
}

void loop_peers::send_batch(lane& x) {
  if (x.frames.empty())
    return;
  auto& to = *nodes_->at(x.slot);
  auto& traffic = *to.traffic;
  auto count = std::exchange(x.count, 0);
  constexpr auto relaxed = std::memory_order_relaxed;
  traffic.sent.fetch_add(x.frames.size(), relaxed);
  traffic.batches_sent.fetch_add(1, relaxed);
  traffic.frames_sent.fetch_add(count, relaxed);
  peer_batch batch;
  batch.link = to.link;
  batch.view = nodes_->number;
  batch.kind = static_cast<uint8_t>(x.kind);
  batch.shard = x.shard;
  batch.acknowledged = traffic.received.load(relaxed);
  batch.frames = std::exchange(x.frames, {});
  x.expected = batch.frames.size() + batch.frames.size() / 4;
  caf::anon_send(to.gate, std::move(batch));
}

void loop_peers::flush() {
  for (auto [slot, kind, shard] : waiting_) {
    auto& x = lanes_[slot][kind][shard];
    x.listed = false;
    send_batch(x);
  }
  waiting_.clear();
}

} // namespace callboard
