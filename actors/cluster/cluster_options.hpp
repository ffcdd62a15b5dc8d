#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <caf/timespan.hpp>

#include <callboard/actors/cluster/node_load.hpp>
#include <callboard/actors/cluster/store_nodes.hpp>

namespace callboard {

/// What a cluster actor has to say for the log.
enum class cluster_news : uint8_t {
  link_up,
  link_down,
  /// This node has refused another one, or the other way round.
  refused,
  /// An address was dialed in vain.
  dial_failed,
  /// The same for some time, although somebody is there; once for a reason.
  no_link,
  view_changed,
  /// Members were told of other store nodes, or of none: durable topics have no
  /// owner, or more than one.
  store_nodes_differ,
  /// Clients may be taken from now on.
  ready,
  /// The same, although the node has not joined those whom it looks for.
  join_late,
};

/// Returns the name: `link_up`.
std::string_view to_string(cluster_news x) noexcept;

/// A line for the log.
struct cluster_note {
  cluster_news what = cluster_news::link_up;
  /// The other node; empty where it is not known, or where there is none.
  std::string node;
  std::string address;
  /// A sentence, or several words; empty where there is nothing to say.
  std::string why;
  /// Of the view that this node goes by.
  uint64_t view = 0;
  /// The members' names, separated by a comma, for what concerns no node; of
  /// `store_nodes_differ` the others that differ.
  std::string members;
};

/// What a cluster actor is started with.
struct cluster_options {
  /// Nodes of clusters with other names refuse each other; 1 … 64 bytes.
  std::string name = "callboard";
  /// The program's version, for people.
  std::string version;
  /// Addresses, `host:port`, of any nodes of the cluster; at most 64.
  std::vector<std::string> seeds;
  /// How often a node tells the others that it lives, 100 ms … 60 s.
  caf::timespan heartbeat = std::chrono::seconds{1};
  /// For how long a node may be silent, 3 × `heartbeat` … 10 min.
  caf::timespan timeout = std::chrono::seconds{5};
  /// Bytes that may be on their way to a node, 1 MiB … 16 GiB; beyond them it
  /// is treated as down.
  size_t outbox_bytes_max = 64 * 1024 * 1024;
  /// Nodes of one cluster.
  size_t members_max = 64;
  /// Those that keep durable topics; null: none does.
  store_nodes_ptr stores;
  /// Seed of all randomness; not to be the same at two nodes.
  uint64_t random_seed = 0;
  /// Returns the node's load; empty: none. Called by the actor.
  std::function<node_load()> load;
  /// Is told, once, that clients may be taken: this node is one of several, or
  /// nobody was found (`first_round`); empty: nobody is told. Called by the
  /// actor.
  std::function<void()> ready;
  /// Logs; empty: nothing is logged. Called by the actor.
  std::function<void(const cluster_note&)> log;
};

inline constexpr size_t cluster_seeds_max = 64;

} // namespace callboard
