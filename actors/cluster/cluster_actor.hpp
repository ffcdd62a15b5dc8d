#pragma once

#include <callboard/actors/cluster/cluster_options.hpp>
#include <callboard/actors/type_ids.hpp>

// The gate of a node: its `cluster_actor`, an event-based actor on the
// scheduler; no loop hosts it. It has the name `callboard.cluster`.
//
// It takes, from its own node:
//
//   (cluster_atom, uint8_t kind, uint32_t index, caf::actor shard)
//       This is the broker's or router's shard (`shard_kind`) with this index
//       from now on; it gets the set of peers that is in force at once. Nothing
//       goes to a shard that was not given. No answer.
//   (join_atom, std::vector<std::string> addresses)
//       Dial these as well, `cluster_seeds_max` at most. No answer.
//   (leave_atom) → void
//       Leave the cluster; answered when this node is in nobody's view. It
//       owns no topics from the next view on. The actor lives on, alone, and
//       dials nobody.
//   (lookup_atom) → cluster_facts
//   (watch_atom, caf::actor), (unwatch_atom, caf::actor)
//       Send this actor a `node_event` for all that happens to other nodes
//       from now on, and at once an `up` (and `leaving`) for each that is a
//       member; or no longer. No answer.
//
// A shard gets, from it:
//
//   (cluster_atom, peer_set_ptr)
//       The nodes from now on. All broker shards are sent it before all router
//       shards. The same view may come again with other slots: a node in a slot
//       of its own is one that this node has begun anew with, whatever slot it
//       had before, and nothing of what was said before counts.
//   (shard_batch)
//       Frames from the node at a slot of the set that came last, which is no
//       older than the batch's view. The shard adds the frames' size to
//       `traffic->received` of that slot when it is done with them.
//
// The dialer, which it is given, takes:
//
//   (dial_atom, std::string address) → caf::actor
//       The cluster actor of another node, or an error. It is asked again with
//       backoff; it answers within `cluster_dial_timeout`, or is not waited
//       for.
//
// Cluster actors of different nodes tell each other:
//
//   (peer_hello) → peer_welcome
//   (peer_heartbeat), (std::string from, cluster_view), (peer_batch)

namespace callboard {

inline constexpr caf::timespan cluster_dial_timeout = std::chrono::seconds{10};

/// The actor that others know as a node.
/// @param self its `state` does not matter.
/// @param dialer see above.
caf::actor spawn_cluster_actor(caf::actor_system& sys, cluster_options options,
                               member self, caf::actor dialer);

/// Returns a hash of the names and numbers of the types that nodes send.
uint64_t type_fingerprint();

} // namespace callboard
