#include <callboard/actors/cluster/topic_replica.hpp>

#include <algorithm>
#include <memory>

// As any voter. A message says nothing that is not on the disk, but for what
// the owner asks.

namespace callboard {

topic_replica::topic_replica(const seats& who, const replica_record& from,
                             group_places_ptr places)
  : who_{who},
    disk_{from},
    now_{from},
    disk_places_{places},
    now_places_{std::move(places)},
    seen_{from.promised} {
  // It goes on by that, if it was level.
  if (now_.term == now_.promised && now_.term != 0
      && now_.term % 4 < who_.voters) {
    source_.term = source_.log_term = now_.term;
    source_.place = static_cast<uint32_t>(now_.term % 4);
  }
}

void topic_replica::take(uint32_t from, const replica_message& x) {
  if (x.keepers != who_.keepers)
    return;
  seen_ = std::max({seen_, x.term, x.promised});
  switch (x.what) {
    case replica_call::vote:
      return take_vote(from, x);
    case replica_call::level:
      return take_level(from, x);
    case replica_call::events:
      return take_events(from, x);
    case replica_call::vouched:
      if (stage_ != stage::follows && x.term == term_) {
        vouched_ = true;
        advance();
      }
      return;
    case replica_call::refuse:
      return take_refusal(x);
    default:
      break;
  }
  // The others come from an owner.
  if (x.term < now_.promised) {
    auto answer = make(replica_call::refuse, x.term);
    answer.promised = now_.promised;
    return send(from, std::move(answer));
  }
  if (x.term > now_.promised && stage_ != stage::follows)
    step_down();
  switch (x.what) {
    case replica_call::ask:
      return take_ask(from, x);
    case replica_call::begin:
      return take_begin(from, x);
    case replica_call::fetch:
      return take_fetch(from, x);
    case replica_call::append:
      return take_append(from, x);
    default:
      return take_vouch(from, x);
  }
}

void topic_replica::written() {
  auto done = std::move(pending_.front());
  pending_.pop_front();
  disk_ = done.after;
  disk_places_ = std::move(done.places);
  if (done.reply) {
    auto x = done.reply->second == replica_call::vote
               ? make_vote(done.term)
               : make(done.reply->second, done.term);
    x.head = disk_.head;
    x.placed = disk_.placed;
    send(done.reply->first, std::move(x));
  }
  if (stage_ == stage::follows)
    follow_on();
  else
    advance();
}

replica_message topic_replica::make(replica_call what, uint64_t term) {
  replica_message x;
  x.what = what;
  x.term = term;
  return x;
}

replica_message topic_replica::make_vote(uint64_t term) const {
  auto x = make(replica_call::vote, term);
  x.log_term = disk_.term;
  x.head = disk_.head;
  x.agreed = disk_.agreed;
  x.floor = disk_.floor;
  x.whole = disk_.whole();
  x.forgot = disk_.forgot;
  x.epoch = disk_.epoch;
  x.placed = disk_.placed;
  x.places = disk_places_;
  return x;
}

void topic_replica::take_ask(uint32_t from, const replica_message& x) {
  // It is said each second, for as long as a disk may hang.
  if (will_say(from, replica_call::vote, x.term))
    return;
  now_.promised = x.term;
  if (source_.term < x.term) {
    source_ = {};
    fetching_ = false;
    forget_early();
  }
  write({}, from, replica_call::vote, x.term);
}

void topic_replica::take_vouch(uint32_t from, const replica_message& x) {
  if (will_say(from, replica_call::vouched, x.term))
    return;
  now_.promised = x.term;
  now_.floor = x.term;
  // Both keepers are level in this term, if it was restored.
  now_.forgot = false;
  write({}, from, replica_call::vouched, x.term);
}

void topic_replica::take_fetch(uint32_t from, const replica_message& x) {
  // Only what it has promised holds still; and it is of no other log.
  if (x.term != now_.promised)
    return;
  stalled_ = 0;
  effects_.reads.push_back({from, x.term, disk_.epoch, x.first, disk_.head});
}

// -- coming level -------------------------------------------------------------

void topic_replica::take_begin(uint32_t from, const replica_message& x) {
  if (!keeps(who_.self))
    return;
  if (source_.term == x.term) {
    // It is said again.
    if (now_.term == x.term)
      say_level();
    return follow_on();
  }
  now_.promised = x.term;
  source_ = {x.term, from, x.log_term, x.head, x.placed, x.places};
  fetching_ = false;
  wanted_ = x.head;
  forget_early();
  // What is behind its head nobody has acknowledged.
  if (!begins_like(x.log_term, x.epoch))
    cut_to_agreed(now_.term < x.log_term ? x.log_term : x.term, x.epoch,
                  x.epoch);
  now_.head = std::min(now_.head, x.head);
  now_.agreed = std::max(now_.agreed, x.agreed);
  replica_write change;
  change.upto = now_.head;
  if (now_.head < x.head)
    return write(std::move(change));
  // There is nothing to fetch.
  be_level(change);
  write(std::move(change), from, replica_call::level, x.term);
}

bool topic_replica::begins_like(uint64_t log_term,
                                const std::string& epoch) const {
  return now_.whole() && now_.term == log_term && now_.epoch == epoch;
}

void topic_replica::cut_to_agreed(uint64_t floor, const std::string& epoch,
                                  const std::string& new_epoch) {
  if (now_.epoch == epoch) {
    now_.head = std::min(now_.head, now_.agreed);
  } else {
    now_.head = 0;
    now_.agreed = 0;
  }
  now_.floor = std::max(now_.floor, floor);
  now_.epoch = new_epoch;
}

void topic_replica::follow_on() {
  if (source_.term == 0 || !pending_.empty())
    return;
  if (now_.term != source_.term && now_.head >= source_.head) {
    replica_write change;
    be_level(change);
    return write(std::move(change), source_.place, replica_call::level,
                 source_.term);
  }
  if (now_.head < wanted_)
    fetch();
}

void topic_replica::fetch() {
  if (std::exchange(fetching_, true))
    return;
  auto x = make(replica_call::fetch, source_.term);
  x.first = now_.head + 1;
  send(source_.place, std::move(x));
}

void topic_replica::take_events(uint32_t from, const replica_message& x) {
  // Of another question than the last one it would not say what is gone.
  if (!fetching_ || x.term != source_.term || from != source_.place
      || x.first != now_.head + 1)
    return;
  fetching_ = false;
  stalled_ = 0;
  auto next = x.events.empty() ? x.head + 1 : x.events.front()->offset;
  if (next < x.first)
    return;
  replica_write change;
  if (next > x.first) {
    change.behind = true;
    change.upto = next - 1;
    now_.head = next - 1;
  }
  add(change, x.events);
  if (!change.behind && change.events.empty())
    return;
  if (stage_ != stage::follows)
    return write(std::move(change));
  if (now_.term != source_.term && now_.head < source_.head)
    return write(std::move(change));
  // What the owner has appended since is of its term: none of it is written as
  // if it were of the log that the term began with.
  if (now_.term != source_.term)
    be_level(change);
  write(std::move(change), from, replica_call::level, source_.term);
}

void topic_replica::be_level(replica_write& to) {
  now_.term = source_.term;
  now_.forgot = false;
  set_places(to, source_.placed, source_.places);
}

void topic_replica::set_places(replica_write& to, uint64_t placed,
                               group_places_ptr x) {
  // Whoever has none says so: they may be others than those here.
  static const auto none = std::make_shared<const std::vector<group_place>>();
  now_.placed = placed;
  now_places_ = x != nullptr ? std::move(x) : none;
  to.places = now_places_;
}

void topic_replica::take_append(uint32_t from, const replica_message& x) {
  if (source_.term != x.term)
    return;
  wanted_ = std::max(wanted_, x.head);
  auto level = now_.term == x.term;
  replica_write change;
  if (level)
    add(change, x.events);
  for (auto& event : x.events)
    if (event->offset > now_.head)
      keep_early(event);
  now_.agreed = std::max(now_.agreed, x.agreed);
  if (x.places != nullptr
      && x.placed > (level ? now_.placed : source_.placed)) {
    if (level)
      set_places(change, x.placed, x.places);
    source_.placed = x.placed;
    source_.places = x.places;
  }
  if (!change.events.empty() || change.places != nullptr)
    write(std::move(change), from, replica_call::level, x.term);
  else if (level && x.events.empty())
    // It has not heard how far this one is.
    say_level();
  follow_on();
}

void topic_replica::say_level() {
  // What is being written is told when it is on the disk.
  if (!pending_.empty())
    return;
  auto x = make(replica_call::level, source_.term);
  x.head = disk_.head;
  x.placed = disk_.placed;
  send(source_.place, std::move(x));
}

bool topic_replica::will_say(uint32_t to, replica_call what,
                             uint64_t term) const {
  std::pair reply{to, what};
  return std::ranges::any_of(pending_, [&](const pending_write& x) {
    return x.term == term && x.reply == reply;
  });
}

void topic_replica::add(replica_write& to,
                        const std::vector<publication_ptr>& events) {
  auto add_next = [&](const publication_ptr& x) {
    if (x->offset != now_.head + 1)
      return;
    now_.head = x->offset;
    to.events.push_back(x);
  };
  for (auto& x : events)
    add_next(x);
  while (!early_.empty() && early_.begin()->first <= now_.head + 1) {
    add_next(early_.begin()->second);
    drop_first_early();
  }
}

void topic_replica::keep_early(const publication_ptr& x) {
  if (!early_.emplace(x->offset, x).second)
    return;
  early_bytes_ += x->cost();
  // The last ones are those that will follow what is fetched.
  while (early_.size() > early_max || early_bytes_ > early_bytes_max)
    drop_first_early();
}

void topic_replica::drop_first_early() {
  early_bytes_ -= early_.begin()->second->cost();
  early_.erase(early_.begin());
}

void topic_replica::forget_early() {
  early_.clear();
  early_bytes_ = 0;
}

// -- effects ------------------------------------------------------------------

void topic_replica::send(uint32_t to, replica_message x) {
  x.keepers = who_.keepers;
  effects_.messages.emplace_back(to, std::move(x));
}

void topic_replica::write(replica_write x) {
  x.before = pending_.empty() ? disk_ : pending_.back().after;
  x.record = now_;
  effects_.writes.push_back(std::move(x));
  pending_.push_back({now_, now_places_, std::nullopt, 0});
}

void topic_replica::write(replica_write x, uint32_t to, replica_call reply,
                          uint64_t term) {
  write(std::move(x));
  pending_.back().reply = {to, reply};
  pending_.back().term = term;
}

} // namespace callboard
