#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <algorithm>
#include <iterator>
#include <set>
#include <tuple>
#include <utility>

#include <callboard/actors/broker.hpp>

// What becomes of groups and their members where topics change their owner. The
// groups go with their topics. Members join them at the new owner, and claim
// what they have, before it takes anything; what they say meanwhile waits at
// their home.

namespace callboard {

// -- as the old owner ---------------------------------------------------------

broker_peers_groups::groups_by_topic
broker_peers_groups::give_away(const peer_set& old) {
  groups_by_topic result;
  std::vector<group_seat> here;
  auto stays = [this](const std::string& topic) {
    return peers_.owns(topic) || peers_.durable(topic);
  };
  for (auto& topic : self_.groups_.topics_unless(stays))
    result[topic] = give_away(topic, old, here);
  std::ranges::sort(here, {}, &group_seat::member);
  for (auto& x : here)
    send_away(std::move(x));
  return result;
}

std::vector<moved_group>
broker_peers_groups::give_away(const std::string& topic, const peer_set& old,
                               std::vector<group_seat>& here) {
  auto gone = [&](group_member& x, const position& where) {
    auto& home = guests_[x.home_slot];
    home.members.erase(x.home_id);
    if (!ctx_.peers.nodes().same_at(x.home_slot, old))
      return;
    home.gone[x.home_id] = {topic, x.group->name(), where.epoch,
                            std::move(x.given)};
    // A node that skips this view would not know that it has to ask again.
    ctx_.peers.send(shard_kind::broker, x.home_slot, topic,
                    peer_group_joined{x.home_id, errc::owner_down, {}, false});
  };
  return self_.groups_.give_away(topic, here, gone);
}

void broker_peers_groups::lose(const std::string& topic) {
  std::vector<group_seat> here;
  self_.groups_.lose(give_away(topic, ctx_.peers.nodes(), here));
  for (auto& x : here)
    send_away(std::move(x));
}

void broker_peers_groups::send_on(const std::string& topic) {
  std::vector<group_seat> here;
  give_away(topic, ctx_.peers.nodes(), here);
  for (auto& x : here)
    send_away(std::move(x));
}

void broker_peers_groups::send_away(group_seat x) {
  auto member = x.member;
  // Who is here is watched already.
  actors_[x.who->id()].push_back(member);
  away_[member].seat = std::move(x);
  joins_.push_back(member);
}

void broker_peers_groups::take(uint32_t, peer_group_confirmed& x) {
  if (auto slot = ctx_.peers.owner_of(x.topic); slot != peer_set::here)
    ctx_.peers.send(shard_kind::broker, slot, x.topic, x);
  else if (peers_.moves_.open())
    confirmed_.push_back(std::move(x));
}

// -- as the new owner ---------------------------------------------------------

void broker_peers_groups::adopt(const std::string& topic, uint64_t head,
                                const std::vector<moved_group>& groups) {
  if (groups.empty())
    return;
  self_.groups_.adopt(topic, head, groups);
  if (peers_.moves_.open())
    arrived_.push_back(topic);
  else
    self_.groups_.open(topic);
}

void broker_peers_groups::leave_arrivals() {
  for (auto& x : std::exchange(confirmed_, {}))
    take(peer_set::here, x);
  std::erase_if(arrived_, [this](auto& x) { return !peers_.owns(x); });
  std::erase_if(coming_, [this](auto& x) {
    auto& [slot, wish] = x;
    if (peers_.owns(wish.topic))
      return false;
    guests_[slot].coming.erase(wish.member);
    refuse(slot, wish, errc::owner_down);
    return true;
  });
}

void broker_peers_groups::join_later(uint32_t slot, const peer_group_join& x) {
  guests_[slot].coming.emplace(x.member, x.topic);
  // Those who come back are in front of all that waits.
  if (x.again) {
    coming_.emplace_back(slot, x);
    return;
  }
  auto join = [this, slot, x = x](errc failed) mutable {
    // Or it has left.
    if (guests_[slot].coming.erase(x.member) == 0)
      return;
    if (failed == errc::none)
      take(slot, x);
    else if (failed == errc::overloaded)
      refuse(slot, x, failed);
  };
  peers_.moves_.parked.add(slot, x.topic,
                           static_cast<int64_t>(sizeof(x) + x.topic.size()),
                           std::move(join));
}

void broker_peers_groups::let_in() {
  auto& groups = self_.groups_;
  for (auto& x : std::exchange(confirmed_, {}))
    groups.confirm(x.topic, x.group, x.delivery, x.where);
  std::set<std::pair<std::string, std::string>> joined;
  auto note = [&joined](const group_member* made) {
    if (made != nullptr)
      joined.emplace(made->group->topic(), made->group->name());
  };
  std::vector<member_id> here;
  for (auto& [member, x] : away_)
    if (x.slot == peer_set::here && peers_.owns(x.seat.topic))
      here.push_back(member);
  std::vector<group_answer> said;
  for (auto member : here) {
    if (peers_.durable(away_.find(member)->second.seat.topic)) {
      let_in_durable(member);
      continue;
    }
    auto x = take_out(member);
    note(groups.let_in(x.seat));
    std::ranges::move(x.said, std::back_inserter(said));
  }
  for (auto& [slot, x] : std::exchange(coming_, {}))
    if (guests_[slot].coming.erase(x.member) > 0)
      note(let_in(slot, x));
  for (auto& x : said)
    groups.answer(x);
  for (auto& topic : std::exchange(arrived_, {}))
    groups.open(topic);
  // Those that began anew, and others that were here.
  for (auto& [topic, name] : joined)
    groups.go_on(topic, name);
  for (auto& node : guests_)
    node.gone.clear();
}

void broker_peers_groups::let_in_durable(member_id member) {
  // It may have left meanwhile, or the topic be another node's.
  auto find_here = [this, member]() -> away_member* {
    auto i = away_.find(member);
    auto is_here = i != away_.end() && i->second.slot == peer_set::here
                   && peers_.owns(i->second.seat.topic);
    return is_here ? &i->second : nullptr;
  };
  auto* x = find_here();
  if (x == nullptr)
    return;
  auto join = [this, member, find_here](errc failed) {
    if (find_here() == nullptr)
      return;
    if (failed != errc::none) {
      // It was a member before and has no other way back. Each view in which
      // this node owns the topic tries as well.
      if (tried_later_.insert(member).second)
        self_.run_delayed(store_retry_interval, [this, member] {
          tried_later_.erase(member);
          let_in_durable(member);
        });
      return;
    }
    auto y = take_out(member);
    auto& groups = self_.groups_;
    auto* made = groups.let_in(y.seat);
    for (auto& answer : y.said)
      groups.answer(answer);
    if (made != nullptr)
      groups.go_on(*made);
  };
  // The seat may go while this waits.
  auto [topic, group, since] = std::tuple{x->seat.topic, x->seat.group,
                                          x->seat.since};
  self_.groups_.prepare(topic, group, since, std::move(join));
}

// -- as a home ----------------------------------------------------------------

void broker_peers_groups::share_places() {
  auto group_of = [](const group_seat& x) {
    return std::tie(x.topic, x.group, x.since.epoch);
  };
  // The first one of them to join somewhere else tells where the group goes on.
  std::map<
    std::tuple<const std::string&, const std::string&, const std::string&>,
    uint64_t>
    places;
  std::vector<group_seat*> seats;
  for (auto member : joins_)
    if (auto& x = away_.find(member)->second.seat; x.again)
      seats.push_back(&x);
  for (auto* x : seats) {
    auto& place = places[group_of(*x)];
    place = std::max(place, x->since.offset);
  }
  for (auto* x : seats)
    x->since.offset = places[group_of(*x)];
}

template <class F>
void broker_peers_groups::join_anew(F&& fate_of) {
  std::vector<member_id> lost;
  joins_.clear();
  for (auto& [member, x] : away_) {
    if (x.slot != peer_set::here) {
      auto fate = fate_of(x);
      if (fate == away_fate::stays)
        continue;
      // It may have seen no view in which it was not the owner.
      if (fate == away_fate::moves)
        ctx_.peers.send(shard_kind::broker, x.slot, x.seat.topic,
                        peer_group_leave{x.number, false, true});
      part(x);
      if (fate == away_fate::lost && !x.seat.again) {
        lost.push_back(member);
        continue;
      }
    }
    joins_.push_back(member);
  }
  for (auto member : lost)
    speaker_.tell(take_out(member).seat, {errc::owner_down});
  share_places();
}

void broker_peers_groups::follow_anew(const peer_set& old, bool first) {
  auto& now = ctx_.peers.nodes();
  auto slots = std::max(old.slots.size(), now.slots.size());
  guests_.resize(slots);
  for (uint32_t slot = 0; slot < slots; ++slot)
    if (!now.same_at(slot, old))
      forget_guests(slot, [](std::string_view) { return true; });
  leave_arrivals();
  join_anew([&](const away_member& x) {
    if (!first && !now.same_at(x.slot, old))
      return away_fate::lost;
    auto moves = first || now.owner_of(x.seat.topic) != x.slot;
    return moves ? away_fate::moves : away_fate::stays;
  });
}

bool broker_peers_groups::send_joins() {
  for (size_t n = 0; !joins_.empty(); joins_.pop_front()) {
    auto i = away_.find(joins_.front());
    if (i == away_.end() || i->second.slot != peer_set::here)
      continue;
    // This node's groups let it in when all have settled, and a durable topic
    // may have no owner until the next view.
    auto slot = ctx_.peers.owner_of(i->second.seat.topic);
    if (slot == peer_set::here || slot == peer_set::nobody)
      continue;
    if (!peers_.may_send(slot, n++))
      return false;
    send_join(i->second, slot);
  }
  return true;
}

void broker_peers_groups::reset(uint32_t slot, uint32_t shard) {
  auto loops = ctx_.peers.nodes().at(slot)->who.loops;
  auto is_meant = [=](std::string_view topic) {
    return shard_of(topic, loops) == shard;
  };
  forget_guests(slot, is_meant);
  // What was sent to it is lost, or waits there for the view that it has yet to
  // go by; then the members have to leave first.
  join_anew([&](const away_member& x) {
    auto moves = x.slot == slot && is_meant(x.seat.topic);
    return moves ? away_fate::moves : away_fate::stays;
  });
}

void broker_peers_groups::ask_refused_later() {
  // One timer for all: each asks for all of them.
  if (std::exchange(asks_later_, true))
    return;
  self_.run_delayed(store_retry_interval, [this] {
    asks_later_ = false;
    asks_refused_ = true;
    peers_.wake_later();
  });
}

void broker_peers_groups::wake() {
  let_go();
  if (std::exchange(asks_refused_, false))
    join_anew([](const away_member&) { return away_fate::stays; });
}

} // namespace callboard
