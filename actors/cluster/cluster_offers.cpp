#include <callboard/actors/cluster/cluster_actor.hpp>

#include <utility>
#include <vector>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/in_ms.hpp>

// Which of the other nodes take the clients that this one does not.

namespace callboard {

node_load cluster_actor::own_load() const {
  return options_.load ? options_.load() : node_load{};
}

bool cluster_actor::has_offer(const peer_link& x) const {
  auto* peer = membership_.find(x.who.name);
  if (!x.complete() || x.echo_at_us == 0 || peer == nullptr || peer->leaving)
    return false;
  // Who leaves sends its clients to those that it was with.
  return is_member(x.who) || !leaves_.empty() || membership_.left();
}

void cluster_actor::offer_others() {
  std::vector<node_offer> offers;
  links_.for_each([&](const peer_link& x) {
    if (has_offer(x))
      offers.push_back({x.load, x.who.urls, x.echo_at_us / 1000});
  });
  auto found = caf::make_counted<lighter_nodes>(offers, now_ms(),
                                                in_ms(options_.timeout));
  if (found->same_as(*lighter_))
    return;
  lighter_ = std::move(found);
  for (auto& x : shards_[static_cast<size_t>(shard_kind::broker)])
    caf::anon_send(x, cluster_atom_v, lighter_);
}

} // namespace callboard
