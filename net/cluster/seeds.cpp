#include <callboard/net/cluster/seeds.hpp>

#include <algorithm>
#include <utility>

#include <callboard/net/cluster/options.hpp>
#include <callboard/net/url.hpp>

namespace callboard::net {

cluster_seeds::cluster_seeds(caf::actor_config& cfg, caf::execution_unit* loop,
                             caf::actor gate,
                             std::shared_ptr<cluster_network> network,
                             const std::vector<std::string>& places)
  : super{cfg, loop}, gate_{std::move(gate)}, network_{std::move(network)} {
  for (auto& x : places)
    places_.try_emplace(x);
  first_ = {places.begin(), places.end()};
}

caf::behavior cluster_seeds::make_behavior() {
  if (first_.empty())
    send(gate_, join_atom_v);
  look();
  return {
    [this](join_atom, const std::string& place) { add(place); },
    [this](expire_atom) { look(); },
  };
}

void cluster_seeds::on_exit() {
  gate_ = nullptr;
  network_ = nullptr;
}

void cluster_seeds::add(const std::string& place) {
  if (places_.size() < cluster_settings::join_max
      && places_.try_emplace(place).second)
    look_up(place);
}

void cluster_seeds::look() {
  for (auto& [place, known] : places_)
    look_up(place);
  delayed_send(this, interval, expire_atom_v);
}

void cluster_seeds::look_up(const std::string& place) {
  auto where = parse_host_and_port(place);
  // Where an answer takes longer than the time to the next look, questions do
  // not pile up.
  if (!where || !asked_.insert(place).second)
    return;
  network_->resolve(where->host, [this, keep = caf::strong_actor_ptr{ctrl()},
                                  place](std::vector<std::string> ips) {
    static_cast<void>(enter([&] { found(place, ips); }));
  });
}

void cluster_seeds::found(const std::string& place,
                          const std::vector<std::string>& ips) {
  auto where = parse_host_and_port(place);
  auto& known = places_[place];
  asked_.erase(place);
  // Where nobody knows a name for a while, what it stood for is not new later.
  if (where && !ips.empty()) {
    auto before = std::exchange(known, {});
    std::vector<std::string> added;
    for (auto& ip : ips) {
      auto address = url{ip, where->port}.authority();
      if (known.insert(address).second && !before.contains(address))
        added.push_back(std::move(address));
    }
    // They leave their room to the others.
    for (auto& address : before)
      if (!stands_for(address))
        send(gate_, leave_atom_v, address);
    for (auto& address : added)
      send(gate_, join_atom_v, std::move(address));
  }
  looked_at(place);
}

bool cluster_seeds::stands_for(const std::string& address) const {
  return std::ranges::any_of(places_, [&](auto& x) {
    return x.second.contains(address);
  });
}

void cluster_seeds::looked_at(const std::string& place) {
  if (first_.erase(place) > 0 && first_.empty())
    send(gate_, join_atom_v);
}

} // namespace callboard::net
