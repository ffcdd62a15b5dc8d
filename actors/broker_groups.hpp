#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/actor_control_block.hpp>

#include <callboard/actors/alarms.hpp>
#include <callboard/actors/dead_letters.hpp>
#include <callboard/actors/durable_topics.hpp>
#include <callboard/actors/group_messages.hpp>
#include <callboard/actors/group_seat.hpp>
#include <callboard/actors/group_speaker.hpp>
#include <callboard/actors/group_table.hpp>
#include <callboard/actors/owned_topics.hpp>

namespace callboard {

class broker;
struct loop_context;

/// The part of a broker shard that serves the groups of its topics: turns what
/// they want into messages, and knows when members die.
class broker_groups : public group_sink {
public:
  /// @param self is whose part this is.
  broker_groups(broker& self, loop_context& ctx, owned_topics& topics);

  // -- from members -----------------------------------------------------------

  /// Returns why an actor cannot be a member, or nothing.
  [[nodiscard]] caf::error check(const std::string& topic,
                                 const group_options& x) const;

  /// Calls `f` when a group can be joined, or with why it cannot. A group whose
  /// place outlives the process is on the disk before anybody is its member.
  /// @param since where a new one begins.
  void prepare(const std::string& topic, const std::string& group,
               const position& since, std::function<void(errc)> f);

  /// Calls `f` when nobody waits to join the group any more.
  void when_prepared(const std::string& topic, const std::string& group,
                     std::function<void(errc)> f);

  /// Refuses all who wait to join: the shard has failed.
  void abandon();

  /// Lets somebody of this node be a member, and tells it.
  void join(const group_seat& x);

  /// The same, but it gets nothing before `go_on`.
  /// @returns the member, or null if it was refused.
  group_member* let_in(const group_seat& x);

  /// Tells somebody that it cannot be one.
  void refuse(const group_seat& x, errc why) {
    speaker_.tell(x, {why});
  }

  void unsubscribe(const caf::strong_actor_ptr& who, const std::string& topic,
                   const std::string& group);

  void answer(const group_answer& x);

  /// An actor has died.
  void drop(caf::actor_id who);

  // -- for members at other nodes ---------------------------------------------

  struct outcome {
    errc code = errc::none;
    group_member* member = nullptr;
    position where;
    bool recovered = false;
  };

  /// Adds a member of any node, which gets nothing before `go_on`. Whoever
  /// calls knows when it is gone.
  outcome add(const group_seat& x);

  void go_on(group_member& who);

  /// Lets a group give what it has, if it is there.
  void go_on(const std::string& topic, const std::string& group);

  /// Takes members out. Those that go together get nothing of each other.
  void leave(const std::vector<member_id>& who, bool by_choice);

  /// Returns the member with this number, or null.
  [[nodiscard]] group_member* find(member_id x) const {
    return table_.find(x);
  }

  // -- topics that change their owner (broker_groups_moves.cpp) ---------------

  /// Returns the topics with groups, but for those with `stays(topic)`.
  [[nodiscard]] std::vector<std::string>
  topics_unless(const std::function<bool(const std::string&)>& stays) const {
    return table_.topics_unless(stays);
  }

  /// Gives the groups of a topic away, for another owner. Calls `gone(member,
  /// where)` for the members at other nodes before, with the group's place.
  /// @param here gets those of this node as well.
  std::vector<moved_group>
  give_away(const std::string& topic, std::vector<group_seat>& here,
            const std::function<void(group_member&, const position&)>& gone);

  /// Lets a topic that has come have the groups that it had elsewhere. They
  /// give nothing before `open`.
  void adopt(const std::string& topic, uint64_t head,
             const std::vector<moved_group>& groups);

  /// Takes a member of another node out that comes back. What it has goes to
  /// others with `open` if it has not claimed it by then.
  void detach(member_id who);

  /// Groups have come that cannot go on here.
  void lose(const std::vector<moved_group>& groups);

  /// Lets a new member keep what it was given by the owner before, and tells it
  /// what of that is not its own any more.
  void claim(group_member& who, const std::map<uint64_t, uint64_t>& has);

