#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <callboard/actors/cluster/membership_messages.hpp>
#include <callboard/actors/cluster/peer_frames.hpp>
#include <callboard/actors/cluster/peer_topic_frames.hpp>
#include <callboard/actors/moved_room.hpp>

// What broker shards of different nodes tell each other when topics change
// their owner. The shard that sends these says which one of its node it is.

namespace callboard {

/// An id that a topic remembers.
struct handed_id {
  std::string key;
  uint64_t offset = 0;
  /// For how many milliseconds it counts.
  int64_t rest_ms = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, handed_id& x) {
    return f.object(x).fields(f.field("key", x.key),
                              f.field("offset", x.offset),
                              f.field("rest-ms", x.rest_ms));
  }
};

/// An event that a topic has kept for some milliseconds.
struct handed_event {
  publication_box what;
  int64_t age_ms = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, handed_event& x) {
    return f.object(x).fields(f.field("what", x.what),
                              f.field("age-ms", x.age_ms));
  }
};

/// An event of a group that is not finished.
struct handed_group_event {
  uint64_t offset = 0;
  uint32_t attempts = 0;
  /// See `moved_group`.
  uint64_t delivery = 0;
  /// Empty: it is in the topic's history, or was sent with another group.
  std::vector<publication_box> what;

  template <class Inspector>
  friend bool inspect(Inspector& f, handed_group_event& x) {
    return f.object(x).fields(f.field("offset", x.offset),
                              f.field("attempts", x.attempts),
                              f.field("delivery", x.delivery),
                              f.field("what", x.what));
  }
};

/// A group, or a part of one: the next one of the same name goes on with it.
struct handed_group {
  std::string name;
  uint64_t taken = 0;
  bool touched = false;
  bool proven = false;
  std::vector<handed_group_event> events;

  template <class Inspector>
  friend bool inspect(Inspector& f, handed_group& x) {
    return f.object(x).fields(f.field("name", x.name),
                              f.field("taken", x.taken),
                              f.field("touched", x.touched),
                              f.field("proven", x.proven),
                              f.field("events", x.events));
  }
};

/// A topic is the receiver's from now on, with this: a part of what it has. The
/// parts of one topic follow each other; it counts with the last one.
struct peer_handover {
  static constexpr auto number = peer_frame::handover;

  uint32_t shard = 0;
  bool first = false;
  bool last = false;
  std::string topic;
  std::string epoch;
  uint64_t head = 0;
  std::vector<handed_id> ids;
  std::vector<handed_event> events;
  /// Its last value; empty: it has none, or in another part.
  std::vector<publication_box> retained;
  /// Who is there: the nodes come with the first part.
  std::vector<moved_room::node> nodes;
  std::vector<moved_room::member> members;
  /// Behind all events of the history.
  std::vector<handed_group> groups;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_handover& x) {
    return f.object(x).fields(
      f.field("shard", x.shard), f.field("first", x.first),
      f.field("last", x.last), f.field("topic", x.topic),
      f.field("epoch", x.epoch), f.field("head", x.head), f.field("ids", x.ids),
      f.field("events", x.events), f.field("retained", x.retained),
      f.field("nodes", x.nodes), f.field("members", x.members),
      f.field("groups", x.groups));
  }
};

/// The sender goes by this view: it takes nothing any more for topics that are
/// others' by it, and has handed over all of those that are the receiver's.
struct peer_handed {
  static constexpr auto number = peer_frame::handed;

  uint32_t shard = 0;
  view_id view;
  /// Of the views that it went by since the last one that was settled. Who went
  /// by others asks anew for what it follows.
  uint64_t way = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_handed& x) {
    return f.object(x).fields(f.field("shard", x.shard),
                              f.field("view", x.view), f.field("way", x.way));
  }
};

/// The sender has heard `peer_handed` of all shards of all nodes of this view,
/// and has passed on what was still on its way to it: nothing of what belongs
/// to the views before comes from it any more.
struct peer_settled {
  static constexpr auto number = peer_frame::settled;

  uint32_t shard = 0;
  view_id view;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_settled& x) {
    return f.object(x).fields(f.field("shard", x.shard),
                              f.field("view", x.view));
  }
};

/// Takes back a publication that the sender has not accepted, because its topic
/// is another node's by now; in place of `peer_published`.
struct peer_returned {
  static constexpr auto number = peer_frame::returned;

  uint64_t call = 0;
  publication_box what;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_returned& x) {
    return f.object(x).fields(f.field("call", x.call), f.field("what", x.what));
  }
};

} // namespace callboard
