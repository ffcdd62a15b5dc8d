#include <callboard/actors/cluster/broker_replicas.hpp>

#include <algorithm>
#include <utility>

#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>

namespace callboard {

namespace {

// Returns this node's place among those that keep topics; one behind the last
// if it is none of them.
uint32_t store_place_of(const node_context& node) {
  if (node.stores == nullptr)
    return 0;
  auto& names = node.stores->names();
  return static_cast<uint32_t>(std::ranges::find(names, node.name)
                               - names.begin());
}

} // namespace

broker_replicas::broker_replicas(broker& self, loop_context& ctx)
  : self_{self},
    ctx_{ctx},
    topics_{*this, ctx.node.stores, store_place_of(ctx.node),
            ctx.node.options.topics_max} {
  install();
  // The shard that had this one's place may have served some.
  show_served();
}

bool broker_replicas::copied(std::string_view topic) const noexcept {
  auto& stores = ctx_.node.stores;
  return stores != nullptr && ctx_.node.store != nullptr
         && stores->voters_of(topic).voters > 1;
}

bool broker_replicas::congested(std::string_view topic) const noexcept {
  auto& nodes = ctx_.peers.nodes();
  auto voters = ctx_.node.stores->voters_of(topic);
  auto is_full = [&nodes](uint32_t place) {
    return nodes.congested(nodes.store_slots[place]);
  };
  return std::any_of(voters.places.begin(),
                     voters.places.begin() + voters.keepers, is_full);
}

void broker_replicas::install() {
  auto old = std::exchange(nodes_, ctx_.peers.shared_nodes());
  uint64_t present = 0;
  uint64_t anew = 0;
  for (size_t i = 0; i < nodes_->store_slots.size(); ++i) {
    auto slot = nodes_->store_slots[i];
    auto bit = uint64_t{1} << i;
    if (nodes_->at(slot) != nullptr)
      present |= bit;
    if (old == nullptr || i >= old->store_slots.size()
        || old->store_slots[i] != slot || !nodes_->same_at(slot, *old))
      anew |= bit;
  }
  topics_.install(present, anew);
}

bool broker_replicas::take_frame(uint32_t slot, peer_frame number,
                                 frame_source& source) {
  auto handle = [=, this](auto& frame) { take(slot, frame); };
  return source.read_one_of<peer_replica>(number, handle);
}

void broker_replicas::take(uint32_t slot, peer_replica& x) {
  auto& slots = ctx_.peers.nodes().store_slots;
  auto i = std::ranges::find(slots, slot);
  if (i == slots.end() || ctx_.node.store == nullptr)
    return;
  // What is dropped is asked for, or said, again (`tick`).
  if (!x.events.empty() && ctx_.node.store->full())
    return;
  topics_.take(static_cast<uint32_t>(i - slots.begin()), x.topic, unboxed(x));
  tick_later();
}

void broker_replicas::take(const store_report::replica& x) {
  topics_.take(x);
}

void broker_replicas::tick() {
  ticks_ = false;
  topics_.tick();
  show_served();
  tick_later();
}

void broker_replicas::tick_later() {
  if (topics_.size() == 0 || std::exchange(ticks_, true))
    return;
  self_.delayed_anon_send(caf::actor_cast<broker_actor>(&self_),
                          store_retry_interval, cluster_atom_v, due_atom_v);
}

void broker_replicas::show_served() {
  auto [served, alone] = topics_.served();
  ctx_.metrics.copied_topics->value(static_cast<int64_t>(served));
  ctx_.metrics.copied_topics_alone->value(static_cast<int64_t>(alone));
}

// -- replica_host -------------------------------------------------------------

void broker_replicas::send(uint32_t node, const std::string& topic,
                           replica_message x) {
  auto& nodes = ctx_.peers.nodes();
  auto slot = nodes.store_slots[node];
  // Who comes back fetches many topics at once.
  if (x.what == replica_call::events && nodes.congested(slot))
    return;
  ctx_.peers.send(shard_kind::broker, slot, topic, boxed(topic, std::move(x)));
}

void broker_replicas::load(const std::string& topic) {
  ctx_.node.store->load_replica(self_.receiver(), topic);
  tick_later();
}

void broker_replicas::change(const std::string& topic, replica_write x) {
  // By the rules of this node, where another one owns it.
  ctx_.node.store->change_replica(self_.receiver(), topic, std::move(x),
                                  self_.options_by_now(topic));
}

void broker_replicas::read(store_query what,
                           std::function<void(store_report::reading&&)> f) {
  self_.receiver();
  self_.read(std::move(what), std::move(f));
}

std::string broker_replicas::new_epoch() {
  return self_.new_epoch();
}

void broker_replicas::begun(const std::string& topic) {
  self_.copies_begun(topic);
}

void broker_replicas::agreed(const std::string& topic, uint64_t offset) {
  self_.copies_agreed(topic, offset);
}

void broker_replicas::placed(const std::string& topic, uint64_t number) {
  self_.copies_placed(topic, number);
}

void broker_replicas::lost(const std::string& topic) {
  self_.copies_lost(topic);
}

} // namespace callboard
