#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <algorithm>
#include <utility>

#include <callboard/actors/broker.hpp>

// Members of this node in groups of topics that another one owns.

namespace callboard {

namespace {

int64_t wish_cost(const group_seat& x) {
  return static_cast<int64_t>(256 + x.topic.size() + x.group.size());
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
  if (auto failed = peers_.unreachable(slot); failed != errc::none && !x.again)
    return speaker_.tell(x, {failed});
  x.member = ctx_.node.next_member.fetch_add(1);
  auto [i, is_new] = actors_.try_emplace(who->id());
  if (is_new)
    self_.monitor(who);
  i->second.push_back(x.member);
  auto& made = away_[x.member];
  made.seat = std::move(x);
  // Else it waits for the owner.
  if (slot != peer_set::nobody)
    send_join(made, slot);
}

void broker_peers_groups::join_later(group_seat x) {
  if (!x.who)
    return speaker_.tell(x, {errc::cancelled});
  auto wish = std::make_shared<group_seat>(std::move(x));
  wishes_.insert(wish);
  auto join = [this, wish](errc failed) {
    // Or it has left.
    if (wishes_.erase(wish) == 0)
      return;
    if (failed == errc::none)
      self_.join_group(*wish);
    // Connections see by themselves that the shard is gone, and ask the next.
    else if (failed != errc::internal || wish->embedded)
      speaker_.tell(*wish, {failed});
  };
  peers_.moves_.parked.add(peer_set::here, wish->topic, wish_cost(*wish),
                           std::move(join));
}

bool broker_peers_groups::leave(caf::actor_id who, std::string_view topic,
                                std::string_view group) {
  if (auto member = find(who, topic, group); member != 0) {
    leave(member, true);
    return true;
  }
  auto i = std::ranges::find_if(wishes_, [&](auto& x) {
    return x->who->id() == who && x->topic == topic && x->group == group;
  });
  if (i == wishes_.end())
    return false;
  speaker_.tell(**i, {errc::cancelled});
  wishes_.erase(i);
  return true;
}

void broker_peers_groups::leave(member_id member, bool by_choice) {
  auto x = take_out(member);
  if (x.slot != peer_set::here)
    ctx_.peers.send(shard_kind::broker, x.slot, x.seat.topic,
                    peer_group_leave{x.number, by_choice});
  // It was quicker than the owner's answer.
  if (!x.seat.again)
    speaker_.tell(x.seat, {errc::cancelled});
}

bool broker_peers_groups::answer(const group_answer& x) {
  auto i = away_.find(x.ticket.member);
  if (i == away_.end())
    return false;
  if (i->second.joined)
    send_answer(i->second, x);
  else
    // The next owner has yet to know what it has.
    i->second.said.push_back(x);
  return true;
}

void broker_peers_groups::send_answer(away_member& x,
                                      const group_answer& what) {
  x.seat.has.erase(what.ticket.number);
  ctx_.peers.send(shard_kind::broker, x.slot, x.seat.topic,
                  peer_group_answer{x.number, what.ticket.number,
                                    static_cast<uint8_t>(what.verdict)});
}

void broker_peers_groups::send_join(away_member& x, uint32_t slot) {
  x.slot = slot;
  x.number = ctx_.node.next_member.fetch_add(1);
  x.joined = false;
  by_number_[x.number] = x.seat.member;
  auto& seat = x.seat;
  ctx_.peers.send(shard_kind::broker, slot, seat.topic,
                  peer_group_join{x.number, seat.topic, seat.group, seat.since,
                                  seat.embedded, seat.again, seat.has});
}

void broker_peers_groups::part(away_member& x) {
  by_number_.erase(x.number);
  x.slot = peer_set::here;
  x.joined = false;
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
                                                            uint64_t number) {
  auto i = by_number_.find(number);
  if (i == by_number_.end())
    return nullptr;
  auto& x = away_.find(i->second)->second;
  return x.slot == slot ? &x : nullptr;
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

broker_peers_groups::away_member
broker_peers_groups::take_out(member_id member) {
  auto result = std::move(away_.extract(member).mapped());
  by_number_.erase(result.number);
  if (auto i = actors_.find(result.seat.who->id()); i != actors_.end())
    std::erase(i->second, member);
  return result;
}

broker_peers_groups::away_member& broker_peers_groups::rename(away_member& x) {
  auto node = away_.extract(x.seat.member);
  auto& seat = node.mapped().seat;
  auto member = ctx_.node.next_member.fetch_add(1);
  if (auto i = actors_.find(seat.who->id()); i != actors_.end())
    std::ranges::replace(i->second, seat.member, member);
  by_number_[node.mapped().number] = member;
  seat.member = node.key() = member;
  return away_.insert(std::move(node)).position->second;
}

// -- the owner ----------------------------------------------------------------

void broker_peers_groups::take(uint32_t slot, peer_group_joined& x) {
  auto* member = find(slot, x.member);
  if (member == nullptr)
    return;
  if (x.code == errc::owner_down) {
    // It went by a view that this node has skipped, or has yet to go by.
    auto was_there = member->joined;
    auto durable = peers_.durable(member->seat.topic);
    // So a durable topic is refused, too, for which there is no majority.
    if (durable && !member->seat.again)
      return speaker_.tell(take_out(member->seat.member).seat, {x.code});
    part(*member);
    if (was_there) {
      joins_.push_back(member->seat.member);
      return peers_.go_on_moving();
    }
    if (durable)
      return ask_refused_later();
    asks_refused_ = true;
    return peers_.wake_later();
  }
  if (x.code != errc::none)
    return speaker_.tell(take_out(member->seat.member).seat, {x.code});
  auto goes_on = member->seat.goes_on(x.where);
  if (!goes_on && member->seat.again)
    member = &rename(*member);
  auto& seat = member->seat;
  member->joined = true;
  speaker_.tell(seat, {errc::none, seat.member, x.where, x.recovered});
  seat.again = true;
  seat.since = std::move(x.where);
  auto said = std::exchange(member->said, {});
  if (!goes_on)
    return seat.has.clear();
  for (auto& y : said)
    send_answer(*member, y);
}

void broker_peers_groups::take(uint32_t slot, peer_group_event& x) {
  auto* to = find(slot, x.member);
  if (to == nullptr)
    return;
  auto& seat = to->seat;
  seat.since.offset = std::max(seat.since.offset, x.place);
  auto event = unboxed(x.what);
  seat.has.emplace(x.delivery, event->offset);
  speaker_.give(seat.who, seat.embedded, seat.group,
                {{seat.member, x.delivery}, std::move(event), x.attempt});
}

void broker_peers_groups::take(uint32_t slot, peer_group_withdraw& x) {
  auto* from = find(slot, x.member);
  if (from == nullptr)
    return;
  auto& seat = from->seat;
  seat.has.erase(x.delivery);
  speaker_.withdraw(seat.who, {seat.member, x.delivery});
}

void broker_peers_groups::take(uint32_t slot, peer_group_gap& x) {
  auto* to = find(slot, x.member);
  if (to == nullptr)
    return;
  auto& seat = to->seat;
  seat.since = std::move(x.where);
  speaker_.tell_gap(seat.who, seat.embedded, seat.topic, seat.group,
                    seat.member, seat.since);
}

} // namespace callboard