  /// A member has confirmed an event at the owner before, and has not joined
  /// here with it.
  /// @param where the event is.
  void confirm(const std::string& topic, const std::string& group,
               uint64_t number, const position& where);

  /// All members that the groups of a topic had have joined again, as far as
  /// there are any: what nobody has goes to who is there.
  void open(const std::string& topic);

  // -- from the broker --------------------------------------------------------

  /// An event of a topic is handed out.
  void publish(const publication_ptr& x);

  /// Looks at the events that had to be confirmed.
  void time_out();

  /// Forgets groups.
  void expire();

  /// A topic is as the disk has it.
  void loaded(const std::string& topic, durable_topic& at,
              const std::vector<group_place>& groups);

  /// The node ends: from now on groups that go on later give nothing more, and
  /// every change is saved at once.
  void hand_over();

  /// Saves every change now.
  void save_all();

  // -- group_sink -------------------------------------------------------------

  void give(const group_member& to, const group_delivery& what) override;

  void withdraw(const group_member& from, uint64_t number) override;

  void bury(const shared_group& group, const publication_ptr& event,
            uint32_t attempts) override;

  void tell_gap(const shared_group& group) override;

  history_slice_ptr read(const shared_group& group, uint64_t first,
                         size_t limit) override;

  uint64_t oldest(const std::string& topic) override;

  void forgotten(const shared_group& group) override;

  void released(const std::string& topic) override;

private:
  // Returns where a new group begins.
  group_table::topic_state state_of(const std::string& topic,
                                    const position& head,
                                    const position& since);

  // -- on the disk ------------------------------------------------------------

  // What a group is waiting for.
  struct fetch {
    std::string topic;
    std::string group;
    // See `shared_group::fetch`.
    uint64_t number;
    uint64_t first;
    size_t limit;
  };

  // Returns the topic if places of its groups outlive the process, or null.
  durable_topic* keeper(const std::string& topic);

  void create(durable_topic& at, const std::string& topic,
              const std::string& group, const position& since,
              std::function<void(errc)> f);

  void begin_fetch(fetch what);

  void fetch_now(const fetch& what);

  void fetch_later(fetch what);

  // Returns the group if it still waits, or null.
  [[nodiscard]] shared_group* awaiting(const fetch& what) const;

  // Returns how many bytes of events all groups have room for, from 1.
  [[nodiscard]] int64_t free_bytes() const noexcept;

  // Forgets the groups that had no member for as long as they may.
  void forget_absent(const std::string& topic, durable_topic& at);

  // Returns whether there was something that can be saved.
  bool save_changed();

  // Lets `keep_up` be called a little later, once.
  void arm_upkeep();

  void keep_up();

  // Where the node goes down, groups that go on later give up on no event.
  void heed_draining();

  // ---------------------------------------------------------------------------

  // Returns the member that `who` is in a group; or null.
  group_member* find(caf::actor_id who, const std::string& topic,
                     const std::string& group);

  // To be called whenever groups may have done something.
  void finish_turn();

  // Returns where a group stands, in the epoch of its topic.
  position position_of(const shared_group& group);

  [[nodiscard]] int64_t now_ms() const;

  broker& self_;
  loop_context& ctx_;
  owned_topics& topics_;
  group_speaker speaker_;
  group_table table_;
  dead_letters dead_;
  alarms alarms_;
  // Who waits until a new group is on the disk, by topic and group.
  std::map<std::pair<std::string, std::string>,
           std::vector<std::function<void(errc)>>>
    creating_;
  // What the store has failed to read.
  std::vector<fetch> fetches_;
  int64_t began_ms_;
  // When all places were last saved.
  int64_t refreshed_ms_;
  bool upkeep_armed_ = false;
  // Whether places are on their way to the disk.
  bool saving_ = false;
  bool handed_over_ = false;
  // The members that an actor is. Who is here is watched until it dies.
  std::unordered_map<caf::actor_id, std::vector<member_id>> actors_;
};

} // namespace callboard
