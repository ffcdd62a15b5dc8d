#include <callboard/actors/cluster/peer_slots.hpp>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace callboard {

namespace {

peer_node peer_node_of(const member& who, const peer_link* link) {
  // Where there is no link (yet, or any more) nothing goes to the node.
  if (link == nullptr || !link->complete())
    return {who, nullptr, 0, std::make_shared<link_traffic>()};
  return {who, link->gate, link->theirs, link->traffic};
}

bool keeps_slot(const peer_node& x, const member& who, const peer_link* link) {
  return x.who.same_run(who)
         && (link == nullptr || !link->complete()
             || x.traffic == link->traffic);
}

// Finds the node's slot in `old`, or one that is empty in both.
uint32_t find_slot(const peer_set& old, const peer_set& made, const member& who,
                   const peer_link* link) {
  uint32_t unused = 0;
  for (uint32_t i = 0; i < old.slots.size(); ++i)
    if (auto* x = old.at(i); x != nullptr && keeps_slot(*x, who, link))
      return i;
  while (old.at(unused) != nullptr || made.at(unused) != nullptr)
    ++unused;
  return unused;
}

void add_owners(peer_set& made, const cluster_view& view,
                const std::vector<uint32_t>& slots) {
  std::vector<std::string> names;
  auto add = [&](bool all) {
    for (size_t i = 0; i < view.members.size(); ++i)
      if (all || view.members[i].state == member_state::up) {
        names.push_back(view.members[i].name);
        made.owner_slots.push_back(slots[i]);
      }
  };
  add(false);
  // Somebody has to own the topics while all leave.
  if (names.empty())
    add(true);
  made.owners = placement{names};
}

} // namespace

void add_stores(peer_set& to, const store_nodes_ptr& stores,
                const std::vector<member>& members) {
  to.stores = stores;
  if (stores == nullptr)
    return;
  auto& names = stores->names();
  to.store_slots.assign(names.size(), peer_set::nobody);
  auto differs = [&](const member& x) {
    return x.stores != 0 && x.stores != stores->digest();
  };
  if (std::ranges::any_of(members, differs))
    return;
  for (size_t i = 0; i < members.size(); ++i) {
    auto at = std::ranges::find(names, members[i].name);
    // One without stores was not told that it is one.
    if (at != names.end() && members[i].stores != 0)
      to.store_slots[static_cast<size_t>(at - names.begin())] = to.order[i];
  }
}

const peer_set_ptr& peer_slots::assign(const cluster_view& view,
                                       std::string_view self,
                                       const cluster_links& links) {
  auto made = caf::make_counted<peer_set>();
  made->number = view.number;
  made->coordinator = view.coordinator;
  made->outbox_bytes_max = outbox_bytes_max_;
  std::vector<uint32_t> slots;
  for (auto& x : view.members) {
    if (x.name == self) {
      slots.push_back(peer_set::here);
      continue;
    }
    auto* link = links.find(x);
    auto slot = slots.emplace_back(find_slot(*last_, *made, x, link));
    if (slot >= made->slots.size())
      made->slots.resize(slot + 1);
    auto& node = made->slots[slot];
    auto* before = last_->at(slot);
    if (before != nullptr)
      node = *before;
    else
      node = peer_node_of(x, link);
    node->who = x;
  }
  add_owners(*made, view, slots);
  made->order = std::move(slots);
  add_stores(*made, stores_, view.members);
  last_ = std::move(made);
  return last_;
}

uint32_t peer_slots::slot_of(const peer_link& x) const noexcept {
  for (uint32_t i = 0; i < last_->slots.size(); ++i)
    if (auto* node = last_->at(i);
        node != nullptr && node->traffic == x.traffic)
      return i;
  return peer_set::here;
}

} // namespace callboard
