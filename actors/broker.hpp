#pragma once

#include <deque>
#include <functional>
#include <string>
#include <unordered_set>
#include <vector>

#include <caf/actor_clock.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <callboard/actors/broker_groups.hpp>
#include <callboard/actors/cluster/broker_peers.hpp>
#include <callboard/actors/cluster/broker_replicas.hpp>
#include <callboard/actors/durable_topics.hpp>
#include <callboard/actors/handles.hpp>
#include <callboard/actors/history_query.hpp>
#include <callboard/actors/hosted.hpp>
#include <callboard/actors/loop_context.hpp>
#include <callboard/actors/owned_topics.hpp>
#include <callboard/actors/presence_registry.hpp>

namespace callboard {

/// A shard of the broker: the owner of the topics that hash to it, and the
/// server of its loop's subscriptions. What it must not lose when it dies is
/// the loop's (`loop_context::topics`, `loop_context::subscribers`); its own
/// topics start a new epoch, but for those that are on the disk.
class broker : public hosted<broker_actor::base> {
public:
  using super = hosted<broker_actor::base>;

  /// @param waiting counts the publications that are on their way to it.
  broker(caf::actor_config& cfg, caf::execution_unit* loop, loop_context& ctx,
         mailbox_bytes_ptr waiting);

  const char* name() const override {
    return "callboard.broker";
  }

  behavior_type make_behavior() override;

  void on_exit() override;

private:
  friend class broker_groups;
  friend class broker_peers;
  friend class broker_peers_groups;
  friend class broker_replicas;
  friend class group_speaker;

  // -- as the owner of topics -------------------------------------------------

  caf::result<published> publish(const publication_ptr& x);

  published publish_now(const publication_ptr& x);

  // Answers what its topic's rate has no place for, and counts it.
  [[nodiscard]] published limited(const publication& x, int64_t wait_ms) const;

  // Hands out what has its place in its topic to the loops that want it.
  void accepted(const publication_ptr& x, const loop_set& loops);

  void attach_loop(uint32_t loop, const std::string& subject,
                   uint64_t generation);

  void attach_now(uint32_t loop, const std::string& subject,
                  uint64_t generation);

  void refuse(uint32_t loop, const std::string& subject, uint64_t generation,
              errc why);

  void detach_loop(uint32_t loop, const std::string& subject);

  // The same where this shard is the owner.
  void detach_now(uint32_t loop, const std::string& subject);

  // The same for the topics with `is_meant(name)`.
  template <class IsMeant>
  void detach_topics(uint32_t loop, IsMeant is_meant) {
    topics_.detach_from_topics(loop, now_ms(), is_meant);
    for (auto& [name, at] : durable_.topics)
      if (is_meant(name))
        at.loops.erase(loop);
  }

  void hand_out(const publication_ptr& x, const loop_set& loops);

  // Gives an event to those of these loops that are this node's.
  void hand_out_here(const publication_ptr& x, const loop_set& loops);

  // Tells a loop that the owner sends a subject's events from now on.
  void tell_attached(uint32_t loop, const std::string& subject,
                     uint64_t generation, position where,
                     publication_ptr retained);

  // Sends a loop what a topic has kept from the offset `first` on, when it can
  // be had.
  void fetch(uint32_t loop, const std::string& topic, uint64_t first);

  // Does the same later, if the loop still wants the topic.
  void fetch_later(uint32_t loop, const std::string& topic, uint64_t first);

  history_slice_ptr read_kept(const std::string& topic, uint64_t first);

  void send_slice(uint32_t loop, history_slice_ptr slice);

  // Sends a loop last values for newcomers to a pattern.
  void fetch(const retained_query& x);

  void send_page(uint32_t loop, retained_page_ptr page);

  void look_up(const connection_actor& asker, uint32_t call_id,
               const history_query& x);

  void look_up(const history_query& x, history_reply reply);

  // The same where this shard is the owner.
  void look_up_own(const history_query& x, history_reply reply);

  // The same of what is in memory.
  caf::expected<history_found> look_up(const history_query& x);

  // Returns whether one of the loops that want `topic` has too much waiting.
  bool congested(const loop_set& loops) const;

  std::string new_epoch();

  void expire();

  // -- rules that change ------------------------------------------------------

  caf::result<uint64_t> reload(const rule_set_ptr& x);

