#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/event_based_actor.hpp>

#include <callboard/actors/hosted.hpp>
#include <callboard/actors/type_ids.hpp>
#include <callboard/net/cluster/network.hpp>

namespace callboard::net {

/// Tells a cluster actor where to look for other nodes: each address of each
/// name that it was given, because behind one of them there may be a part of
/// the cluster that the others do not know. Names are looked up again and
/// again. Takes `(join_atom, std::string)`: look there as well, `HOST:PORT`.
/// When it has looked once at each place that it was given, it says so.
class cluster_seeds : public hosted<caf::event_based_actor> {
public:
  using super = hosted<caf::event_based_actor>;

  /// Time from one look to the next.
  static constexpr caf::timespan interval = std::chrono::seconds{5};

  /// @param gate takes `(join_atom, std::string)` for an address,
  ///             `(leave_atom, std::string)` for one that is none any more, and
  ///             `(join_atom)` behind those to begin with.
  /// @param places at most `cluster_settings::join_max`, and so with those
  ///               that come later.
  cluster_seeds(caf::actor_config& cfg, caf::execution_unit* loop,
                caf::actor gate, std::shared_ptr<cluster_network> network,
                const std::vector<std::string>& places);

  const char* name() const override {
    return "callboard.cluster-seeds";
  }

  caf::behavior make_behavior() override;

  void on_exit() override;

private:
  void add(const std::string& place);

  void look();

  void look_up(const std::string& place);

  // One of the first places is known, or not to be known now.
  void looked_at(const std::string& place);

  // Tells what is new, and what is none of them any more.
  void found(const std::string& place, const std::vector<std::string>& ips);

  // Returns whether one of the places stands for this address.
  [[nodiscard]] bool stands_for(const std::string& address) const;

  caf::actor gate_;
  std::shared_ptr<cluster_network> network_;
  // By place, the addresses that it stood for the last time.
  std::map<std::string, std::set<std::string>> places_;
  // Those that are being looked up.
  std::set<std::string> asked_;
  // Those to begin with that were not looked at yet.
  std::set<std::string> first_;
};

} // namespace callboard::net
