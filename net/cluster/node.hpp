#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_cast.hpp>
#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/fwd.hpp>
#include <caf/timespan.hpp>

#include <callboard/actors/admission.hpp>
#include <callboard/actors/cluster/messages.hpp>
#include <callboard/actors/loop_context.hpp>
#include <callboard/net/cluster/network.hpp>
#include <callboard/net/cluster/options.hpp>
#include <callboard/net/cluster/port.hpp>
#include <callboard/net/io_loop.hpp>

namespace callboard::net {

/// What makes a server a node of a cluster: its cluster actor, who dials the
/// other nodes for it, and the port that they come to. Used by the thread that
/// starts and ends the server, but for what says otherwise.
class cluster_node {
public:
  /// Checks everything that can be wrong before there is anything to end.
  /// @param sys outlives the node.
  /// @returns a sentence that says what is wrong.
  static caf::expected<std::unique_ptr<cluster_node>>
  make(caf::actor_system& sys, const cluster_settings& settings);

  cluster_node(caf::actor_system& sys, cluster_settings settings,
               cluster_port port);

  ~cluster_node();

  /// Makes the actors.
  /// @param node has its name, and is `joining` from now on where there are
  ///             others to join, until it has; outlives this.
  /// @param places counts its connections; outlives this.
  /// @param home the loop of who dials; outlives this, and runs when `stop` is
  ///             called.
  /// @param joined is called, by any thread, when the node was `joining` and is
  ///               no more; may be empty.
  void start(node_context& node, const admission& places, io_loop& home,
             std::function<void()> joined);

  /// Lets other nodes in, and begins to look for them. All shards have been
  /// added, so that nothing is said to a node before it can take it.
  /// @returns a sentence where the port cannot be had.
  caf::error listen();

  /// Tells the cluster actor of a shard, or of what took its place. Any thread.
  template <class Handle>
  void add(shard_kind kind, uint32_t index, const Handle& shard) {
    add_shard(kind, index, caf::actor_cast<caf::actor>(shard));
  }

  /// Lets the node look for others there as well; of more than 64 in all the
  /// later ones do not count. Any thread.
  /// @returns a sentence if one of them is no `HOST:PORT`.
  caf::error join(std::vector<std::string> addresses);

  /// Gives the topics of this node to others, and waits until they have them,
  /// or for so long. It is a member still.
  void retire(caf::timespan timeout);

  /// Leaves the cluster, and waits until the others know, or for so long.
  void leave(caf::timespan timeout);

  /// Ends everything. A second call does nothing.
  void stop();

  /// Returns the cluster actor. Any thread.
  [[nodiscard]] const caf::actor& gate() const noexcept {
    return gate_;
  }

  /// Returns where other nodes reach this one: `HOST:PORT`. Any thread.
  [[nodiscard]] const std::string& address() const noexcept {
    return port_.address();
  }

private:
  void add_shard(shard_kind kind, uint32_t index, caf::actor shard);

  caf::actor_system& system_;
  cluster_settings settings_;
  cluster_port port_;
  io_loop* home_ = nullptr;
  // Until the seeds have it.
  std::shared_ptr<cluster_network> network_;
  caf::actor dialer_;
  caf::actor gate_;
  caf::actor seeds_;
};

} // namespace callboard::net
