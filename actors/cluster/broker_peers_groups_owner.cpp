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
  auto handle = [&](auto frame) {
    if (!source.read(frame))
      return false;
    take(slot, frame);
    return true;
  };
  switch (number) {
    case peer_frame::group_join:
      return handle(peer_group_join{});
    case peer_frame::group_joined:
      return handle(peer_group_joined{});
    case peer_frame::group_leave:
      return handle(peer_group_leave{});
    case peer_frame::group_event:
      return handle(peer_group_event{});
    case peer_frame::group_answer:
      return handle(peer_group_answer{});
    case peer_frame::group_withdraw:
      return handle(peer_group_withdraw{});
    case peer_frame::group_gap:
      return handle(peer_group_gap{});
    default:
      return false;
  }
}

void broker_peers_groups::take(uint32_t slot, peer_group_join& x) {
  auto& members = guests_[slot].members;
  // No home calls two members the same, or one nothing.
  if (x.member == 0 || members.contains(x.member))
    return;
  auto& groups = self_.groups_;
  peer_group_joined answer;
  answer.member = x.member;
  group_member* made = nullptr;
  if (!peers_.owns(x.topic)) {
    answer.code = errc::owner_down;
  } else if (auto wrong = groups.check(x.topic, {x.group, {}})) {
    answer.code = errc_of(wrong);
  } else {
    auto found
      = groups.add({x.topic, x.group, x.since, {}, x.embedded, 0, x.again});
    answer.code = found.code;
    answer.where = std::move(found.where);
    answer.recovered = found.recovered;
    made = found.member;
  }
  // It comes before the events.
  ctx_.peers.send(shard_kind::broker, slot, x.topic, answer);
  if (made == nullptr)
    return;
  made->home_slot = slot;
  made->home_id = x.member;
  made->held = guests_[slot].held;
  members.emplace(x.member, made->id);
  groups.go_on(*made);
}

void broker_peers_groups::take(uint32_t slot, peer_group_leave& x) {
  if (auto gone = guests_[slot].members.extract(x.member))
    self_.groups_.leave({gone.mapped()}, x.by_choice);
}

void broker_peers_groups::take(uint32_t slot, peer_group_answer& x) {
  auto& members = guests_[slot].members;
  auto i = members.find(x.member);
  auto known = x.verdict <= static_cast<uint8_t>(group_verdict::ready);
  if (i != members.end() && known)
    self_.groups_.answer(
      {{i->second, x.delivery}, static_cast<group_verdict>(x.verdict)});
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
  std::ranges::sort(gone);
  if (!gone.empty())
    self_.groups_.leave(gone, false);
}

void broker_peers_groups::give_up(const peer_set& old) {
  auto stays = [this](const std::string& topic) { return peers_.owns(topic); };
  moved_ = self_.groups_.give_up(stays, [&](const group_member& x) {
    guests_[x.home_slot].members.erase(x.home_id);
    // A node that skips this view would not know that it has to ask again.
    if (ctx_.peers.nodes().same_at(x.home_slot, old))
      ctx_.peers.send(
        shard_kind::broker, x.home_slot, x.group->topic(),
        peer_group_joined{x.home_id, errc::owner_down, {}, false});
  });
}

} // namespace callboard
