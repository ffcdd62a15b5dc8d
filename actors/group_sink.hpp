#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/actor_control_block.hpp>

#include <callboard/actors/event_store.hpp>
#include <callboard/actors/history.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/actors/timing_wheel.hpp>

// What groups are bounded by, have in common, and do through others.

namespace callboard {

class shared_group;

/// Numbers a member of a group within its node, from 1. Never used again.
using member_id = uint64_t;

/// What is bounded about the groups of a shard. Each from 1.
struct group_limits {
  /// Events that one member may have unconfirmed, and their bytes; a single
  /// event may be larger.
  size_t inflight_max;
  int64_t inflight_bytes_max;
  /// How often an event is given to somebody.
  uint32_t attempts_max;
  /// For how long a member may have an event without confirming it.
  int64_t ack_timeout_ms;
  /// Events that wait in one group; more stay in the topic's history.
  size_t pending_max;
  /// Bytes of events that all groups keep. One group keeps no more than it
  /// leaves free, so that others find room; but each may keep one event beyond
  /// that.
  int64_t bytes_max;
  /// Groups at once.
  size_t groups_max;
  /// Groups at once of one topic.
  size_t topic_groups_max;
  /// How long a group without members keeps its place.
  int64_t linger_ms;
};

/// A member of one group.
struct group_member {
  /// An event that it has, or has had for too long.
  struct slot {
    uint64_t offset;
    int64_t bytes;
    /// Whether the event is another's now. The place is not free until this
    /// member has answered.
    bool stale;
  };

  member_id id = 0;
  shared_group* group = nullptr;
  caf::weak_actor_ptr who;
  /// Whether it is an actor of the application's and no connection.
  bool embedded = false;
  /// Whether it has said that it has no room.
  bool paused = false;
  /// Whether the way to its node has none.
  bool held = false;
  /// Of a connection: its number for what it wished.
  uint32_t call_id = 0;
  /// Of a member at another node: that node's slot, and its number for the
  /// member; 0: it is of this node.
  uint32_t home_slot = 0;
  uint64_t home_id = 0;
  /// By the numbers of the deliveries.
  std::unordered_map<uint64_t, slot> given;
  int64_t bytes = 0;
  /// Orders those with as many: it grows with each event given.
  uint64_t chosen = 0;
  /// The offsets of events whose key is this member's, that can be given.
  std::set<uint64_t> bound;
};

struct fewest_given {
  bool operator()(const group_member* x, const group_member* y) const noexcept;
};

/// An event on its way to a member.
struct group_delivery {
  /// Not used again by this shard.
  uint64_t number = 0;
  publication_ptr event;
  /// From 1.
  uint32_t attempt = 0;
};

/// What groups want done. Calls come from within a group's functions and may
/// not call back into it.
class group_sink {
public:
  virtual ~group_sink() = default;

  /// Gives an event to a member.
  virtual void give(const group_member& to, const group_delivery& what) = 0;

  /// Tells a member that this delivery is no longer its own.
  virtual void withdraw(const group_member& from, uint64_t number) = 0;

  /// Puts an event among the dead letters.
  /// @param attempts how often it was given to somebody, from 0.
  virtual void bury(const shared_group& group, const publication_ptr& event,
                    uint32_t attempts)
    = 0;

  /// Events were forgotten before the group could have them.
  virtual void tell_gap(const shared_group& group) = 0;

  /// Returns what the topic has kept from the offset `first` on, at most
  /// `limit` events, up to the slice's `head`. Null: it is being fetched, and
  /// the group's `fetched` is called with it, unless the number of its `fetch`
  /// is another one by then.
  virtual history_slice_ptr
  read(const shared_group& group, uint64_t first, size_t limit)
    = 0;

  /// Returns the offset of the oldest event that the topic has kept; 0 if there
  /// is none.
  virtual uint64_t oldest(const std::string& topic) = 0;

  /// A group whose place outlives the process is gone.
  virtual void forgotten(const shared_group& group) = 0;

  /// The last group of a topic is gone.
  virtual void released(const std::string& topic) = 0;
};

/// What happened in the groups of a shard.
struct group_counts {
  uint64_t deliveries = 0;
  /// Those of them that were not the first of their event.
  uint64_t redeliveries = 0;
  uint64_t confirmations = 0;
  /// Deliveries that were not confirmed in time.
  uint64_t timeouts = 0;
  uint64_t dead_letters = 0;
  /// Events that a group was to get and did not: the topic forgot them, or
  /// the group was.
  uint64_t lost = 0;
};

/// What the groups of a shard have in common.
struct group_shared {
  /// An event that is to be confirmed.
  struct due_event {
    shared_group* group = nullptr;
    uint64_t offset = 0;
  };

  group_limits limits;
  group_sink& sink;
  timing_wheel<due_event> deadlines;
  /// What is waiting or unconfirmed in all groups.
  size_t events = 0;
  int64_t bytes = 0;
  uint64_t last_number = 0;
  group_counts counts;
  /// Those whose places on the disk are not what they are.
  std::vector<shared_group*> changed;
  /// Whether the node goes down: members of a group that goes on later leave
  /// through no fault of its events.
  bool ending = false;
  /// Whether such a group gives nothing more.
  bool closing = false;
};

} // namespace callboard