  // Lets some more of what there is go by the rules.
  void go_on_reloading();

  // A topic that may outlive the process goes by other options.
  void revised(const std::string& name, const topic_options& before,
               const topic_options& now);

  // Lets the store keep a topic as its options say, if they were others.
  void tell_store(const std::string& name, const durable_topic& at,
                  const topic_options& before);

  // -- which topics there are -------------------------------------------------

  struct listing {
    topic_search search;
    // When nobody waits for it any more.
    caf::actor_clock::time_point end;
    caf::typed_response_promise<topic_page> promise;
  };

  caf::result<topic_page> list_topics(const topic_query& x);

  // Looks at some more topics.
  void go_on_listing();

  void drop_late_listings();

  [[nodiscard]] topic_page count_subscribers(topic_page x) const;

  // -- as the owner of who is in the topics -----------------------------------

  void take_report(const presence_report& x);

  // Tells the loops what is due, and asks to be woken for what is due next.
  void advance_presence();

  void wake_presence();

  // Tells these loops, some of which may be other nodes.
  void tell(const presence_news_ptr& news, const loop_set& loops);

  // Answers a connection.
  void look_up(uint32_t call_id, const presence_query& x);

  void look_up(const presence_query& x, presence_reply reply);

  // The same where this shard is the owner.
  presence_found find(const presence_query& x);

  caf::result<presence_count> count_presence(const std::string& topic);

  caf::result<presence_page> list_presence(const std::string& topic,
                                           uint32_t limit,
                                           const std::string& after);

  [[nodiscard]] bool has_presence(std::string_view topic) const;

  // -- as the owner of groups -------------------------------------------------

  void join_group(const group_wish& x);

  caf::result<position, bool> join_group(const caf::actor& who,
                                         const std::string& topic,
                                         const group_options& x, bool again);

  // Lets somebody of this node join a group, whichever node serves it.
  void join_group(const group_seat& x);

  void leave_group(const caf::strong_actor_ptr& who, const std::string& topic,
                   const std::string& group);

  void answer_group(const group_answer& x);

  void drop_member(caf::actor_id who);

  // Calls `f` when it is known where the topic stands, or with why it is not.
  void with_topic(const std::string& topic, std::function<void(errc)> f);

  // -- as the owner of topics that outlive the process ------------------------

  // Returns null for a topic that does not.
  durable_topic* durable(const std::string& name);

  // Calls `f` when the topic is ready, or with why it is not.
  void when_ready(const std::string& name, durable_topic& at,
                  std::function<void(errc)> f);

  // Returns whether a publication has to go to the store, or to wait for it.
  [[nodiscard]] bool goes_to_store(const durable_topic& at) const noexcept;

  void publish_durable(durable_topic& at, const publication_ptr& x,
                       publish_waiter who);

  // Sends `x` to the disk.
  void append(durable_topic& at, const publication_ptr& x, publish_waiter who);

  // What was sent first is on the disk, or is not.
  void finish_append(bool committed);
  void finish(pending_publication entry, bool committed);

  // Lets the topic be loaded anew.
  void forget(const std::string& name, durable_topic& at);

  void take(const store_report& x);

  void loaded(const store_report::load& x);

  // It is ready, or is not: tells those who wait for it.
  void finish_loading(const std::string& name, durable_topic& at, errc failed);

  // Whom the store answers.
  const store_receiver_ptr& receiver();

  void read(store_query what, std::function<void(store_report::reading&&)> f);

  // Calls `f` with whether it failed, if there is one.
  void save_places(std::vector<saved_place> xs, std::function<void(bool)> f);

  void attach_durable(durable_topic& at, uint32_t loop, const std::string& name,
                      uint64_t generation);

  // Returns where a topic that is ready stands.
  position where(const std::string& name);

  // What the store has of a topic's history.
  struct stored_range {
    // 0: nothing that could be read.
    uint64_t first;
    uint64_t last;
    // The oldest one that need not be read, or 0.
    uint64_t oldest;

    // Returns whether what begins at this offset has to be read.
    [[nodiscard]] bool needed_for(uint64_t offset) const noexcept {
      return first != 0 && offset <= last && (oldest == 0 || offset < oldest);
    }
  };

  stored_range stored(const std::string& name, const durable_topic& at);

