#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <caf/result.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/cluster/broker_peers_groups.hpp>
#include <callboard/actors/cluster/broker_peers_state.hpp>
#include <callboard/actors/cluster/messages.hpp>
#include <callboard/actors/cluster/peer_move_frames.hpp>
#include <callboard/actors/cluster/peer_presence_frames.hpp>
#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/cluster/peer_topic_frames.hpp>
#include <callboard/actors/cluster/topic_moves.hpp>
#include <callboard/actors/history_query.hpp>
#include <callboard/actors/loop_set.hpp>
#include <callboard/actors/owned_topics.hpp>
#include <callboard/actors/presence_query.hpp>
#include <callboard/actors/presence_registry.hpp>
#include <callboard/actors/retained.hpp>

namespace callboard {

class broker;
struct loop_context;

/// The part of a broker shard that talks to other nodes. It is the *home* of
/// the topics that hash to it: where another node owns one, it asks that node's
/// shard for what its loops want, once for all of them, and passes on what
/// comes. And it serves the homes of other nodes as it serves the loops: the
/// node at slot `s` stands for the loop `loops + s`.
class broker_peers {
public:
  /// @param self is whose part this is.
  broker_peers(broker& self, loop_context& ctx, owned_topics& topics);

  /// Fails what waits for an answer: the shard ends.
  void abandon();

  /// The nodes are these from now on.
  void install(const peer_set_ptr& x);

  /// Takes what a shard of another node has sent.
  void take(const shard_batch& x);

  /// Does what was left for later.
  void wake();

  // -- where this node is not the owner ---------------------------------------

  /// Returns whether this node owns a topic.
  [[nodiscard]] bool owns(std::string_view topic) const noexcept;

  /// Returns whether a topic is durable, as all nodes have it.
  [[nodiscard]] bool durable(std::string_view topic) const noexcept;

  /// Returns whether there are other nodes.
  [[nodiscard]] bool clustered() const noexcept;

  /// Returns whether this node ends and is in the cluster no more: what it took
  /// would reach nobody of the others.
  [[nodiscard]] bool left() const noexcept;

  /// Returns the part that is about shared groups.
  [[nodiscard]] broker_peers_groups& groups() noexcept {
    return groups_;
  }

  caf::result<published> publish(const publication_ptr& x);

  // -- topics that change their owner (broker_peers_moves.cpp) ----------------

  /// Returns whether nothing may be taken for a topic for now, because it may
  /// have had another owner until now. It is left for later then.
  [[nodiscard]] bool waits(std::string_view topic) const noexcept;

  caf::result<published> publish_later(const publication_ptr& x);
  void attach_later(uint32_t loop, const std::string& topic,
                    uint64_t generation);
  void fetch_later(uint32_t loop, const std::string& topic, uint64_t first);

  /// Answers when nothing is left here of what other nodes own.
  caf::result<void> leave();

  // -- where another node owns the topic --------------------------------------

  /// A loop wants a topic that another node owns.
  void attach(uint32_t loop, const std::string& topic, uint64_t generation);

  /// A loop wants a pattern.
  /// @returns whether all other nodes know it; else the loop is told later.
  bool attach_pattern(uint32_t loop, const std::string& pattern,
                      uint64_t generation);

  void detach(uint32_t loop, const std::string& subject);

  /// A loop wants what a topic has kept.
  void fetch(uint32_t loop, const std::string& topic, uint64_t first);

  void look_up(const history_query& x, history_reply reply);
  void look_up_later(const history_query& x, history_reply reply);

  /// A loop wants last values of topics that match a pattern, and has asked for
  /// those of other nodes.
  /// @returns false if it is this shard's turn.
  bool fetch_values(const retained_query& x);

  /// Returns where a loop goes on that has all last values of this shard;
  /// empty: nowhere.
  [[nodiscard]] std::string after_own_values() const;

  // -- who is in topics (broker_peers_presence.cpp, broker_peers_rooms.cpp) ---

  /// A loop tells who comes to a topic and who goes.
  void report(uint32_t loop, const presence_change& x);

  /// Asks the owner.
  void look_up(const presence_query& x, presence_reply reply);
  void look_up_later(const presence_query& x, presence_reply reply);

  // -- where another node is a loop of this one -------------------------------

  /// Returns whether `loop` is another node.
  [[nodiscard]] bool is_peer(uint32_t loop) const noexcept;

  /// Returns whether so much is on its way to it that it is to get no more.
  [[nodiscard]] bool congested(uint32_t loop) const noexcept;

  /// Gives an event to those of these loops that are other nodes.
  void send_event(const loop_set& loops, const publication_ptr& x);

  void send_attached(uint32_t loop, const std::string& subject,
                     uint64_t generation, position where,
                     const publication_ptr& retained);

  void send_refused(uint32_t loop, const std::string& subject,
                    uint64_t generation, errc why);

