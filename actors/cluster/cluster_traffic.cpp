#include <callboard/actors/cluster/cluster_actor.hpp>

#include <algorithm>
#include <memory>
#include <utility>

#include <caf/send.hpp>

// What goes over links once they are there.

namespace callboard {

namespace {

// Nobody but the cluster actor writes it.
void acknowledge(link_traffic& x, uint64_t bytes) {
  if (bytes > x.acknowledged)
    x.acknowledged = bytes;
}

// What a batch that is held costs, even if there is nothing in it.
size_t held_cost(const peer_batch& x) {
  return sizeof(peer_batch) + x.frames.size();
}

// Returns whether two numbers of links are of the same round.
bool same_round(uint64_t x, uint64_t y) {
  return static_cast<uint32_t>(x) == static_cast<uint32_t>(y);
}

} // namespace

void cluster_actor::take_heartbeat(const peer_heartbeat& x) {
  auto* from = links_.find(std::string_view{x.name});
  if (from == nullptr || from->who.incarnation != x.incarnation || x.link == 0)
    return;
  take_number(*from, x.link);
  if (same_round(x.link, from->mine))
    acknowledge(*from->traffic, x.acknowledged);
  auto now = now_us();
  from->load = x.load;
  from->echo_us = x.sent_us;
  from->echo_at_us = now;
  if (x.echo_us != 0)
    from->round_trip_ms
      = static_cast<double>(std::max(int64_t{0}, now - x.echo_us - x.held_us))
        / 1000;
  membership_.receive(x.name, x, now / 1000);
  follow();
}

void cluster_actor::take_view(const std::string& from, const cluster_view& x) {
  membership_.receive(from, x, now_ms());
  follow();
}

void cluster_actor::take_batch(peer_batch& x) {
  auto* from = links_.find(x.link);
  if (from == nullptr || !from->complete())
    return metrics_.stale_batches->inc();
  auto bytes = x.frames.size();
  metrics_.received_batches->inc();
  metrics_.received_bytes->inc(static_cast<int64_t>(bytes));
  membership_.heard(from->who.name, now_ms());
  acknowledge(*from->traffic, x.acknowledged);
  if (from->held.empty() && is_due(*from, x))
    return deliver(*from, x);
  metrics_.held_batches->inc();
  from->held_bytes += held_cost(x);
  from->held.push_back(std::move(x));
  if (from->held_bytes > options_.outbox_bytes_max)
    block(from->who.name, "it goes by a view that never came");
}

bool cluster_actor::is_due(const peer_link& from, const peer_batch& x) const {
  return x.view <= view_.number && slots_.slot_of(from) != peer_set::here;
}

void cluster_actor::deliver(const peer_link& from, peer_batch& x) {
  auto* shards = x.kind < shard_kind_count ? &shards_[x.kind] : nullptr;
  if (shards != nullptr && x.shard < shards->size() && (*shards)[x.shard]) {
    auto credit = std::make_shared<batch_credit>(from.traffic, x.frames.size());
    shard_batch batch{slots_.slot_of(from), x.view, std::move(x.frames),
                      std::move(credit)};
    caf::anon_send((*shards)[x.shard], std::move(batch));
    return;
  }
  metrics_.stray_batches->inc();
  from.traffic->received += x.frames.size();
}

void cluster_actor::release_held() {
  links_.for_each([this](peer_link& x) {
    while (!x.held.empty() && is_due(x, x.held.front())) {
      x.held_bytes -= held_cost(x.held.front());
      deliver(x, x.held.front());
      x.held.pop_front();
    }
  });
}

void cluster_actor::send_heartbeat(peer_link& to) {
  auto* peer = membership_.find(to.who.name);
  if (peer == nullptr || !to.complete())
    return;
  auto x = membership_.heartbeat_for(*peer, now_ms());
  stamp(to, x);
  caf::anon_send(to.gate, std::move(x));
}

void cluster_actor::stamp(peer_link& to, peer_heartbeat& x) const {
  auto now = now_us();
  x.link = to.mine;
  x.acknowledged = to.traffic->received;
  x.load = own_load();
  x.sent_us = now;
  x.echo_us = to.echo_us;
  x.held_us = to.echo_us == 0 ? 0 : now - to.echo_at_us;
  to.told = x.acknowledged;
}

void cluster_actor::check_traffic() {
  std::vector<std::string> full;
  std::vector<std::string> silent;
  links_.for_each([&](peer_link& x) {
    if (x.traffic->outstanding() > options_.outbox_bytes_max)
      full.push_back(x.who.name);
    else if (x.complete()
             && membership_.silent(*membership_.find(x.who.name), now_ms()))
      silent.push_back(x.who.name);
    else if (x.traffic->received - x.told >= cluster_acknowledge_bytes)
      send_heartbeat(x);
  });
  for (auto& name : full)
    block(name, "it does not take what it is sent");
  for (auto& name : silent)
    close(name, "nothing was heard for long");
}

} // namespace callboard
