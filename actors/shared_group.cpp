#include <callboard/actors/shared_group.hpp>

#include <algorithm>
#include <utility>

namespace callboard {

shared_group::shared_group(group_shared& shared, std::string topic,
                           const group_place& from, uint64_t head, bool durable)
  : shared_{shared},
    topic_{std::move(topic)},
    name_{from.group},
    taken_{std::min(from.place, head)},
    head_{head},
    durable_{durable},
    reach_{std::clamp(from.reach, taken_, head)},
    known_reach_{reach_} {
  for (auto& x : from.open)
    if (x.offset > taken_ && x.offset <= known_reach_)
      known_.emplace(x.offset, x.attempts);
}

shared_group::~shared_group() {
  for (auto& [offset, x] : entries_)
    cancel_deadline(x);
  shared_.bytes -= bytes_;
  shared_.events -= entries_.size();
  shared_.counts.lost += entries_.size();
  if (is_changed_)
    std::erase(shared_.changed, this);
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

std::unique_ptr<group_member> shared_group::take_out(group_member& who) {
  auto i = std::ranges::find(members_, &who,
                             &std::unique_ptr<group_member>::get);
  auto gone = std::move(*i);
  *i = std::move(members_.back());
  members_.pop_back();
  by_load_.erase(gone.get());
  // Those that wait for it are bound to others before anything is given.
  for (auto offset : std::exchange(gone->bound, {}))
    make_ready(offset, entries_.find(offset)->second);
  return gone;
}

void shared_group::leave(group_member& who, int64_t now_ms) {
  auto gone = take_out(who);
  std::set<uint64_t> unconfirmed;
  for (auto& [number, slot] : gone->given)
    if (!slot.stale)
      unconfirmed.insert(slot.offset);
  for (auto offset : unconfirmed) {
    // That somebody had it is still told to who gets it next.
    auto& x = entries_.find(offset)->second;
    if (is_ending() && x.attempts > 1) {
      --x.attempts;
      note_change();
    }
    fail(offset);
  }
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
  while (fetch_ == 0 && taken_ < head_
         && waiting_.size() <= limits.pending_max / 2 && has_room(0)) {
    auto before = taken_;
    fetch_ = ++shared_.last_number;
    auto slice = shared_.sink.read(*this, taken_ + 1,
                                   limits.pending_max - waiting_.size());
    if (slice == nullptr)
      return;
    fetch_ = 0;
    take_slice(*slice, now_ms);
    if (taken_ == before)
      break;
  }
}

void shared_group::fetched(const history_slice& found, int64_t now_ms) {
  fetch_ = 0;
  take_slice(found, now_ms);
  fill(now_ms);
}

void shared_group::topic_loaded(uint64_t head, int64_t now_ms) {
  head_ = std::max(head_, head);
  fill(now_ms);
}

void shared_group::take_slice(const history_slice& found, int64_t now_ms) {
  skip_to(found.events.empty() ? found.head + 1 : found.events.front()->offset);
  for (auto& x : found.events) {
    // It may have passed over some while they were fetched.
    if (x->offset <= taken_)
      continue;
    if (x->offset > head_ || !has_room(x->cost()))
      break;
    take(x);
  }
  serve_all(now_ms);
}

bool shared_group::catch_up() {
  if (taken_ == head_)
    return true;
  auto oldest = shared_.sink.oldest(topic_);
  return !skip_to(oldest == 0 ? head_ + 1 : oldest);
}

bool shared_group::skip_to(uint64_t first) {
  first = std::min(first, head_ + 1);
  if (first <= taken_ + 1)
    return false;
  auto lost = missing(first - 1);
  shared_.counts.lost += lost;
  taken_ = first - 1;
  known_.erase(known_.begin(), known_.lower_bound(first));
  note_change();
  if (lost > 0)
    shared_.sink.tell_gap(*this);
  return lost > 0;
}

uint64_t shared_group::missing(uint64_t last) const {
  auto known = std::distance(known_.begin(), known_.upper_bound(last));
  auto from = std::max(taken_, known_reach_);
  return static_cast<uint64_t>(known) + (last > from ? last - from : 0);
}

bool shared_group::has_room(int64_t bytes) const noexcept {
  return waiting_.size() < shared_.limits.pending_max
         && (entries_.empty() || !is_greedy(bytes));
}

void shared_group::take(const publication_ptr& event) {
  auto offset = event->offset;
  taken_ = offset;
  touched_ = true;
  uint32_t attempts = 0;
  if (offset <= known_reach_) {
    auto known = known_.extract(offset);
    if (!known)
      return;
    // That it was not confirmed need not be its members' fault.
    attempts = std::min(known.mapped(), shared_.limits.attempts_max - 1);
  }
  auto& x = add(event);
  x.attempts = attempts;
  wait(offset, x);
}

shared_group::entry& shared_group::add(const publication_ptr& event) {
  ++shared_.events;
  shared_.bytes += event->cost();
  bytes_ += event->cost();
  auto& x = entries_[event->offset];
  x.event = event;
  if (!event->key.empty()) {
    x.key_hash = hash_of(event->key);
    lines_[event->key].push_back(event->offset);
  }
  return x;
}

bool shared_group::is_first(uint64_t offset, const entry& x) const {
  auto& key = x.event->key;
  return key.empty() || lines_.find(key)->second.front() == offset;
}

void shared_group::wait(uint64_t offset, entry& x) {
  waiting_.insert(offset);
  if (is_first(offset, x))
    make_ready(offset, x);
}

// -- state --------------------------------------------------------------------

uint64_t shared_group::place() const noexcept {
  return entries_.empty() ? taken_ : entries_.begin()->first - 1;
}

group_place shared_group::state() const {
  group_place result;
  result.group = name_;
  result.place = place();
  result.reach = std::max(reach_, result.place);
  auto add = [&result](uint64_t offset, uint32_t attempts) {
    if (offset > result.reach)
      return false;
    if (result.open.size() == group_place::open_max) {
      result.reach = offset - 1;
      return false;
    }
    result.open.push_back({offset, attempts});
    return true;
  };
  for (auto& [offset, x] : entries_)
    if (!add(offset, x.attempts))
      return result;
  for (auto& [offset, attempts] : known_)
    if (!add(offset, attempts))
      return result;
  return result;
}

void shared_group::note_change() {
  if (durable_ && !std::exchange(is_changed_, true))
    shared_.changed.push_back(this);
}

} // namespace callboard
