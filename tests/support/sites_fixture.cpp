#include "support/sites_fixture.hpp"

#include <algorithm>
#include <set>

#include <caf/event_based_actor.hpp>
#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/peer_slots.hpp>
#include <callboard/actors/type_ids.hpp>

namespace callboard {

namespace {

// Keeps what a shard sends to the site `to`.
caf::behavior gate_behavior(size_t to, const cluster_site::parcels& sent) {
  return {
    [to, sent](peer_batch& x) {
      sent->push_back({to, std::move(x)});
    },
  };
}

} // namespace

cluster_site::cluster_site(member who, const std::vector<topic_rule>& rules,
                           store_nodes_ptr stores,
                           std::shared_ptr<event_store> store,
                           const std::function<void(node_options&)>& adjust)
  : self{std::move(who)} {
  node.node.options.topics = rules;
  if (adjust)
    adjust(node.node.options);
  node.node.name = self.name;
  node.node.stores = std::move(stores);
  node.node.store = std::move(store);
  if (node.node.stores != nullptr)
    self.stores = node.node.stores->digest();
  node.start(self.loops);
  node.node.incarnation = self.incarnation;
}

cluster_site& sites_fixture::add(uint32_t loops,
                                 std::shared_ptr<event_store> store) {
  const std::string name{static_cast<char>('a' + sites.size())};
  return add({name, name, {}, loops, member_state::up}, std::move(store));
}

cluster_site& sites_fixture::add_run(size_t of, const std::string& incarnation,
                                     std::shared_ptr<event_store> store) {
  auto who = sites[of].self;
  who.incarnation = incarnation;
  return add(std::move(who), std::move(store));
}

cluster_site& sites_fixture::add(member who,
                                 std::shared_ptr<event_store> store) {
  store_nodes_ptr stores;
  if (!store_names.empty())
    stores = caf::make_counted<store_nodes>(store_names, rules);
  return sites.emplace_back(std::move(who), rules, std::move(stores),
                            std::move(store), adjust);
}

void sites_fixture::view(const std::vector<size_t>& members) {
  ++number;
  for (auto site : members)
    tell(site, members);
  settle();
}

void sites_fixture::tell(size_t site, const std::vector<size_t>& members) {
  auto& x = sites[site];
  auto set = caf::make_counted<peer_set>();
  set->number = number;
  set->outbox_bytes_max = outbox_bytes_max;
  // Who drops another one begins anew with it.
  for (uint32_t other = 0; other < sites.size(); ++other)
    if (x.nodes != nullptr && x.nodes->at(other) != nullptr
        && std::ranges::find(members, other) == members.end())
      ++rounds[std::minmax<size_t>(site, other)];
  std::vector<std::string> names;
  for (auto other : members) {
    auto slot = other == site ? peer_set::here : static_cast<uint32_t>(other);
    set->order.push_back(slot);
    if (sites[other].self.state == member_state::up) {
      names.push_back(sites[other].self.name);
      set->owner_slots.push_back(slot);
    }
    if (other == site)
      continue;
    if (set->slots.size() <= other)
      set->slots.resize(other + 1);
    auto round = rounds[std::minmax<size_t>(site, other)];
    auto* known = x.nodes != nullptr ? x.nodes->at(slot) : nullptr;
    if (known != nullptr && known->link == round)
      set->slots[other] = *known;
    else
      set->slots[other]
        = peer_node{sites[other].self,
                    x.node.sys.spawn(gate_behavior, other, x.sent), round,
                    std::make_shared<link_traffic>()};
    set->slots[other]->who = sites[other].self;
  }
  set->owners = placement{names};
  std::vector<member> all;
  for (auto other : members)
    all.push_back(sites[other].self);
  add_stores(*set, x.node.node.stores, all);
  x.nodes = set;
  for (auto& ctx : x.node.loops)
    caf::anon_send(ctx->brokers[ctx->index].actor, cluster_atom_v, x.nodes);
  x.node.turn();
}

void sites_fixture::replace_broker(size_t site, uint32_t index) {
  auto& x = sites[site];
  x.node.kill(x.node.loops[index]->brokers[index].actor);
  auto shard = x.node.make_broker(index);
  x.node.install(index, shard);
  if (x.nodes != nullptr)
    caf::anon_send(shard.actor, cluster_atom_v, x.nodes);
}

size_t sites_fixture::carry() {
  size_t result = 0;
  for (size_t from = 0; from < sites.size(); ++from)
    result += carry(from);
  return result;
}

size_t sites_fixture::carry(size_t from) {
  size_t result = 0;
  // Sites that do not go by the view yet get nothing behind what waits for it.
  std::set<size_t> closed;
  for (auto& x : std::exchange(*sites[from].sent, {})) {
    auto& to = sites[x.to];
    auto* node = to.nodes != nullptr ? to.nodes->at(static_cast<uint32_t>(from))
                                     : nullptr;
    if (x.what.link < rounds[std::minmax<size_t>(from, x.to)])
      continue;
    if (closed.contains(x.to) || node == nullptr || node->link != x.what.link
        || x.what.view > to.nodes->number) {
      closed.insert(x.to);
      sites[from].sent->push_back(std::move(x));
      continue;
    }
    ++result;
    if (static_cast<shard_kind>(x.what.kind) == shard_kind::broker)
      caf::anon_send(to.node.loops[x.what.shard]->brokers[x.what.shard].actor,
                     shard_batch{static_cast<uint32_t>(from), x.what.view,
                                 std::move(x.what.frames)});
  }
  return result;
}

void sites_fixture::acknowledge(size_t from, size_t to) {
  auto* there = sites[to].nodes->at(static_cast<uint32_t>(from));
  auto* here = sites[from].nodes->at(static_cast<uint32_t>(to));
  here->traffic->acknowledged.store(there->traffic->received);
}

void sites_fixture::crash(size_t site) {
  auto& x = sites[site];
  x.sent->clear();
  for (auto& y : sites)
    std::erase_if(*y.sent, [site](auto& z) { return z.to == site; });
  for (size_t other = 0; other < sites.size(); ++other)
    if (other != site)
      ++rounds[std::minmax<size_t>(site, other)];
}

void sites_fixture::settle() {
  do
    for (auto& x : sites)
      x.node.turn();
  while (carry() > 0);
}

std::string
sites_fixture::moving(const std::vector<std::string>& before, uint32_t from,
                      const std::vector<std::string>& after, uint32_t to,
                      const std::string& prefix, size_t n) {
  placement old{before};
  placement now{after};
  for (int i = 0;; ++i) {
    auto name = prefix + std::to_string(i);
    if (old.owner_of(name) == from && now.owner_of(name) == to && n-- == 0)
      return name;
  }
}

std::string sites_fixture::topic_of(size_t site, uint32_t shard,
                                    const std::string& prefix) {
  auto& x = sites[site];
  for (uint32_t i = 0;; ++i) {
    auto name = prefix + std::to_string(i);
    if (x.nodes->owner_of(name) == peer_set::here
        && shard_of(name, x.self.loops) == shard)
      return name;
  }
}

std::string sites_fixture::publish(client& x, const std::string& topic,
                                   const std::string& what, uint32_t seq_id,
                                   bool no_echo, const std::string& id) {
  x.publish(topic, what, seq_id, no_echo, id);
  settle();
  return x.heard();
}

std::string sites_fixture::answered(uint32_t seq_id, const std::string& epoch,
                                    int offset) {
  return "response " + std::to_string(seq_id) + " {\"epoch\":\"" + epoch
         + "\",\"offset\":" + std::to_string(offset) + '}';
}

std::string sites_fixture::subscribed(uint32_t seq_id, const std::string& epoch,
                                      int offset, bool recovered) {
  auto result = answered(seq_id, epoch, offset);
  result.pop_back();
  return result + ",\"recovered\":" + (recovered ? "true}" : "false}");
}

client& sites_fixture::connect(size_t site, uint32_t loop, std::string user) {
  auto& result = sites[site].node.connect(loop, std::move(user));
  settle();
  return result;
}

} // namespace callboard