  void send_slice(uint32_t loop, const history_slice& x);

  void send_news(uint32_t loop, const presence_news& x);

private:
  friend class broker_peers_groups;

  // -- as a home --------------------------------------------------------------

  // Returns why the node at `slot` is not asked for anything, or `none`.
  [[nodiscard]] errc unreachable(uint32_t slot) const noexcept;

  pending_call& add_call(uint32_t slot, uint32_t shard);

  // Returns the shard that a topic has at the node at `slot`.
  [[nodiscard]] uint32_t shard_at(uint32_t slot, std::string_view topic) const;

  // Takes out a call that waits for the node at `slot`; empty: none does.
  pending_call take_call(uint32_t slot, uint64_t call);

  // Returns from which shard of which node a loop goes on; empty: it has all.
  [[nodiscard]] std::string next_values(uint32_t slot, uint32_t shard) const;

  void ask(const std::string& pattern, spread_pattern& x, uint32_t slot);

  // Lets the loops of this node ask anew for a topic.
  void again(const std::string& topic, const loop_set& loops);

  // Returns the promise of whom the current message is from; an empty one if
  // nobody waits for an answer.
  caf::typed_response_promise<published> promise_of_publisher();

  // Sends a publication to the topic's owner.
  void forward(const publication_ptr& x,
               caf::typed_response_promise<published> promise);

  // Gives an event to all here who want it.
  void give(const publication_ptr& event);

  void finish_attached(uint32_t slot, peer_attached& x);

  // -- as one who goes by another view ----------------------------------------

  // Does what is to be done for topics that have another owner than in `old`.
  void move_topics(const peer_set_ptr& old, bool first);

  // Follows the topics whose owners are others than in `old`, and those that
  // were refused.
  void follow_anew(const peer_set& old);

  // Asks the owner of a topic for it, as soon as there is room.
  void ask_anew(const std::string& topic, followed_topic& x);

  // This node owns it now.
  void take_over(const std::string& topic, followed_topic& x);
  // Lets go of topics with copies that are another node's now.
  void leave_copies();
  void leave_arrivals();
  void give_away(const peer_set& old);

  // Goes on with what is to be done until all shards have settled.
  void go_on_moving();

  bool send_asks();
  bool send_topics();

  // Lets in who wants the topics that have come.
  bool greet_arrivals();
  void greet(const std::string& topic, const topic_moves::arrival& x);

  // Gives back what other nodes have asked this one for too late.
  void return_parked();
  // Tells the loop's subscribers by a pattern what they may have missed.
  void tell_gaps();
  void release_held();
  void end_move();

  // Takes a topic that came from the node at `slot`, or was about to go.
  void settle_in(moved_topic x, uint32_t slot);

  void publish_parked(const publication_ptr& x, errc failed,
                      caf::typed_response_promise<published> promise);

  // Lets what a node asks wait.
  template <class Frame>
  void park(uint32_t slot, std::string_view topic, int64_t bytes, Frame x,
            uint32_t tag = parked_calls::untagged) {
    auto call = [this, slot, x](errc failed) mutable {
      if (failed == errc::none)
        take(slot, x);
      else if (failed == errc::overloaded)
        refuse(slot, x);
    };
    moves_.parked.add(slot, topic, bytes, std::move(call), tag);
  }

  // There is no room to let it wait.
  void refuse(uint32_t slot, const peer_publish& x);
  void refuse(uint32_t slot, const peer_attach& x);
  void refuse(uint32_t slot, const peer_fetch& x);
  void refuse(uint32_t slot, const peer_query& x);
  void refuse(uint32_t slot, const peer_fetch_values& x);
  void refuse(uint32_t slot, const peer_presence& x);
  void refuse(uint32_t slot, const peer_presence_query& x);

  // Forgets what a node, or one of its shards, has under way here.
  void forget_moves(uint32_t slot, const uint32_t* shard);

  // Returns whether the node at `slot` has room for one more frame of those
  // that can wait, of which so many were sent in this turn; else wakes again.
  bool may_send(uint32_t slot, size_t sent_in_turn);

  [[nodiscard]] loop_set of_this_node(const loop_set& x) const;

  void take(uint32_t slot, peer_handover& x);
  void take(uint32_t slot, peer_handed& x);
  void take(uint32_t slot, peer_settled& x);
  void take(uint32_t slot, peer_returned& x);

  // Lets nobody wait for the node at `slot`, or for one of its shards.
  void forget(uint32_t slot, const uint32_t* shard);

  // Tells the loops that wait for a pattern if nothing is left to confirm.
  void check_confirmed(const std::string& pattern, spread_pattern& x);

