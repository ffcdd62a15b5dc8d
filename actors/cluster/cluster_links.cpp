#include <callboard/actors/cluster/cluster_links.hpp>

#include <algorithm>
#include <utility>

#include <caf/actor_addr.hpp>

namespace callboard {

namespace {

constexpr uint64_t link_number(uint32_t which, uint32_t round) {
  return uint64_t{which} << 32 | round;
}

constexpr uint32_t link_of(uint64_t number) {
  return static_cast<uint32_t>(number >> 32);
}

constexpr uint32_t round_of(uint64_t number) {
  return static_cast<uint32_t>(number);
}

} // namespace

peer_link* cluster_links::find(std::string_view name) {
  auto i = links_.find(name);
  return i == links_.end() ? nullptr : &i->second;
}

const peer_link* cluster_links::find(std::string_view name) const {
  auto i = links_.find(name);
  return i == links_.end() ? nullptr : &i->second;
}

peer_link* cluster_links::find(const member& who) {
  auto* x = find(who.name);
  return x != nullptr && x->who.same_run(who) ? x : nullptr;
}

const peer_link* cluster_links::find(const member& who) const {
  auto* x = find(who.name);
  return x != nullptr && x->who.same_run(who) ? x : nullptr;
}

peer_link* cluster_links::find(uint64_t mine) {
  auto i = by_number_.find(mine);
  return i == by_number_.end() ? nullptr : i->second;
}

peer_link* cluster_links::find(const caf::actor_addr& gate) {
  for (auto& [name, x] : links_)
    if (x.gate.address() == gate)
      return &x;
  return nullptr;
}

peer_link& cluster_links::add(const member& who, caf::actor gate) {
  auto& x = links_[who.name];
  x.who = who;
  x.gate = std::move(gate);
  x.mine = link_number(++last_, 0);
  begin_round(x, 1);
  return x;
}

void cluster_links::remove(const std::string& name) {
  if (auto i = links_.find(name); i != links_.end()) {
    by_number_.erase(i->second.mine);
    links_.erase(i);
  }
}

void cluster_links::renew(peer_link& x) {
  begin_round(x, round_of(x.mine) + 1);
}

bool cluster_links::take_number(peer_link& x, uint64_t theirs) {
  auto round = std::max(round_of(x.mine), round_of(theirs));
  if (x.complete() && link_of(x.theirs) != link_of(theirs))
    ++round;
  // What was on its way when this node began the round has an older one.
  x.theirs = link_number(link_of(theirs), round);
  if (round == round_of(x.mine))
    return false;
  begin_round(x, round);
  return true;
}

void cluster_links::begin_round(peer_link& x, uint32_t round) {
  by_number_.erase(x.mine);
  x.mine = link_number(link_of(x.mine), round);
  by_number_[x.mine] = &x;
  if (x.complete())
    x.theirs = link_number(link_of(x.theirs), round);
  x.traffic = std::make_shared<link_traffic>();
  x.told = 0;
  x.counted = {};
  x.held.clear();
  x.held_bytes = 0;
}

} // namespace callboard
