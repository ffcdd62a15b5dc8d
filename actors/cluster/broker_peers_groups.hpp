#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <caf/actor_control_block.hpp>

#include <callboard/actors/cluster/peer_group_frames.hpp>
#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/group_seat.hpp>
#include <callboard/actors/group_speaker.hpp>
#include <callboard/actors/moved_group.hpp>

namespace callboard {

class broker;
class broker_peers;
struct loop_context;

/// The part of a broker shard that lets groups have members at several nodes.
/// As the home of a topic that another node owns it stands for the members of
/// this node at the owner, and lets them join anew, by themselves, where the
/// topic has another owner later. As an owner it stands for the members of
/// other nodes in the groups of the shard.
class broker_peers_groups {
public:
  /// @param self is whose part this is.
  broker_peers_groups(broker& self, loop_context& ctx, broker_peers& peers);

  /// Fails what waits for an answer: the shard ends.
  void abandon();

  // -- topics that change their owner (broker_peers_groups_moves.cpp) ---------

  using groups_by_topic
    = std::unordered_map<std::string, std::vector<moved_group>>;

  /// Gives the groups of topics away that this node does not own any more.
  /// Their members wait until they can join again.
  /// @param old the nodes until now.
  groups_by_topic give_away(const peer_set& old);

  /// A topic of this node gives way to that of another one: its members wait
  /// until they can join the groups of that one.
  void lose(const std::string& topic);

  /// Another node serves a topic from now on, with what the disks have of its
  /// groups: its members join them there.
  void send_on(const std::string& topic);

  /// A topic has come, with these.
  void adopt(const std::string& topic, uint64_t head,
             const std::vector<moved_group>& groups);

  /// Lets those members wait to join anew whose owner is another one, or
  /// another life of one, than in `old`, and forgets the members of nodes that
  /// are gone.
  /// @param first whether no other node knows this shard yet.
  void follow_anew(const peer_set& old, bool first);

  /// Sends the members that wait to the owners of their topics.
  /// @returns whether there was room for all.
  bool send_joins();

  /// All have settled: lets in who waits for groups of this node, and lets
  /// these go on.
  void let_in();

  /// A shard of the node at `slot` has begun anew.
  void reset(uint32_t slot, uint32_t shard);

  /// Does what was left for later.
  void wake();

  /// Reads one frame and handles it.
  /// @returns false if it is none.
  bool take_frame(uint32_t slot, peer_frame number, frame_source& source);

  // -- members of this node, where another one owns the topic -----------------

  void join(group_seat x);

  /// The same when the topic does not move any more.
  void join_later(group_seat x);

  /// @returns whether it was a member, or wanted to be one.
  bool leave(caf::actor_id who, std::string_view topic, std::string_view group);

  /// @returns whether it comes from such a member.
  bool answer(const group_answer& x);

  /// An actor has died.
  void drop(caf::actor_id who);

  // -- members of other nodes; see `group_sink` -------------------------------

  void give(const group_member& to, const group_delivery& what);

  void withdraw(const group_member& from, uint64_t number);

  void tell_gap(const group_member& to, const position& where);

private:
  /// A member of this node at another one.
  struct away_member {
    group_seat seat;
    /// Of the node that was asked to let it in; `here`: it has yet to be asked.
    uint32_t slot = peer_set::here;
    /// What that node calls it; another one each time it joins.
    uint64_t number = 0;
    /// Whether that node has let it in.
    bool joined = false;
    /// What it has said while none had.
    std::vector<group_answer> said;
  };

  /// What becomes of it.
  enum class away_fate {
    stays,
    /// It leaves, where it is a member, and joins anew.
    moves,
    /// The owner is gone; who waits for its answer is told so.
    lost,
  };

  // -- as a home --------------------------------------------------------------

  // Returns the member that has this number at `slot`, or null.
  away_member* find(uint32_t slot, uint64_t number);

  // Returns the member; 0: there is none.
  [[nodiscard]] member_id find(caf::actor_id who, std::string_view topic,
                               std::string_view group) const;

  // Asks the node at `slot` to let a member in.
  void send_join(away_member& x, uint32_t slot);

