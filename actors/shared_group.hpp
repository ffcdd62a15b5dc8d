#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/actor_control_block.hpp>

#include <callboard/actors/history.hpp>
#include <callboard/actors/linked_list.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/actors/string_hash.hpp>
#include <callboard/actors/timing_wheel.hpp>

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
  /// `limit` events.
  virtual history_slice_ptr
  read(const std::string& topic, uint64_t first, size_t limit)
    = 0;

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
};

/// A group that shares the events of one topic among its members: each event
/// goes to one of them, and to another where it is not confirmed. Events with
/// the same key go after each other, as long as the members stay the same to
/// the same member. Pure; times are milliseconds of the caller's clock.
///
/// The group takes events from its topic in order, by reference, and keeps them
/// until they are finished: confirmed, or dead letters. Its place in the topic
/// is in front of the oldest one that is not.
class shared_group {
public:
  /// @param place the offset of the last event that is not for the group.
  /// @param head the offset of the topic's last event, from `place`.
  shared_group(group_shared& shared, std::string topic, std::string name,
               uint64_t place, uint64_t head);

  shared_group(const shared_group&) = delete;

  shared_group& operator=(const shared_group&) = delete;

  /// Lets go of all events; those that were not finished count as lost.
  ~shared_group();

  // -- members ----------------------------------------------------------------

  /// Adds a member. It gets nothing before `go_on`, so that it can be told.
  group_member& join(member_id id, caf::weak_actor_ptr who, bool embedded);

  /// Gives what can be given.
  void go_on(int64_t now_ms);

  /// Takes a member out; what it has not confirmed goes to others.
  void leave(group_member& who, int64_t now_ms);

  /// The member has confirmed what it was given with this number. Numbers that
  /// it does not have are ignored here and below.
  void confirm(group_member& who, uint64_t number, int64_t now_ms);

  /// The member wants another one to have it.
  void reject(group_member& who, uint64_t number, int64_t now_ms);

  /// The member has not looked at it, and has no room until `resume`.
  void give_back(group_member& who, uint64_t number, int64_t now_ms);

  void resume(group_member& who, int64_t now_ms);

  /// The member that has this event did not confirm it in time.
  void time_out(uint64_t offset, int64_t now_ms);

  // -- the topic --------------------------------------------------------------

  /// The topic has got an event.
  /// @param kept whether it can be had from the topic's history later.
  void publish(const publication_ptr& event, bool kept, int64_t now_ms);

  /// Looks whether the topic has kept all that the group has not taken, and
  /// passes over what it has not.
  bool catch_up();

  // -- state ------------------------------------------------------------------

  /// Returns the offset of the last event up to which all are finished.
  [[nodiscard]] uint64_t place() const noexcept;

  [[nodiscard]] const std::string& topic() const noexcept {
    return topic_;
  }

  [[nodiscard]] const std::string& name() const noexcept {
    return name_;
  }

  [[nodiscard]] const std::vector<std::unique_ptr<group_member>>&
  members() const noexcept {
    return members_;
  }

  /// Whether there never was an event for it.
  [[nodiscard]] bool untouched() const noexcept {
    return !touched_ && taken_ == head_;
  }

  /// Whether a member has ever confirmed an event.
  [[nodiscard]] bool proven() const noexcept {
    return proven_;
  }

  /// Among those without members; the one that had one last comes first.
  list_links<shared_group> by_use;
  /// The same among those of the topic.
  list_links<shared_group> in_topic;
  int64_t used_ms = 0;
  /// Orders those without members: it grows with each that comes to be.
  uint64_t rested = 0;

private:
  /// An event that is not finished.
  struct entry {
    publication_ptr event;
    /// Of the key, if there is one.
    uint64_t key_hash = 0;
    uint32_t attempts = 0;
    /// Who has it; null: it waits.
    group_member* with = nullptr;
    uint64_t number = 0;
    timing_wheel<group_shared::due_event>::handle deadline
      = timing_wheel<group_shared::due_event>::none;
    /// Who had it last; another one gets it next.
    member_id before = 0;
    /// In whose `bound` it is; null: in `ready_`, unless its key is busy.
    group_member* bound = nullptr;
  };

  // Returns whether an event of this size can be taken in.
  [[nodiscard]] bool has_room(int64_t bytes) const noexcept;

  // Returns whether it keeps more bytes than it leaves free.
  [[nodiscard]] bool is_greedy(int64_t more = 0) const noexcept {
    return shared_.bytes + bytes_ + more > shared_.limits.bytes_max;
  }

  [[nodiscard]] bool has_room(const group_member& who,
                              int64_t bytes) const noexcept;

  // Takes what there is room for from the topic's history.
  void fill(int64_t now_ms);

  // Passes over what was forgotten in front of what was found.
  // @returns whether something was.
  bool skip_to(const history_slice& found);

  void take(const publication_ptr& event);

  // It can be given, because nothing of its key is in front of it.
  void make_ready(uint64_t offset, entry& x);

  void unready(uint64_t offset, entry& x);

  // Gives a new member what is bound to others and is its own now.
  void bind_to(group_member& made);

  [[nodiscard]] group_member* owner_of(const entry& x) const;

  [[nodiscard]] group_member* choose(const entry& x) const;

  void give(group_member& to, uint64_t offset, int64_t now_ms);

  // Gives what can be given of what is bound to `who`, and of what is not.
  void serve(group_member& who, int64_t now_ms);

  void serve_all(int64_t now_ms);

  void serve_ready(int64_t now_ms);

  // Takes the delivery's place from the member.
  // @returns the event's offset, or 0 if the event is another's.
  uint64_t take_back(group_member& who, uint64_t number);

  // Who has it did not confirm it.
  void fail(uint64_t offset);

  // It waits again, and does not go to `before` where there are others.
  void put_back(uint64_t offset, entry& x, member_id before);

  void cancel_deadline(entry& x);

  void bury(uint64_t offset);

  // Forgets an event.
  // @returns who can be given the next one with its key, or null.
  group_member* finish(uint64_t offset);

  // Takes an event out of the order of its key.
  // @returns the same.
  group_member* leave_line(uint64_t offset, const std::string& key);

  // Changes what orders the members.
  template <class F>
  void change(group_member& who, F&& f) {
    auto node = by_load_.extract(&who);
    f();
    by_load_.insert(std::move(node));
  }

  group_shared& shared_;
  std::string topic_;
  std::string name_;
  std::vector<std::unique_ptr<group_member>> members_;
  std::set<group_member*, fewest_given> by_load_;
  // What was taken and is not finished, by offset.
  std::map<uint64_t, entry> entries_;
  // Those of them that nobody has; and of these, those that anybody can get.
  std::set<uint64_t> waiting_;
  std::set<uint64_t> ready_;
  // The events of each key, in order; only the first one may be given.
  std::unordered_map<std::string, std::deque<uint64_t>, string_hash,
                     std::equal_to<>>
    lines_;
  // The last event that was taken, and the topic's last one.
  uint64_t taken_;
  uint64_t head_;
  uint64_t choices_ = 0;
  // What is kept of these.
  int64_t bytes_ = 0;
  bool touched_ = false;
  bool proven_ = false;
};

} // namespace callboard
