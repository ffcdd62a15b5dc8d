#include <callboard/actors/cluster/topic_replica.hpp>

#include <algorithm>
#include <optional>

// As who is to be the owner: asks for promises and votes, and chooses the best
// log.

namespace callboard {

void topic_replica::begin_asking() {
  seen_ = std::max(seen_, now_.promised);
  // No other voter has a term with this place in it.
  term_ = (seen_ / 4 + 1) * 4 + who_.self;
  seen_ = term_;
  stage_ = stage::asks;
  source_ = {};
  fetching_ = false;
  wanted_ = 0;
  forget_early();
  told_ = false;
  solo_ = false;
  vouched_ = false;
  placed_ = 0;
  stalled_ = 0;
  for (auto& x : voters_)
    x = {.there = x.there, .vote = {}, .shunned = x.shunned};
  now_.promised = term_;
  write();
  for (uint32_t i = 0; i < who_.voters; ++i)
    ask(i);
}

void topic_replica::ask(uint32_t place) {
  if (place != who_.self && voters_[place].there)
    send(place, make(replica_call::ask, term_));
}

void topic_replica::take_vote(uint32_t from, const replica_message& x) {
  if (stage_ == stage::follows || x.term != term_ || from == who_.self)
    return;
  auto& voter = voters_[from];
  if (voter.vote)
    return;
  voter.vote = x;
  voter.there = true;
  stalled_ = 0;
  // What a restored copy has forgotten may be of this term: it can be level in
  // the next one only, which has all of it.
  if (told_ && x.forgot)
    return restart();
  // Who comes late is brought level, or is the reason to serve alone no longer.
  if (told_ && keeps(from) && voter.shunned == 0) {
    if (solo_)
      return restart();
    tell_begin(from);
  }
  advance();
}

void topic_replica::take_refusal(const replica_message& x) {
  if (stage_ == stage::follows || x.promised <= term_)
    return;
  // There were terms while it was away, and now it knows of them. If there is
  // another one then, somebody else is at it.
  if (stage_ != stage::asks || std::exchange(outbid_, true))
    return step_down();
  begin_asking();
}

void topic_replica::count_votes() {
  if (disk_.promised != term_)
    return;
  voters_[who_.self].vote = make_vote(term_);
  uint32_t answers = 0;
  uint32_t votes = 0;
  uint64_t floor = 0;
  uint64_t log_term = 0;
  auto waits = false;
  for (auto& x : voters_) {
    if (!x.vote) {
      waits |= x.there;
      continue;
    }
    ++answers;
    votes += x.vote->forgot ? 0 : 1;
    floor = std::max(floor, x.vote->floor);
    log_term = std::max(log_term, x.vote->log_term);
  }
  if (waits && stalled_ < patience_max)
    return;
  // A restored copy has forgotten that it had this term before.
  if (auto had = std::max(floor, log_term); had >= term_) {
    seen_ = std::max(seen_, had);
    return begin_asking();
  }
  auto log_of = [this](uint32_t place) {
    auto& x = *voters_[place].vote;
    return std::pair{x.log_term, x.head};
  };
  auto best_of = [&](bool all) {
    std::optional<uint32_t> best;
    auto consider = [&](uint32_t place) {
      auto& x = voters_[place].vote;
      if (x && (x->whole || all) && (!best || log_of(place) > log_of(*best)))
        best = place;
    };
    // Where others are as good, there is nothing to fetch, or from somebody
    // else.
    consider(who_.self);
    for (uint32_t i = 0; i < who_.keepers; ++i)
      if (i != unread_)
        consider(i);
    if (keeps(unread_))
      consider(unread_);
    return best;
  };
  auto best = best_of(false);
  // Without a majority it would begin what it cannot serve.
  if (best && answers >= majority() && votes >= votes_min()
      && floor <= log_of(*best).first)
    return choose(*best, false);
  // What all of them together do not know is lost.
  if (answers < who_.voters)
    return step_down();
  choose(*best_of(true), true);
}

void topic_replica::choose(uint32_t place, bool all_broken) {
  auto& best = *voters_[place].vote;
  term_epoch_ = all_broken || best.epoch.empty() ? fresh_epoch_ : best.epoch;
  source_ = {term_, place, best.log_term, best.head, best.placed, best.places};
  // Who has the most of the log need not have the last places of its groups.
  std::pair last{best.log_term, best.placed};
  for (auto& x : voters_)
    if (x.vote && std::pair{x.vote->log_term, x.vote->placed} > last) {
      last = {x.vote->log_term, x.vote->placed};
      source_.placed = x.vote->placed;
      source_.places = x.vote->places;
    }
  stage_ = stage::fetches;
  stalled_ = 0;
  if (place != who_.self && !begins_like(best.log_term, best.epoch)) {
    cut_to_agreed(best.log_term, best.epoch, term_epoch_);
    replica_write change;
    change.upto = now_.head;
    write(std::move(change));
  }
  if (all_broken)
    // What is lost may have been acknowledged.
    now_.agreed = std::min(now_.agreed, best.head);
  else
    for (auto& x : voters_)
      if (x.vote && x.vote->epoch == best.epoch)
        now_.agreed = std::max(now_.agreed, x.vote->agreed);
  advance();
}

} // namespace callboard