  void send_answer(away_member& x, const group_answer& what);

  // It has no owner for now.
  void part(away_member& x);

  // A member of this node's groups waits until it can join them elsewhere.
  void send_away(group_seat x);

  // Gives a member another number: what it has means nothing any more.
  away_member& rename(away_member& x);

  // Forgets a member. Its owner is not told.
  away_member take_out(member_id member);

  // Takes a member out that leaves.
  void leave(member_id member, bool by_choice);

  // Lets those wait to join anew for which `fate_of(member)` says so.
  template <class F>
  void join_anew(F&& fate_of);

  // Lets those be asked for again in a moment that owners have refused.
  void ask_refused_later();

  // Lets members of the same group know what any of them knows.
  void share_places();

  void take(uint32_t slot, peer_group_joined& x);
  void take(uint32_t slot, peer_group_event& x);
  void take(uint32_t slot, peer_group_withdraw& x);
  void take(uint32_t slot, peer_group_gap& x);

  // -- as an owner ------------------------------------------------------------

  /// A member of another node whose group has gone.
  struct gone_guest {
    std::string topic;
    std::string group;
    std::string epoch;
    std::unordered_map<uint64_t, group_member::slot> given;
  };

  /// What is known of a node as the home of members.
  struct guest_node {
    /// By their numbers there, those that they have here.
    std::unordered_map<uint64_t, member_id> members;
    /// The topics of those that wait to be let in.
    std::unordered_map<uint64_t, std::string> coming;
    /// Those that may say something yet about what they had.
    std::unordered_map<uint64_t, gone_guest> gone;
    // Whether so much is on its way to it that they get nothing more.
    bool held = false;
  };

  // Adds a member, or tells why not. It gets nothing before `go_on`.
  group_member* let_in(uint32_t slot, peer_group_join& x);

  // The same for a member of this node, whose durable topic may have to be read
  // first.
  void let_in_durable(member_id member);

  void join_later(uint32_t slot, const peer_group_join& x);

  void refuse(uint32_t slot, const peer_group_join& x, errc why);

  // Gives the groups of one topic away.
  std::vector<moved_group> give_away(const std::string& topic,
                                     const peer_set& old,
                                     std::vector<group_seat>& here);

  // What came for topics goes to who owns them now.
  void leave_arrivals();

  void take(uint32_t slot, peer_group_join& x);
  void take(uint32_t slot, peer_group_leave& x);
  void take(uint32_t slot, peer_group_answer& x);
  void take(uint32_t slot, peer_group_confirmed& x);

  // Forgets the members of a node in groups of topics for which
  // `is_meant(topic)`.
  void forget_guests(uint32_t slot,
                     const std::function<bool(std::string_view)>& is_meant);

  // Lets the members of a node have no more events.
  void hold(uint32_t slot);

  // Lets those have more again whose nodes have room.
  void let_go();

  // ---------------------------------------------------------------------------

  broker& self_;
  loop_context& ctx_;
  broker_peers& peers_;
  group_speaker speaker_;
  // In the order in which they have joined.
  std::map<member_id, away_member> away_;
  // Those that were asked for, by their newest numbers.
  std::unordered_map<uint64_t, member_id> by_number_;
  // Which of them an actor is. Who is here is watched until it dies.
  std::unordered_map<caf::actor_id, std::vector<member_id>> actors_;
  // Those whose owners have yet to be asked.
  std::deque<member_id> joins_;
  // Those that wait until their topics have moved.
  std::set<std::shared_ptr<group_seat>> wishes_;
  // Whether there are members to be asked for again, whose owners were none;
  // and whether that will be said in a moment.
  bool asks_refused_ = false;
  bool asks_later_ = false;
  // Those of durable topics of this node that are let in later, as the topics
  // cannot be read.
  std::set<member_id> tried_later_;
  // By slot.
  std::vector<guest_node> guests_;
  // Until all have settled: the topics with groups whose members come, who has
  // joined them again, by slot, and what was confirmed elsewhere.
  std::vector<std::string> arrived_;
  std::vector<std::pair<uint32_t, peer_group_join>> coming_;
  std::vector<peer_group_confirmed> confirmed_;
};

} // namespace callboard
