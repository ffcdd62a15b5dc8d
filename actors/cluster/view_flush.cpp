#include <callboard/actors/cluster/view_flush.hpp>

#include <algorithm>

namespace callboard {

void view_flush::begin(const peer_set& now, const peer_set& old, bool anew) {
  nodes_.resize(now.slots.size());
  for (uint32_t slot = 0; slot < nodes_.size(); ++slot) {
    auto* x = now.at(slot);
    if (x != nullptr && !anew && now.same_at(slot, old))
      continue;
    nodes_[slot] = {};
    if (x == nullptr)
      continue;
    nodes_[slot].is_there = true;
    nodes_[slot].handed.resize(x->who.loops);
    nodes_[slot].settled.resize(x->who.loops);
  }
}

void view_flush::take_handed(uint32_t slot, uint32_t shard) {
  note(&node::handed, slot, shard);
}

void view_flush::take_settled(uint32_t slot, uint32_t shard) {
  note(&node::settled, slot, shard);
}

bool view_flush::settled(uint32_t slot) const noexcept {
  return slot < nodes_.size() && nodes_[slot].is_there
         && std::ranges::find(nodes_[slot].settled, false)
              == nodes_[slot].settled.end();
}

bool view_flush::all_handed() const noexcept {
  return all(&node::handed);
}

bool view_flush::all_settled() const noexcept {
  return all(&node::settled);
}

void view_flush::note(std::vector<bool> node::*by_shard, uint32_t slot,
                      uint32_t shard) {
  if (slot >= nodes_.size())
    return;
  auto& shards = nodes_[slot].*by_shard;
  if (shard < shards.size())
    shards[shard] = true;
}

bool view_flush::all(std::vector<bool> node::*by_shard) const noexcept {
  return std::ranges::all_of(nodes_, [=](const node& x) {
    auto& shards = x.*by_shard;
    return std::ranges::find(shards, false) == shards.end();
  });
}

} // namespace callboard