  void take(uint32_t slot, peer_published& x);
  void take(uint32_t slot, peer_attached& x);
  void take(uint32_t slot, peer_refused& x);
  void take(uint32_t slot, peer_event& x);
  void take(uint32_t slot, peer_slice& x);
  void take(uint32_t slot, peer_found& x);
  void take(uint32_t slot, peer_values& x);
  void take(uint32_t slot, peer_reset& x);
  void take(uint32_t slot, peer_presence_news& x);
  void take(uint32_t slot, peer_presence_found& x);
  void take(uint32_t slot, peer_presence_returned& x);
  void take(uint32_t slot, peer_presence_again& x);

  // -- as an owner ------------------------------------------------------------

  void take(uint32_t slot, peer_publish& x);
  void take(uint32_t slot, peer_attach& x);
  void take(uint32_t slot, peer_detach& x);
  void take(uint32_t slot, peer_fetch& x);
  void take(uint32_t slot, peer_query& x);
  void take(uint32_t slot, peer_fetch_values& x);
  void take(uint32_t slot, peer_presence& x);
  void take(uint32_t slot, peer_presence_query& x);

  // Lets a question wait until there is room for its answer.
  void fetch_when_room(uint32_t slot, const peer_fetch& x);

  // The answers wait for the disk (broker_peers_durable.cpp).
  void publish_durable(uint32_t slot, peer_publish& x);
  void look_up_durable(uint32_t slot, uint64_t call, const history_query& x);

  // The node at `slot`, or one of its shards, wants nothing any more.
  void detach_all(uint32_t slot);
  void detach_shard(uint32_t slot, uint32_t shard);

  // Who tells what comes of the presence of the node at `slot`.
  presence_registry::source presence_source(uint32_t slot);
  // The connections of the node at `slot` are gone.
  void drop_presence(uint32_t slot);

  // The node at `slot` tells anew who is in these topics.
  void renew_presence(uint32_t slot, presence_registry::topic_filter topics);

  // Keeps who is in those topics only that this node owns now.
  void keep_own_presence();

  // -- who is in topics that change their owner -------------------------------

  // Tells the owner what a loop reports.
  void pass_on(uint32_t loop, const presence_change& x);

  // Lets these loops, and all of this node that want the topic, tell its owner
  // anew who is there, as soon as all have settled and there is room.
  void tell_again(const std::string& topic, const loop_set& loops = {});
  void tell_untold();
  void begin_anew(const std::string& topic, loop_set loops);

  // Lets all be told anew that an owner may have lost.
  void note_lost_reports();

  // Takes out who is in a topic that another node owns now.
  moved_room take_room(const std::string& topic);

  // Keeps who is in a topic that has come until all have settled.
  void keep_room(const std::string& topic, moved_room x);

  void let_in_rooms();
  void let_in(const std::string& topic, const moved_room& x);

  // Lets a node tell anew who is in a topic that has come, unless it wants it.
  void doubt(const std::string& topic, uint32_t slot);

  // Lets all be told anew that was lost, or for which there was no room.
  void make_up_for_reports();

  // Returns where a node is if it is that run of it; `here` for this one.
  [[nodiscard]] std::optional<uint32_t>
  slot_of(const moved_room::node& x) const;

  // ---------------------------------------------------------------------------

  // Handles one frame; returns false if it is none.
  bool take_frame(uint32_t slot, peer_frame number, frame_source& source);

  [[nodiscard]] uint32_t loop_at(uint32_t slot) const noexcept;

  // Lets the nodes know what is done with, when there is room, or at once.
  void settle();
  void acknowledge();

  // Lets `wake` be called in a moment, or after what waits already.
  void wake_later();
  void wake_soon();

  broker& self_;
  loop_context& ctx_;
  owned_topics& topics_;
  uint64_t last_call_ = 0;
  std::unordered_map<std::string, followed_topic> followed_;
  std::unordered_map<std::string, spread_pattern> patterns_;
  std::map<uint64_t, pending_call> calls_;
  // The patterns that each node has attached here, by slot.
  std::vector<std::unordered_set<std::string>> patterns_of_;
  // The loops that watch topics that other nodes own.
  std::unordered_map<std::string, loop_set> watching_;
  // The names of the nodes that have told who is there, by slot.
  std::vector<node_name_ptr> presence_nodes_;
  // Bytes that are done with and not told yet, by slot.
  std::vector<uint64_t> unsettled_;
  topic_moves moves_;
  parked_calls fetches_;
  ready_frame ready_event_;
  // Of the batch that is taken; and whether something of it is held.
  uint64_t batch_view_ = 0;
  bool batch_held_ = false;
  bool settles_later_ = false;
  bool installed_ = false;
  // Whether all have settled once.
  bool settled_ = false;
  // Whether there are topics whose owners refused them.
  bool asks_refused_ = false;
  // Whether `wake` will be called, and before that once more.
  bool wakes_ = false;
  bool wakes_soon_ = false;
  broker_peers_groups groups_;
};

} // namespace callboard
