#include <callboard/actors/cluster/topic_moves.hpp>

#include <algorithm>

namespace callboard {

namespace {

uint64_t mixed(uint64_t way, const peer_set& x) {
  // FNV-1a, as for names.
  return (way ^ hash_of(x.coordinator) ^ x.number) * 0x100000001b3u;
}

// Returns whether nodes have come that were in the cluster before this one:
// it has joined them, and their topics go on rather than its own.
bool joins(const peer_set& now, const peer_set& old) {
  for (auto slot : now.order) {
    if (slot == peer_set::here)
      return false;
    if (!now.same_at(slot, old))
      return true;
  }
  return false;
}

} // namespace

void topic_moves::begin(const peer_set_ptr& old, const peer_set& now,
                        bool first) {
  auto is_new = first || !now.same_view(*old);
  if (!open_) {
    all_ = false;
    before_.clear();
  }
  before_.push_back(old);
  open_ = true;
  all_ |= first || joins(now, *old) || before_.size() > before_max;
  if (all_ && before_.size() > before_max)
    before_.pop_back();
  if (is_new)
    way_ = mixed(way_, now);
  gaps.begin(now, *old, flush);
  flush.begin(now, *old, is_new);
  for (auto& x : outgoing)
    x.restart();
}

void topic_moves::end(const peer_set& now) {
  open_ = all_ = false;
  before_.clear();
  ranks.clear();
  way_ = mixed(0, now);
}

bool topic_moves::moves(std::string_view topic,
                        const peer_set& now) const noexcept {
  if (!open_ || all_)
    return open_;
  auto owner = now.owner_of(topic);
  return std::ranges::any_of(before_, [&](const peer_set_ptr& x) {
    return x->owner_of(topic) != owner
           || (owner != peer_set::here && !now.same_at(owner, *x));
  });
}

bool topic_moves::lost_owner(std::string_view topic,
                             const peer_set& now) const noexcept {
  if (now.owner_of(topic) == peer_set::nobody)
    return false;
  return std::ranges::any_of(before_, [&](const peer_set_ptr& x) {
    auto slot = x->owner_of(topic);
    return slot != peer_set::here && !now.same_at(slot, *x);
  });
}

bool topic_moves::from_before(uint32_t slot, uint64_t view,
                              std::string_view topic,
                              const peer_set& now) const noexcept {
  return !before_.empty() && view <= before_.front()->number
         && before_.front()->owner_of(topic) == slot
         && now.same_at(slot, *before_.front());
}

bool topic_moves::owned(uint32_t slot, std::string_view topic,
                        const peer_set& now) const noexcept {
  return now.owner_of(topic) == slot
         || std::ranges::any_of(before_, [&](const peer_set_ptr& x) {
              return x->owner_of(topic) == slot && now.same_at(slot, *x);
            });
}

void topic_moves::cancel(uint32_t loop, std::string_view topic) {
  parked.cancel(topic, loop);
  auto i = arrivals.find(topic);
  if (i == arrivals.end())
    return;
  auto& x = i->second;
  x.loops.set(loop, false);
  std::erase_if(x.asked, [loop](auto& y) { return y.first == loop; });
  if (x.loops.empty())
    arrivals.erase(i);
}

} // namespace callboard
