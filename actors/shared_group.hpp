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

#include <callboard/actors/event_store.hpp>
#include <callboard/actors/group_sink.hpp>
#include <callboard/actors/history.hpp>
#include <callboard/actors/linked_list.hpp>
#include <callboard/actors/moved_group.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/actors/string_hash.hpp>
#include <callboard/actors/timing_wheel.hpp>

namespace callboard {

/// A group that shares the events of one topic among its members: each event
/// goes to one of them, and to another where it is not confirmed. Events with
/// the same key go after each other, as long as the members stay the same to
/// the same member. Pure; times are milliseconds of the caller's clock.
///
/// The group takes events from its topic in order, by reference, and keeps them
/// until they are finished: confirmed, or dead letters. Its place in the topic
/// is in front of the oldest one that is not. Where the topic is on the disk,
/// so is the place, a little late: what was finished since comes again.
class shared_group {
public:
  /// @param from where it goes on, and its name.
  /// @param head the offset of the topic's last event.
  /// @param durable whether its place outlives the process.
  shared_group(group_shared& shared, std::string topic, const group_place& from,
               uint64_t head, bool durable);

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

  /// What was being read is there.
  void fetched(const history_slice& found, int64_t now_ms);

  /// The topic stands here, as the disk has it.
  void topic_loaded(uint64_t head, int64_t now_ms);

  // -- a group that moves (shared_group_moves.cpp) ----------------------------

  /// Gives all away that is not finished. The group may only be forgotten then.
  moved_group give_away();

  /// Takes over what another owner has given away.
  /// @pre it was made behind what that one had taken, and has no members.
  void adopt(const moved_group& from);

  /// Takes a member out that comes back: it can claim what it has.
  void detach(group_member& who);

  /// Lets a new member keep an event that it was given with this number by the
  /// owner before, or by this one before it was detached. It has as much time
  /// to confirm it as if it came now.
  /// @returns false if it is not the member's any more, which is to be told so.
  bool claim(group_member& who, uint64_t number, uint64_t offset,
             int64_t now_ms);

  /// The member that had this event has confirmed it at the owner before.
  void confirm_unclaimed(uint64_t number, uint64_t offset);

  /// Lets go to others what nobody has claimed; nothing is given before
  /// `go_on`.
  void let_go();

  // -- state ------------------------------------------------------------------

  /// Returns the offset of the last event up to which all are finished.
  [[nodiscard]] uint64_t place() const noexcept;

  /// Returns what has to be known to go on from here.
  [[nodiscard]] group_place state() const;

  /// Whether its place outlives the process.
  [[nodiscard]] bool durable() const noexcept {
    return durable_;
  }

  /// The number of what is being read; 0: nothing is.
  [[nodiscard]] uint64_t fetch() const noexcept {
    return fetch_;
  }

  /// Notes that the place on the disk is not what it is.
  void note_change();

  /// It is now.
  void note_saved() noexcept {
    is_changed_ = false;
  }

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

  /// It goes on where it was in an earlier life.
  void note_known() noexcept {
    touched_ = true;
    proven_ = true;
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
    /// Who has it; null: it waits, or has yet to be claimed.
    group_member* with = nullptr;
    /// The delivery by which somebody has it; 0: nobody does.
    uint64_t number = 0;
    timing_wheel<group_shared::due_event>::handle deadline
      = timing_wheel<group_shared::due_event>::none;
    /// Who had it last; another one gets it next.
    member_id before = 0;
    /// In whose `bound` it is; null: in `ready_`, unless its key is busy.
    group_member* bound = nullptr;
  };

  // Returns whether the node goes down, and the group goes on later.
  [[nodiscard]] bool is_ending() const noexcept {
    return durable_ && shared_.ending;
  }

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

  // Takes what there is room for of what was found.
  void take_slice(const history_slice& found, int64_t now_ms);

  // Passes over what was forgotten in front of `first`.
  // @returns whether something was.
  bool skip_to(uint64_t first);

  // Returns how many of the events from the next one up to this offset it was
  // still to get.
  [[nodiscard]] uint64_t missing(uint64_t last) const;

  void take(const publication_ptr& event);

  // Makes an entry, behind those of its key.
  entry& add(const publication_ptr& event);

  // Returns whether nothing of its key is in front of it.
  [[nodiscard]] bool is_first(uint64_t offset, const entry& x) const;

  // Returns whether a member had it at the owner before, and has yet to say so.
  [[nodiscard]] static bool is_unclaimed(const entry& x) noexcept {
    return x.number != 0 && x.with == nullptr;
  }

  // Lets a new entry wait.
  void wait(uint64_t offset, entry& x);

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

  // Forgets a member; others are to get what waits for it.
  std::unique_ptr<group_member> take_out(group_member& who);

  // Takes the delivery's place from the member.
  // @returns the event's offset, or 0 if the event is another's.
  uint64_t take_back(group_member& who, uint64_t number);

  // Who has it did not confirm it.
  void fail(uint64_t offset);

  // It waits again, and does not go to `before` where there are others.
  void put_back(uint64_t offset, entry& x, member_id before);

  void start_deadline(uint64_t offset, entry& x, int64_t now_ms);

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
  bool durable_;
  bool is_changed_ = false;
  uint64_t fetch_ = 0;
  // The last event that was given to somebody or is finished.
  uint64_t reach_;
  // What is known from before of events that are not taken yet: up to
  // `known_reach_`, those that are not here are finished; else how often they
  // were given.
  std::map<uint64_t, uint32_t> known_;
  uint64_t known_reach_;
};

} // namespace callboard
