#include <callboard/actors/shared_group.hpp>

#include <algorithm>
#include <utility>

namespace callboard {

shared_group::shared_group(group_shared& shared, std::string topic,
                           std::string name, uint64_t place, uint64_t head)
  : shared_{shared},
    topic_{std::move(topic)},
    name_{std::move(name)},
    taken_{place},
    head_{head} {
}

shared_group::~shared_group() {
  for (auto& [offset, x] : entries_)
    cancel_deadline(x);
  shared_.bytes -= bytes_;
  shared_.events -= entries_.size();
  shared_.counts.lost += entries_.size();
}

// -- members ------------------------------------------------------------------

group_member& shared_group::join(member_id id, caf::weak_actor_ptr who,
                                 bool embedded) {
  auto& made = *members_.emplace_back(std::make_unique<group_member>());
  made.id = id;
  made.group = this;
  made.who = std::move(who);
  made.embedded = embedded;
  made.chosen = ++choices_;
  by_load_.insert(&made);
  bind_to(made);
  return made;
}

void shared_group::go_on(int64_t now_ms) {
  serve_all(now_ms);
  fill(now_ms);
}

void shared_group::leave(group_member& who, int64_t now_ms) {
  auto i = std::ranges::find(members_, &who,
                             &std::unique_ptr<group_member>::get);
  auto gone = std::move(*i);
  *i = std::move(members_.back());
  members_.pop_back();
  by_load_.erase(gone.get());
  // Those that wait for it are bound to others before anything is given.
  for (auto offset : std::exchange(gone->bound, {}))
    make_ready(offset, entries_.find(offset)->second);
  std::set<uint64_t> unconfirmed;
  for (auto& [number, slot] : gone->given)
    if (!slot.stale)
      unconfirmed.insert(slot.offset);
  for (auto offset : unconfirmed)
    fail(offset);
  go_on(now_ms);
}

void shared_group::confirm(group_member& who, uint64_t number, int64_t now_ms) {
  if (auto offset = take_back(who, number)) {
    ++shared_.counts.confirmations;
    proven_ = true;
    // The next one with its key can be somebody else's.
    if (auto* next = finish(offset); next != nullptr && next != &who)
      serve(*next, now_ms);
  }
  serve(who, now_ms);
  fill(now_ms);
}

void shared_group::reject(group_member& who, uint64_t number, int64_t now_ms) {
  if (auto offset = take_back(who, number))
    fail(offset);
  go_on(now_ms);
}

void shared_group::give_back(group_member& who, uint64_t number,
                             int64_t now_ms) {
  who.paused = true;
  if (auto offset = take_back(who, number)) {
    auto& x = entries_.find(offset)->second;
    // It did not count, and the same one may get it later.
    --x.attempts;
    put_back(offset, x, 0);
  }
  serve_all(now_ms);
}

void shared_group::resume(group_member& who, int64_t now_ms) {
  who.paused = false;
  serve(who, now_ms);
  fill(now_ms);
}

void shared_group::time_out(uint64_t offset, int64_t now_ms) {
  auto& x = entries_.find(offset)->second;
  auto& who = *x.with;
  // It has fired.
  x.deadline = shared_.deadlines.none;
  ++shared_.counts.timeouts;
  if (who.embedded) {
    // What it was sent lies in its mailbox as long as it has not answered.
    who.given.find(x.number)->second.stale = true;
  } else {
    auto number = x.number;
    take_back(who, number);
    shared_.sink.withdraw(who, number);
  }
  fail(offset);
  go_on(now_ms);
}

uint64_t shared_group::take_back(group_member& who, uint64_t number) {
  auto i = who.given.find(number);
  if (i == who.given.end())
    return 0;
  auto slot = i->second;
  change(who, [&] {
    who.given.erase(i);
    who.bytes -= slot.bytes;
  });
  return slot.stale ? 0 : slot.offset;
}

// -- the topic ----------------------------------------------------------------

void shared_group::publish(const publication_ptr& event, bool kept,
                           int64_t now_ms) {
  head_ = event->offset;
  auto next = taken_ + 1 == event->offset;
  if (kept && (!next || !has_room(event->cost())))
    return;
  if (!next) {
    shared_.counts.lost += event->offset - taken_ - 1;
    shared_.sink.tell_gap(*this);
  }
  take(event);
  // Without a history the oldest ones give way to the new one. What is too many
  // bytes must not be given to anybody before.
  while (!kept && !waiting_.empty() && entries_.size() > 1 && is_greedy())
    bury(*waiting_.begin());
  serve_all(now_ms);
  if (kept || waiting_.size() <= shared_.limits.pending_max)
    return;
  while (waiting_.size() > shared_.limits.pending_max)
    bury(*waiting_.begin());
  // What was behind these can be for somebody who has room.
  serve_all(now_ms);
}

void shared_group::fill(int64_t now_ms) {
  auto& limits = shared_.limits;
  // Half of the room is let become free first, because each look costs.
  while (taken_ < head_ && waiting_.size() <= limits.pending_max / 2
         && has_room(0)) {
    auto before = taken_;
    auto slice = shared_.sink.read(topic_, taken_ + 1,
                                   limits.pending_max - waiting_.size());
    skip_to(*slice);
    for (auto& x : slice->events) {
      if (x->offset > head_ || !has_room(x->cost()))
        break;
      take(x);
    }
    serve_all(now_ms);
    if (taken_ == before)
      break;
  }
}

bool shared_group::catch_up() {
  return taken_ == head_ || !skip_to(*shared_.sink.read(topic_, taken_ + 1, 1));
}

bool shared_group::skip_to(const history_slice& found) {
  auto first = found.events.empty()
                 ? head_ + 1
                 : std::min(found.events.front()->offset, head_ + 1);
  if (first <= taken_ + 1)
    return false;
  shared_.counts.lost += first - taken_ - 1;
  taken_ = first - 1;
  shared_.sink.tell_gap(*this);
  return true;
}

bool shared_group::has_room(int64_t bytes) const noexcept {
  return waiting_.size() < shared_.limits.pending_max
         && (entries_.empty() || !is_greedy(bytes));
}

void shared_group::take(const publication_ptr& event) {
  auto offset = event->offset;
  taken_ = offset;
  touched_ = true;
  ++shared_.events;
  shared_.bytes += event->cost();
  bytes_ += event->cost();
  auto& x = entries_[offset];
  x.event = event;
  waiting_.insert(offset);
  if (!event->key.empty()) {
    x.key_hash = hash_of(event->key);
    auto& line = lines_[event->key];
    line.push_back(offset);
    if (line.size() > 1)
      return;
  }
  make_ready(offset, x);
}

} // namespace callboard
