#include <callboard/actors/cluster/pattern_gaps.hpp>

#include <callboard/actors/cluster/membership.hpp>

namespace callboard {

namespace {

// Returns whether a node that owns durable topics has come or gone: those that
// have copies may have another owner, and one that comes serves its topics
// before it knows who wants them.
bool stores_differ(const peer_set& now, const peer_set& old) {
  if (now.store_slots != old.store_slots)
    return true;
  return std::ranges::any_of(now.store_slots, [&](uint32_t slot) {
    return now.at(slot) != nullptr && !now.same_at(slot, old);
  });
}

} // namespace

void pattern_gaps::begin(const peer_set& now, const peer_set& old,
                         const view_flush& flush) {
  std::erase_if(begun_anew_,
                [&](auto& x) { return !now.same_at(x.first, old); });
  for (uint32_t slot = 0; slot < old.slots.size(); ++slot) {
    auto* x = old.at(slot);
    if (x == nullptr || now.same_at(slot, old))
      continue;
    auto owned = std::ranges::find(old.owner_slots, slot)
                 != old.owner_slots.end();
    // Else it has left: its topics went to others, and all its events came.
    // Those that stay with it are durable.
    if (owned || !flush.settled(slot)) {
      lose(x->who);
      note(extent::all);
    }
  }
  heard_.resize(now.slots.size());
  for (uint32_t slot = 0; slot < heard_.size(); ++slot) {
    auto* x = now.at(slot);
    if (x != nullptr && now.same_at(slot, old))
      continue;
    heard_[slot].assign(x != nullptr ? x->who.loops : 0, false);
    // What was published where it was meanwhile never came here.
    if (x != nullptr && is_back(x->who))
      note(extent::all);
  }
  if (stores_differ(now, old))
    note(extent::durable);
}

void pattern_gaps::take_reset(uint32_t slot, uint32_t shard) {
  if (is_first(slot, shard))
    return;
  note(extent::all);
  begun_anew_.emplace(slot, shard);
}

void pattern_gaps::take_handed(uint32_t slot, uint32_t shard) {
  is_first(slot, shard);
}

pattern_gaps::extent pattern_gaps::take() noexcept {
  settled_ = true;
  return begun_anew_.empty() ? std::exchange(missed_, extent::none)
                             : extent::none;
}

bool pattern_gaps::is_first(uint32_t slot, uint32_t shard) {
  if (slot >= heard_.size() || shard >= heard_[slot].size())
    return true;
  auto first = !heard_[slot][shard];
  heard_[slot][shard] = true;
  return first;
}

void pattern_gaps::lose(const member& who) {
  is_back(who);
  if (lost_runs_.size() == runs_max)
    lost_runs_.pop_front();
  lost_runs_.push_back(run_of(who));
}

bool pattern_gaps::is_back(const member& who) {
  return std::erase(lost_runs_, run_of(who)) > 0;
}

} // namespace callboard
