#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <algorithm>
#include <tuple>
#include <utility>

#include <callboard/actors/broker.hpp>

// Members of this node in groups of topics that another one owns.

namespace callboard {

namespace {

// Lets members of the same group know what any of them knows: the first one of
// them to join somewhere else tells where the group goes on.
void share_places(std::vector<group_seat>& xs) {
  auto group_of = [](const group_seat& x) {
    return std::tie(x.topic, x.group, x.since.epoch);
  };
  std::map<decltype(group_of(xs[0])), uint64_t> places;
  for (auto& x : xs) {
    auto& place = places[group_of(x)];
    place = std::max(place, x.again ? x.since.offset : 0);
  }
  for (auto& x : xs)
    if (x.again)
      x.since.offset = places[group_of(x)];
}

} // namespace

broker_peers_groups::broker_peers_groups(broker& self, loop_context& ctx,
                                         broker_peers& peers)
  : self_{self},
    ctx_{ctx},
    peers_{peers},
    speaker_{self, ctx},
    guests_(ctx.peers.nodes().slots.size()) {
}

void broker_peers_groups::abandon() {
  // Connections see by themselves that the shard is gone.
  for (auto& [id, x] : std::exchange(away_, {}))
    if (x.seat.embedded && !x.seat.again)
      speaker_.tell(x.seat, {errc::internal});
}

// -- members ------------------------------------------------------------------

void broker_peers_groups::join(group_seat x) {
  auto who = caf::actor_cast<caf::strong_actor_ptr>(x.who);
  if (!who)
    return speaker_.tell(x, {errc::cancelled});
  if (find(who->id(), x.topic, x.group) != 0)
    return speaker_.tell(x, {errc::already_subscribed});
  auto slot = ctx_.peers.owner_of(x.topic);
  // Who was a member before has no other way back.
  if (!x.again && ctx_.peers.nodes().congested(slot))
    return speaker_.tell(x, {errc::overloaded});
  auto member = ctx_.node.next_member.fetch_add(1);
  ctx_.peers.send(shard_kind::broker, slot, x.topic,
                  peer_group_join{member, x.topic, x.group, x.since, x.embedded,
                                  x.again});
  auto [i, is_new] = actors_.try_emplace(who->id());
  if (is_new)
    self_.monitor(who);
  i->second.push_back(member);
  away_.emplace(member, away_member{std::move(x), slot, false});
}

bool broker_peers_groups::leave(caf::actor_id who, std::string_view topic,
                                std::string_view group) {
  auto member = find(who, topic, group);
  if (member != 0)
    leave(member, true);
  return member != 0;
}

void broker_peers_groups::leave(member_id member, bool by_choice) {
  auto slot = away_.find(member)->second.slot;
  auto seat = take_out(member);
  ctx_.peers.send(shard_kind::broker, slot, seat.topic,
                  peer_group_leave{member, by_choice});
  // It was quicker than the owner's answer.
  if (!seat.again)
    speaker_.tell(seat, {errc::cancelled});
}

bool broker_peers_groups::answer(const group_answer& x) {
  auto i = away_.find(x.ticket.member);
  if (i == away_.end())
    return false;
  ctx_.peers.send(shard_kind::broker, i->second.slot, i->second.seat.topic,
                  peer_group_answer{x.ticket.member, x.ticket.number,
                                    static_cast<uint8_t>(x.verdict)});
  return true;
}

void broker_peers_groups::drop(caf::actor_id who) {
  auto i = actors_.find(who);
  if (i == actors_.end())
    return;
  while (!i->second.empty())
    leave(i->second.back(), false);
  actors_.erase(i);
}

broker_peers_groups::away_member* broker_peers_groups::find(uint32_t slot,
                                                            member_id member) {
  auto i = away_.find(member);
  return i == away_.end() || i->second.slot != slot ? nullptr : &i->second;
}

member_id broker_peers_groups::find(caf::actor_id who, std::string_view topic,
                                    std::string_view group) const {
  if (auto i = actors_.find(who); i != actors_.end())
    for (auto member : i->second)
      if (auto& x = away_.find(member)->second.seat;
          x.topic == topic && x.group == group)
        return member;
  return 0;
}

group_seat broker_peers_groups::take_out(member_id member) {
  auto result = std::move(away_.extract(member).mapped().seat);
  if (auto i = actors_.find(result.who->id()); i != actors_.end())
    std::erase(i->second, member);
  return result;
}

// -- the owner ----------------------------------------------------------------

void broker_peers_groups::take(uint32_t slot, peer_group_joined& x) {
  auto* member = find(slot, x.member);
  if (member == nullptr)
    return;
  if (x.code == errc::owner_down) {
    // It went by a view that this node has skipped, or has yet to go by.
    member->refused = true;
    asks_refused_ = true;
    return peers_.wake_later();
  }
  if (x.code != errc::none)
    return speaker_.tell(take_out(x.member), {x.code});
  auto& seat = member->seat;
  speaker_.tell(seat, {errc::none, x.member, x.where, x.recovered});
  seat.again = true;
  seat.since = std::move(x.where);
}

void broker_peers_groups::take(uint32_t slot, peer_group_event& x) {
  auto* to = find(slot, x.member);
  if (to == nullptr)
    return;
  auto& seat = to->seat;
  seat.since.offset = std::max(seat.since.offset, x.place);
  speaker_.give(seat.who, seat.embedded, seat.group,
                {{x.member, x.delivery}, unboxed(x.what), x.attempt});
}

void broker_peers_groups::take(uint32_t slot, peer_group_withdraw& x) {
  if (auto* from = find(slot, x.member))
    speaker_.withdraw(from->seat.who, {x.member, x.delivery});
}

void broker_peers_groups::take(uint32_t slot, peer_group_gap& x) {
  auto* to = find(slot, x.member);
  if (to == nullptr)
    return;
  auto& seat = to->seat;
  seat.since = std::move(x.where);
  speaker_.tell_gap(seat.who, seat.embedded, seat.topic, seat.group, x.member,
                    seat.since);
}

// -- owners that change -------------------------------------------------------

template <class F>
void broker_peers_groups::join_anew(F&& fate_of) {
  std::vector<group_seat> seats;
  for (auto i = away_.begin(); i != away_.end();) {
    auto& [member, x] = *i++;
    auto fate = fate_of(x);
    if (fate == away_fate::stays)
      continue;
    // It may have seen no view in which it was not the owner.
    if (fate == away_fate::moves)
      ctx_.peers.send(shard_kind::broker, x.slot, x.seat.topic,
                      peer_group_leave{member, false});
    auto seat = take_out(member_id{member});
    if (fate == away_fate::lost && !seat.again)
      speaker_.tell(seat, {errc::owner_down});
    else
      seats.push_back(std::move(seat));
  }
  share_places(seats);
  for (auto& x : seats)
    self_.join_group(x);
}

void broker_peers_groups::install(const peer_set& old, bool first) {
  auto& now = ctx_.peers.nodes();
  auto slots = std::max(old.slots.size(), now.slots.size());
  guests_.resize(slots);
  for (uint32_t slot = 0; slot < slots; ++slot)
    if (!now.same_at(slot, old))
      forget_guests(slot, [](std::string_view) { return true; });
  for (auto& x : std::exchange(moved_, {}))
    self_.join_group(x);
  join_anew([&](const away_member& x) {
    if (!first && !now.same_at(x.slot, old))
      return away_fate::lost;
    auto moves = first || x.refused || now.owner_of(x.seat.topic) != x.slot;
    return moves ? away_fate::moves : away_fate::stays;
  });
}

void broker_peers_groups::reset(uint32_t slot, uint32_t shard) {
  auto loops = ctx_.peers.nodes().at(slot)->who.loops;
  auto is_meant = [=](std::string_view topic) {
    return shard_of(topic, loops) == shard;
  };
  forget_guests(slot, is_meant);
  join_anew([&](const away_member& x) {
    auto lost = x.slot == slot && is_meant(x.seat.topic);
    return lost ? away_fate::lost : away_fate::stays;
  });
}

void broker_peers_groups::wake() {
  let_go();
  if (std::exchange(asks_refused_, false))
    join_anew([](const away_member& x) {
      return x.refused ? away_fate::moves : away_fate::stays;
    });
}

} // namespace callboard
