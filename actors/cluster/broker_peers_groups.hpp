#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <caf/actor_control_block.hpp>

#include <callboard/actors/cluster/peer_group_frames.hpp>
#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/group_seat.hpp>
#include <callboard/actors/group_speaker.hpp>

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

  // -- the nodes --------------------------------------------------------------

  /// Gives up the groups of topics that this node does not own any more. Their
  /// members join again by `install`.
  /// @param old the nodes until now.
  void give_up(const peer_set& old);

  /// Lets those members join anew whose owner is another one, or another life
  /// of one, than in `old`, and forgets the members of nodes that are gone.
  /// @param first whether no other node knows this shard yet.
  void install(const peer_set& old, bool first);

  /// A shard of the node at `slot` has begun anew.
  void reset(uint32_t slot, uint32_t shard);

  /// Does what was left for later.
  void wake();

  /// Reads one frame and handles it.
  /// @returns false if it is none.
  bool take_frame(uint32_t slot, peer_frame number, frame_source& source);

  // -- members of this node, where another one owns the topic -----------------

  void join(group_seat x);

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
    /// Of the node that owns the topic, as far as this one knows.
    uint32_t slot = 0;
    /// Whether that one has said that it does not.
    bool refused = false;
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

  // Returns the member, or null if it has not joined at `slot`.
  away_member* find(uint32_t slot, member_id member);

  // Returns its number; 0: it is none.
  [[nodiscard]] member_id find(caf::actor_id who, std::string_view topic,
                               std::string_view group) const;

  // Forgets a member. Its owner is not told.
  group_seat take_out(member_id member);

  // Takes a member out that leaves.
  void leave(member_id member, bool by_choice);

  // Lets those join anew for which `fate_of(member)` says so.
  template <class F>
  void join_anew(F&& fate_of);

  void take(uint32_t slot, peer_group_joined& x);
  void take(uint32_t slot, peer_group_event& x);
  void take(uint32_t slot, peer_group_withdraw& x);
  void take(uint32_t slot, peer_group_gap& x);

  // -- as an owner ------------------------------------------------------------

  /// What is known of a node as the home of members.
  struct guest_node {
    /// By their numbers there, those that they have here.
    std::unordered_map<member_id, member_id> members;
    // Whether so much is on its way to it that they get nothing more.
    bool held = false;
  };

  void take(uint32_t slot, peer_group_join& x);
  void take(uint32_t slot, peer_group_leave& x);
  void take(uint32_t slot, peer_group_answer& x);

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
  // Which of them an actor is. Who is here is watched until it dies.
  std::unordered_map<caf::actor_id, std::vector<member_id>> actors_;
  // Members whose topics have gone, until they can join again.
  std::vector<group_seat> moved_;
  // Whether there are members that an owner has refused.
  bool asks_refused_ = false;
  // By slot.
  std::vector<guest_node> guests_;
};

} // namespace callboard
