#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/actor.hpp>

#include <callboard/actors/cluster/node_load.hpp>
#include <callboard/actors/cluster/view.hpp>

// What the cluster actors of different nodes tell each other, beside
// `peer_batch` and `cluster_view`.

namespace callboard {

/// Identifies a view; see `cluster_view::newer_than`.
struct view_id {
  uint64_t number = 0;
  std::string coordinator;

  [[nodiscard]] bool newer_than(const view_id& other) const noexcept {
    return number != other.number ? number > other.number
                                  : coordinator < other.coordinator;
  }

  friend bool operator==(const view_id&, const view_id&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, view_id& x) {
    return f.object(x).fields(f.field("number", x.number),
                              f.field("coordinator", x.coordinator));
  }
};

inline view_id id_of(const cluster_view& x) {
  return {x.number, x.coordinator};
}

/// Begins a link; the answer is a `peer_welcome`.
struct peer_hello {
  /// `peer_protocol`. Nodes with another one refuse each other.
  uint32_t protocol = 0;
  /// The program's, for people.
  std::string version;
  /// The name of the cluster.
  std::string cluster;
  /// See `type_fingerprint`. Nodes with another one refuse each other.
  uint64_t types = 0;
  /// The sender.
  member who;
  /// The sender's cluster actor.
  caf::actor gate;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_hello& x) {
    return f.object(x).fields(f.field("protocol", x.protocol),
                              f.field("version", x.version),
                              f.field("cluster", x.cluster),
                              f.field("types", x.types), f.field("who", x.who),
                              f.field("gate", x.gate));
  }
};

/// Answers a `peer_hello`.
struct peer_welcome {
  /// The node that answers.
  member who;
  std::string version;
  /// Why there is no link: a sentence. Empty: there is one.
  std::string refused;
  /// The number under which it takes batches; see `peer_heartbeat::link`.
  uint64_t link = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_welcome& x) {
    return f.object(x).fields(f.field("who", x.who),
                              f.field("version", x.version),
                              f.field("refused", x.refused),
                              f.field("link", x.link));
  }
};

/// Tells a linked node, each heartbeat interval, that the sender lives and how
/// it sees the cluster.
struct peer_heartbeat {
  // -- made by the sender's `membership` --------------------------------------

  /// The sender.
  std::string name;
  std::string incarnation;
  /// The view that the sender goes by.
  view_id view;
  /// The newest view that it has got from the receiver.
  view_id seen;
  /// The runs that it hears (`run_of`), members of its view and others.
  std::vector<uint64_t> hears;
  /// Whether it wants to own no topics, and whether it wants to be no member.
  bool leaving = false;
  bool gone = false;

  // -- added by its cluster actor ---------------------------------------------

  /// The number under which the sender takes batches from the receiver. Its
  /// low half counts how often the two have begun anew: it is the same in both
  /// directions, and who hears of a higher one takes it over.
  uint64_t link = 0;
  /// How many bytes of the receiver's batches the sender is done with.
  uint64_t acknowledged = 0;
  /// Of the sender.
  node_load load;
  /// When it was sent, in microseconds of the sender's clock.
  int64_t sent_us = 0;
  /// `sent_us` of the last one from the receiver, and how long that was ago;
  /// 0: there was none.
  int64_t echo_us = 0;
  int64_t held_us = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_heartbeat& x) {
    return f.object(x).fields(
      f.field("name", x.name), f.field("incarnation", x.incarnation),
      f.field("view", x.view), f.field("seen", x.seen),
      f.field("hears", x.hears), f.field("leaving", x.leaving),
      f.field("gone", x.gone), f.field("link", x.link),
      f.field("acknowledged", x.acknowledged), f.field("load", x.load),
      f.field("sent-us", x.sent_us), f.field("echo-us", x.echo_us),
      f.field("held-us", x.held_us));
  }
};

} // namespace callboard