  // Returns a query that has yet to say which offsets.
  store_query query_of(const std::string& name, const durable_topic& at);

  void fetch_durable(uint32_t loop, const std::string& name, uint64_t first);

  void look_up_durable(const history_query& x, history_reply reply);

  history_found select_stored(const history_query& x,
                              const history_range& range, uint64_t last,
                              std::vector<publication_ptr> events);

  // Returns whether a topic may be forgotten, and leaves it to the store.
  bool may_go(const std::string& name);

  void save(const std::string& name, const durable_topic& at);

  // Leaves all topics of durability `memory` to the store.
  void hand_over();

  void expire_durable();

  // Answers everybody who waits for the store that the shard has failed.
  void abandon_durable();

  // -- topics with copies at other nodes (broker_copies.cpp) ------------------

  // Returns what a topic goes by, whether it is in use or not.
  const topic_options& options_by_now(const std::string& name) const;

  // This node serves it from now on.
  void copies_begun(const std::string& name);

  // Enough disks have all up to this offset.
  void copies_agreed(const std::string& name, uint64_t offset);

  // So are the places of its groups, up to the change with this number.
  void copies_placed(const std::string& name, uint64_t number);

  // This node does not serve it, or no longer.
  void copies_lost(const std::string& name);

  // Who wanted a topic that is another node's by now, and what they had; empty:
  // nothing yet.
  struct left_copy {
    std::map<uint32_t, uint64_t> loops;
    position where;
  };

  // Forgets such a topic. What it has is on the disks.
  left_copy leave_copy(const std::string& name);

  // Answers who waits for other disks: this node cannot tell any more.
  void refuse_copies(durable_topic& at);

  // Takes those out that are about topics with copies, for all who have one.
  // Calls `f` with whether it failed, if there was one; then it is empty.
  void copy_places(std::vector<saved_place>& xs, std::function<void(bool)>& f);

  // Lets the copies know where its groups stand.
  void place_copies(const std::string& name, durable_topic& at);

  // -- as the server of the loop's subscriptions ------------------------------

  void deliver(const publication_ptr& x);

  void attached(uint32_t shard, const std::string& subject, uint64_t generation,
                position where, publication_ptr retained);

  void refused(const std::string& subject, uint64_t generation, errc why);

  void watch(const caf::strong_actor_ptr& connection);
  void drop(const caf::actor_addr& who);

  void deliver(const presence_news& x);

  // Hands an owner's answer to the connection that asked.
  void relay(const caf::strong_actor_ptr& asker, uint32_t call_id,
             const request_outcome& x);

  void subscribe(const caf::actor& who, const std::string& subject,
                 subscribe_answer answer, const topic_position* since,
                 bool watches = false);
  void unsubscribe(const caf::actor& who, const std::string& subject);

  // Refuses the embedded actors whose subscribing was not answered yet.
  void refuse_waiting();

  [[nodiscard]] int64_t now_ms() const;

  loop_context& ctx_;
  mailbox_bytes_ptr waiting_;
  owned_topics topics_;
  presence_registry presence_;
  // When the earliest message that was asked for comes.
  int64_t presence_tick_ms_ = presence_registry::never;
  broker_groups groups_;
  broker_peers peers_;
  broker_replicas replicas_;
  durable_topics durable_;
  store_receiver_ptr receiver_;
  // Who waits until everything goes by the rules.
  std::vector<caf::typed_response_promise<uint64_t>> reloads_;
  // The first one is under way.
  std::deque<listing> listings_;
  // What this loop asks for again in a moment.
  std::unordered_set<std::string> asked_again_;
};

/// Asks the owners of `subject` to attach this loop.
void request_attach(loop_context& ctx, const std::string& subject);

/// Tells the owners of `subject` to detach this loop.
void request_detach(loop_context& ctx, const std::string& subject);

/// Takes back all subscriptions of somebody on this loop who is gone.
void drop_subscriber(loop_context& ctx, caf::actor_id who);

/// Asks a shard for everything that this loop has of it, because either of the
/// two has lost what the other knew.
void attach_again(loop_context& ctx, uint32_t shard);

/// A shard died and this loop knows of the one in its place: does what either
/// of the two needs to have what it had.
void shard_replaced(loop_context& ctx, uint32_t shard);

} // namespace callboard
