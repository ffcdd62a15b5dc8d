#include <callboard/actors/cluster/broker_peers_groups.hpp>

#include <algorithm>
#include <set>
#include <utility>

#include <callboard/actors/broker.hpp>

// Members of other nodes in groups of topics that this one owns.

namespace callboard {

// -- frames -------------------------------------------------------------------

bool broker_peers_groups::take_frame(uint32_t slot, peer_frame number,
                                     frame_source& source) {
  return source
    .read_one_of<peer_group_join, peer_group_joined, peer_group_leave,
                 peer_group_event, peer_group_answer, peer_group_withdraw,
                 peer_group_gap, peer_group_confirmed>(
      number, [&](auto& frame) { take(slot, frame); });
}

void broker_peers_groups::take(uint32_t slot, peer_group_join& x) {
  auto& node = guests_[slot];
  // No home calls two members the same, or one nothing.
  if (x.member == 0 || node.members.contains(x.member)
      || node.coming.contains(x.member))
    return;
  if (!peers_.owns(x.topic))
    return refuse(slot, x, errc::owner_down);
  if (peers_.waits(x.topic))
    return join_later(slot, x);
  // A durable topic may have to be read first.
  node.coming.emplace(x.member, x.topic);
  auto link = ctx_.peers.nodes().at(slot)->traffic;
  auto join = [this, slot, link, x](errc failed) mutable {
    auto* from = ctx_.peers.nodes().at(slot);
    // Or it has left.
    if (from == nullptr || from->traffic != link
        || guests_[slot].coming.erase(x.member) == 0)
      return;
    if (failed != errc::none)
      refuse(slot, x, failed);
    else if (auto* made = let_in(slot, x))
      self_.groups_.go_on(*made);
  };
  self_.groups_.prepare(x.topic, x.group, x.since, std::move(join));
}

void broker_peers_groups::refuse(uint32_t slot, const peer_group_join& x,
                                 errc why) {
  ctx_.peers.send(shard_kind::broker, slot, x.topic,
                  peer_group_joined{x.member, why, {}, false});
}

group_member* broker_peers_groups::let_in(uint32_t slot, peer_group_join& x) {
  auto& groups = self_.groups_;
  peer_group_joined answer;
  answer.member = x.member;
  group_member* made = nullptr;
  auto claims = false;
  if (!peers_.owns(x.topic)) {
    answer.code = errc::owner_down;
  } else if (auto wrong = groups.check(x.topic, {x.group, {}})) {
    answer.code = errc_of(wrong);
  } else {
    auto found
      = groups.add({x.topic, x.group, x.since, {}, x.embedded, 0, x.again});
    claims = x.again && found.where.epoch == x.since.epoch;
    answer.code = found.code;
    answer.where = std::move(found.where);
    answer.recovered = found.recovered;
    made = found.member;
  }
  // It comes before the events.
  ctx_.peers.send(shard_kind::broker, slot, x.topic, answer);
  if (made == nullptr)
    return nullptr;
  made->home_slot = slot;
  made->home_id = x.member;
  made->held = guests_[slot].held;
  guests_[slot].members.emplace(x.member, made->id);
  if (claims)
    groups.claim(*made, x.has);
  return made;
}

void broker_peers_groups::take(uint32_t slot, peer_group_leave& x) {
  auto& node = guests_[slot];
  auto& groups = self_.groups_;
  auto gone = node.members.extract(x.member);
  if (!gone) {
    node.coming.erase(x.member);
  } else if (x.comes_back && peers_.moves_.open()) {
    arrived_.push_back(groups.find(gone.mapped())->group->topic());
    groups.detach(gone.mapped());
  } else {
    groups.leave({gone.mapped()}, x.by_choice);
  }
}

void broker_peers_groups::take(uint32_t slot, peer_group_answer& x) {
  auto& node = guests_[slot];
  auto verdict = static_cast<group_verdict>(x.verdict);
  if (x.verdict > static_cast<uint8_t>(group_verdict::ready))
    return;
  if (auto i = node.members.find(x.member); i != node.members.end())
    return self_.groups_.answer({{i->second, x.delivery}, verdict});
  // Its home went by another view later than this node. What it has not
  // confirmed it does not claim, so others get it.
  auto gone = node.gone.find(x.member);
  if (gone == node.gone.end() || verdict != group_verdict::confirmed)
    return;
  auto& [topic, group, epoch, given] = gone->second;
  auto what = given.extract(x.delivery);
  if (!what || what.mapped().stale)
    return;
  peer_group_confirmed frame{
    topic, group, x.delivery, {epoch, what.mapped().offset}};
  take(slot, frame);
}

// -- what they are told -------------------------------------------------------

void broker_peers_groups::give(const group_member& to,
                               const group_delivery& what) {
  auto& group = *to.group;
  ctx_.peers.send(
    shard_kind::broker, to.home_slot, group.topic(),
    peer_group_event{
      to.home_id, what.number, what.attempt, group.place(), {what.event, 0}});
  if (ctx_.peers.nodes().congested(to.home_slot))
    hold(to.home_slot);
}

void broker_peers_groups::withdraw(const group_member& from, uint64_t number) {
  ctx_.peers.send(shard_kind::broker, from.home_slot, from.group->topic(),
                  peer_group_withdraw{from.home_id, number});
}

void broker_peers_groups::tell_gap(const group_member& to,
                                   const position& where) {
  ctx_.peers.send(shard_kind::broker, to.home_slot, to.group->topic(),
                  peer_group_gap{to.home_id, where});
}

// -- credit -------------------------------------------------------------------

void broker_peers_groups::hold(uint32_t slot) {
  auto& node = guests_[slot];
  node.held = true;
  for (auto [home_id, id] : node.members)
    self_.groups_.find(id)->held = true;
  peers_.wake_later();
}

void broker_peers_groups::let_go() {
  // By their names: a group may go meanwhile, and comes in the same order.
  std::set<std::pair<std::string, std::string>> groups;
  for (uint32_t slot = 0; slot < guests_.size(); ++slot) {
    auto& node = guests_[slot];
    if (!node.held)
      continue;
    if (ctx_.peers.nodes().congested(slot)) {
      peers_.wake_later();
      continue;
    }
    node.held = false;
    for (auto [home_id, id] : node.members) {
      auto& member = *self_.groups_.find(id);
      member.held = false;
      groups.emplace(member.group->topic(), member.group->name());
    }
  }
  for (auto& [topic, name] : groups)
    self_.groups_.go_on(topic, name);
}

// -- nodes that go ------------------------------------------------------------

void broker_peers_groups::forget_guests(
  uint32_t slot, const std::function<bool(std::string_view)>& is_meant) {
  auto& node = guests_[slot];
  std::vector<member_id> gone;
  std::erase_if(node.members, [&](auto& x) {
    auto meant = is_meant(self_.groups_.find(x.second)->group->topic());
    if (meant)
      gone.push_back(x.second);
    return meant;
  });
  if (node.members.empty())
    node.held = false;
  std::erase_if(node.coming, [&](auto& x) { return is_meant(x.second); });
  std::erase_if(node.gone, [&](auto& x) { return is_meant(x.second.topic); });
  std::erase_if(coming_, [&](auto& x) {
    return x.first == slot && is_meant(x.second.topic);
  });
  std::ranges::sort(gone);
  if (!gone.empty())
    self_.groups_.leave(gone, false);
}

} // namespace callboard
