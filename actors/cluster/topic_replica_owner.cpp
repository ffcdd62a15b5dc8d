#include <callboard/actors/cluster/topic_replica.hpp>

#include <algorithm>
#include <functional>

// As the owner, or who is to be it: goes on from what it waits for, begins the
// term with the others, and serves.

namespace callboard {

void topic_replica::lead(std::string fresh_epoch) {
  fresh_epoch_ = std::move(fresh_epoch);
  outbid_ = false;
  begin_asking();
}

void topic_replica::rest() {
  if (stage_ == stage::follows)
    return;
  stage_ = stage::follows;
  source_ = {};
  fetching_ = false;
  wanted_ = 0;
  for (auto& x : voters_)
    x.shunned = 0;
}

void topic_replica::step_down() {
  (leads() ? effects_.lost : effects_.gave_up) = true;
  rest();
}

void topic_replica::restart() {
  if (leads())
    effects_.lost = true;
  lead(std::move(fresh_epoch_));
}

void topic_replica::stall() {
  if (stage_ == stage::fetches)
    unread_ = source_.place;
  auto without = false;
  if (told_ && !solo_ && !keeps(who_.voters - 1))
    for (uint32_t i = 0; i < who_.keepers; ++i)
      if (auto& x = voters_[i]; i != who_.self && x.vote && !has_all(x)) {
        x.shunned = shunned_max;
        without = true;
      }
  // Who waits for it to serve is to have an answer.
  leads() || without ? restart() : step_down();
}

void topic_replica::set_present(uint32_t places) {
  for (uint32_t i = 0; i < who_.voters; ++i) {
    auto& x = voters_[i];
    auto there = (places >> i & 1) != 0;
    if (there == x.there)
      continue;
    x = {.there = there, .vote = {}};
    if (i == source_.place)
      fetching_ = false;
    if (stage_ != stage::follows)
      ask(i);
  }
  auto gone = [this](uint32_t place) {
    return place != who_.self && !voters_[place].there;
  };
  auto broken = false;
  if (stage_ == stage::fetches)
    broken = gone(source_.place);
  else if (stage_ == stage::begins && told_)
    broken = solo_ ? !vouched_ && gone(who_.voters - 1)
                   : partners() + 1 < majority();
  else if (stage_ == stage::leads)
    broken = !solo_ && level_ones() + 1 < majority();
  if (broken)
    restart();
  else
    advance();
}

void topic_replica::tick() {
  fetching_ = false;
  if (stage_ == stage::follows)
    return follow_on();
  if (leads() && now_.agreed == now_.head && placed_ == now_.placed)
    stalled_ = 0;
  else if (++stalled_ >= stalled_max)
    return stall();
  for (uint32_t i = 0; i < who_.voters; ++i) {
    auto& x = voters_[i];
    if (i == who_.self || !x.there)
      continue;
    if (x.shunned > 0 && --x.shunned == 0)
      // It is tried again when it answers.
      x.vote.reset();
    if (!x.vote)
      ask(i);
    else if (told_ && !solo_ && keeps(i) && !x.level)
      tell_begin(i);
    else if (told_ && !keeps(i) && !vouched_
             && (solo_ || (leads() && x.vote->forgot)))
      send(i, make(replica_call::vouch, term_));
    else if (x.level && !has_all(x))
      tell_head(i);
  }
  advance();
}

void topic_replica::take_level(uint32_t from, const replica_message& x) {
  auto& voter = voters_[from];
  if (!told_ || solo_ || x.term != term_ || !keeps(from) || !voter.vote)
    return;
  if (stage_ != stage::begins && stage_ != stage::leads)
    return;
  auto first = !std::exchange(voter.level, true);
  if (x.head > voter.head || x.placed > voter.placed)
    stalled_ = 0;
  voter.head = std::max(voter.head, x.head);
  voter.placed = std::max(voter.placed, x.placed);
  if (first && !has_all(voter))
    // It has not had what was appended before.
    tell_head(from);
  advance();
}

void topic_replica::advance() {
  switch (stage_) {
    case stage::asks:
      return count_votes();
    case stage::fetches:
      if (!pending_.empty())
        return;
      return now_.head >= source_.head ? begin_term() : fetch();
    case stage::begins:
      return begin_with_others();
    case stage::leads:
      return agree();
    case stage::follows:
      return;
  }
}

void topic_replica::begin_term() {
  start_ = now_.head;
  now_.epoch = term_epoch_;
  stage_ = stage::begins;
  stalled_ = 0;
  replica_write change;
  be_level(change);
  write(std::move(change));
}

uint32_t topic_replica::partners() const noexcept {
  uint32_t result = 0;
  for (uint32_t i = 0; i < who_.keepers; ++i)
    if (auto& x = voters_[i]; i != who_.self && x.there && x.vote)
      result += x.shunned == 0 ? 1 : 0;
  return result;
}

bool topic_replica::has_all(const voter& x) const noexcept {
  return x.level && x.head >= now_.head && x.placed >= now_.placed;
}

uint32_t topic_replica::level_ones() const noexcept {
  auto n = std::ranges::count_if(voters_, [](auto& x) { return x.level; });
  return static_cast<uint32_t>(n);
}

void topic_replica::begin_with_others() {
  if (disk_.term != term_)
    return;
  if (!std::exchange(told_, true)) {
    auto witness = who_.voters - 1;
    // There is nobody to go on with instead.
    if (!voters_[witness].vote)
      for (auto& x : voters_)
        x.shunned = 0;
    solo_ = partners() + 1 < majority();
    if (solo_ && (keeps(witness) || !voters_[witness].vote))
      return step_down();
    if (solo_)
      send(witness, make(replica_call::vouch, term_));
    else
      for (uint32_t i = 0; i < who_.keepers; ++i)
        if (i != who_.self && voters_[i].vote)
          tell_begin(i);
  }
  if (solo_ ? !vouched_ : level_ones() + 1 < majority())
    return;
  stage_ = stage::leads;
  stalled_ = 0;
  unread_ = voters_max;
  effects_.begun = true;
  agree();
}

void topic_replica::tell_begin(uint32_t place) {
  auto x = make(replica_call::begin, term_);
  x.log_term = source_.log_term;
  x.head = start_;
  x.agreed = now_.agreed;
  x.epoch = now_.epoch;
  x.placed = now_.placed;
  x.places = now_places_;
  send(place, std::move(x));
}

void topic_replica::append(const publication_ptr& x) {
  now_.head = x->offset;
  replica_write change;
  change.events.push_back(x);
  write(std::move(change));
  for (uint32_t i = 0; i < who_.keepers; ++i)
    if (!solo_ && i != who_.self && voters_[i].vote)
      tell_head(i, x);
}

uint64_t topic_replica::place(group_places_ptr x) {
  replica_write change;
  set_places(change, now_.placed + 1, std::move(x));
  write(std::move(change));
  for (uint32_t i = 0; i < who_.keepers; ++i)
    if (!solo_ && i != who_.self && voters_[i].vote)
      tell_head(i);
  return now_.placed;
}

void topic_replica::tell_head(uint32_t place, const publication_ptr& added) {
  auto x = make(replica_call::append, term_);
  x.head = now_.head;
  x.agreed = now_.agreed;
  if (added != nullptr) {
    x.events.push_back(added);
  } else if (voters_[place].placed < now_.placed) {
    x.placed = now_.placed;
    x.places = now_places_;
  }
  send(place, std::move(x));
}

void topic_replica::agree() {
  auto copies = solo_ ? 1 : majority();
  if (level_ones() + 1 < copies)
    return;
  // Returns how far as many disks are as have to be. Others would do; but what
  // is acknowledged is read here.
  auto common = [&](uint64_t own, uint64_t voter::*other) {
    std::array<uint64_t, voters_max> all{own};
    size_t n = 1;
    for (auto& x : voters_)
      if (x.level)
        all[n++] = x.*other;
    std::ranges::sort(all, std::greater{});
    return std::min(all[copies - 1], own);
  };
  auto agreed = std::max(now_.agreed, common(disk_.head, &voter::head));
  auto placed = std::max(placed_, common(disk_.placed, &voter::placed));
  if (agreed > now_.agreed || placed > placed_)
    stalled_ = 0;
  now_.agreed = agreed;
  placed_ = placed;
}

} // namespace callboard
