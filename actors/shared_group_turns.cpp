#include <callboard/actors/shared_group.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

// Who gets which event of a group, and what becomes of it then.

namespace callboard {

namespace {

// Returns how much a member is the one for a key (rendezvous hashing): where
// members come and go, only their own keys move.
uint64_t weight_of(uint64_t key_hash, member_id id) noexcept {
  // The finalizer of SplitMix64.
  auto hash = key_hash ^ (id * 0x9e3779b97f4a7c15u);
  hash = (hash ^ (hash >> 30)) * 0xbf58476d1ce4e5b9u;
  hash = (hash ^ (hash >> 27)) * 0x94d049bb133111ebu;
  return hash ^ (hash >> 31);
}

} // namespace

bool fewest_given::operator()(const group_member* x,
                              const group_member* y) const noexcept {
  auto key = [](const group_member& z) {
    return std::tuple{z.given.size(), z.chosen, z.id};
  };
  return key(*x) < key(*y);
}

// -- who gets what ------------------------------------------------------------

void shared_group::make_ready(uint64_t offset, entry& x) {
  x.bound = x.event->key.empty() ? nullptr : owner_of(x);
  (x.bound != nullptr ? x.bound->bound : ready_).insert(offset);
}

void shared_group::unready(uint64_t offset, entry& x) {
  auto* from = std::exchange(x.bound, nullptr);
  (from != nullptr ? from->bound : ready_).erase(offset);
}

void shared_group::bind_to(group_member& made) {
  auto move = [&](uint64_t offset, entry& x) {
    x.bound = &made;
    made.bound.insert(offset);
    return true;
  };
  // Where nobody was, keys had no member.
  if (members_.size() == 1)
    std::erase_if(ready_, [&](uint64_t offset) {
      auto& x = entries_.find(offset)->second;
      return !x.event->key.empty() && move(offset, x);
    });
  for (auto& y : members_) {
    if (y.get() == &made)
      continue;
    std::erase_if(y->bound, [&](uint64_t offset) {
      auto& x = entries_.find(offset)->second;
      // Who had it last was to get it again for want of another one only.
      auto stays = x.before != y->id
                   && weight_of(x.key_hash, y->id)
                        >= weight_of(x.key_hash, made.id);
      return !stays && move(offset, x);
    });
  }
}

group_member* shared_group::owner_of(const entry& x) const {
  group_member* result = nullptr;
  uint64_t most = 0;
  for (auto& y : members_) {
    if (y->id == x.before && members_.size() > 1)
      continue;
    auto weight = weight_of(x.key_hash, y->id);
    if (result == nullptr || weight > most) {
      result = y.get();
      most = weight;
    }
  }
  return result;
}

bool shared_group::has_room(const group_member& who,
                            int64_t bytes) const noexcept {
  auto& limits = shared_.limits;
  if (durable_ && shared_.closing)
    return false;
  return !who.paused && !who.held && who.given.size() < limits.inflight_max
         && (who.given.empty()
             || who.bytes + bytes <= limits.inflight_bytes_max);
}

group_member* shared_group::choose(const entry& x) const {
  for (auto* y : by_load_) {
    if (y->given.size() >= shared_.limits.inflight_max)
      return nullptr;
    auto had_it = y->id == x.before && members_.size() > 1;
    if (!had_it && has_room(*y, x.event->cost()))
      return y;
  }
  return nullptr;
}

void shared_group::give(group_member& to, uint64_t offset, int64_t now_ms) {
  auto& x = entries_.find(offset)->second;
  unready(offset, x);
  waiting_.erase(offset);
  x.with = &to;
  x.number = ++shared_.last_number;
  ++x.attempts;
  reach_ = std::max(reach_, offset);
  note_change();
  auto bytes = x.event->cost();
  change(to, [&] {
    to.given.emplace(x.number, group_member::slot{offset, bytes, false});
    to.bytes += bytes;
    to.chosen = ++choices_;
  });
  start_deadline(offset, x, now_ms);
  ++shared_.counts.deliveries;
  if (x.attempts > 1)
    ++shared_.counts.redeliveries;
  shared_.sink.give(to, {x.number, x.event, x.attempts});
}

void shared_group::serve(group_member& who, int64_t now_ms) {
  while (!who.bound.empty()) {
    auto offset = *who.bound.begin();
    if (!has_room(who, entries_.find(offset)->second.event->cost()))
      break;
    give(who, offset, now_ms);
  }
  serve_ready(now_ms);
}

void shared_group::serve_all(int64_t now_ms) {
  for (auto& x : members_)
    if (!x->bound.empty())
      serve(*x, now_ms);
  serve_ready(now_ms);
}

void shared_group::serve_ready(int64_t now_ms) {
  if (members_.empty())
    return;
  for (auto i = ready_.begin(); i != ready_.end();) {
    auto offset = *i++;
    auto& x = entries_.find(offset)->second;
    if (auto* to = choose(x))
      give(*to, offset, now_ms);
    else if (x.before == 0)
      // Who comes later has no better chance, unless it is smaller.
      return;
  }
}

// -- ends of events -----------------------------------------------------------

void shared_group::fail(uint64_t offset) {
  auto& x = entries_.find(offset)->second;
  put_back(offset, x, x.with->id);
  // A node that goes down takes events from members that did nothing wrong.
  if (x.attempts >= shared_.limits.attempts_max && !is_ending())
    bury(offset);
}

void shared_group::put_back(uint64_t offset, entry& x, member_id before) {
  cancel_deadline(x);
  x.with = nullptr;
  x.number = 0;
  x.before = before;
  waiting_.insert(offset);
  make_ready(offset, x);
}

void shared_group::start_deadline(uint64_t offset, entry& x, int64_t now_ms) {
  x.deadline = shared_.deadlines.add(now_ms,
                                     now_ms + shared_.limits.ack_timeout_ms,
                                     {this, offset});
}

void shared_group::cancel_deadline(entry& x) {
  auto& none = shared_.deadlines.none;
  if (auto timer = std::exchange(x.deadline, none); timer != none)
    shared_.deadlines.cancel(timer);
}

void shared_group::bury(uint64_t offset) {
  auto& x = entries_.find(offset)->second;
  ++shared_.counts.dead_letters;
  shared_.sink.bury(*this, x.event, x.attempts);
  finish(offset);
}

group_member* shared_group::finish(uint64_t offset) {
  auto i = entries_.find(offset);
  auto event = i->second.event;
  cancel_deadline(i->second);
  if (waiting_.erase(offset) > 0)
    unready(offset, i->second);
  entries_.erase(i);
  reach_ = std::max(reach_, offset);
  note_change();
  --shared_.events;
  shared_.bytes -= event->cost();
  bytes_ -= event->cost();
  return event->key.empty() ? nullptr : leave_line(offset, event->key);
}

group_member* shared_group::leave_line(uint64_t offset,
                                       const std::string& key) {
  auto i = lines_.find(key);
  auto& line = i->second;
  auto was_first = line.front() == offset;
  line.erase(std::ranges::find(line, offset));
  if (line.empty()) {
    lines_.erase(i);
    return nullptr;
  }
  if (!was_first)
    return nullptr;
  auto& next = entries_.find(line.front())->second;
  make_ready(line.front(), next);
  return next.bound;
}

} // namespace callboard
