#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/default_enum_inspect.hpp>

#include <callboard/actors/cluster/node_load.hpp>
#include <callboard/actors/cluster/view.hpp>

// What a node tells of its cluster: to operators, and to applications.

namespace callboard {

/// What happened to a node, as this one sees it.
enum class node_event_kind : uint8_t {
  /// It is a member now.
  up,
  /// It is about to leave.
  leaving,
  /// It is no member any more.
  down,
};

std::string to_string(node_event_kind x);

bool from_string(caf::string_view name, node_event_kind& x);

bool from_integer(uint8_t number, node_event_kind& x);

template <class Inspector>
bool inspect(Inspector& f, node_event_kind& x) {
  return caf::default_enum_inspect(f, x);
}

/// Tells those who watch a cluster actor what happened to another node. Of one
/// run of a node: `up`, then `leaving` or nothing, then `down`.
struct node_event {
  node_event_kind kind = node_event_kind::up;
  member who;
  /// The number of the view from which on it is so.
  uint64_t view = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, node_event& x) {
    return f.object(x).fields(f.field("kind", x.kind), f.field("who", x.who),
                              f.field("view", x.view));
  }
};

/// What a node knows of another one, or of itself.
struct node_facts {
  member who;
  /// Whether it is in the view; others are linked, or known by address.
  bool in_view = false;
  bool linked = false;
  bool heard = false;
  /// The view that it goes by.
  uint64_t view = 0;
  /// Milliseconds from a heartbeat to its echo; below 0: it is not known.
  double round_trip_ms = -1;
  /// As it says itself; not known where it is not `linked`.
  node_load load;
  /// Bytes that went to it and that it is not done with.
  uint64_t outstanding_bytes = 0;
  /// Since the link began.
  uint64_t sent_bytes = 0;
  uint64_t received_bytes = 0;
  /// Its share of the topics, 0 … 1.
  double owner_share = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, node_facts& x) {
    return f.object(x).fields(
      f.field("who", x.who), f.field("in-view", x.in_view),
      f.field("linked", x.linked), f.field("heard", x.heard),
      f.field("view", x.view), f.field("round-trip-ms", x.round_trip_ms),
      f.field("load", x.load), f.field("outstanding", x.outstanding_bytes),
      f.field("sent", x.sent_bytes), f.field("received", x.received_bytes),
      f.field("owner-share", x.owner_share));
  }
};

/// What a node knows of its cluster.
struct cluster_facts {
  /// The cluster's name.
  std::string name;
  /// The name of the node that tells this.
  std::string self;
  /// The view that it goes by.
  uint64_t view = 0;
  std::string coordinator;
  /// The members in the order in which they joined, then others by name.
  std::vector<node_facts> nodes;
  /// Those that keep durable topics, by name, and which of them own none for
  /// now.
  std::vector<std::string> store_nodes;
  std::vector<std::string> absent_store_nodes;

  template <class Inspector>
  friend bool inspect(Inspector& f, cluster_facts& x) {
    return f.object(x).fields(f.field("name", x.name), f.field("self", x.self),
                              f.field("view", x.view),
                              f.field("coordinator", x.coordinator),
                              f.field("nodes", x.nodes),
                              f.field("store-nodes", x.store_nodes),
                              f.field("absent", x.absent_store_nodes));
  }
};

} // namespace callboard
