#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <caf/actor_addr.hpp>
#include <caf/system_messages.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/action_guards.hpp>
#include <callboard/actors/alarms.hpp>
#include <callboard/actors/cluster/peer_request_frames.hpp>
#include <callboard/actors/cluster/request_node.hpp>
#include <callboard/actors/handles.hpp>
#include <callboard/actors/hosted.hpp>
#include <callboard/actors/loop_context.hpp>
#include <callboard/actors/metrics.hpp>
#include <callboard/actors/request_table.hpp>
#include <callboard/actors/timing_wheel.hpp>

namespace callboard {

/// A shard of the router. It owns the actions that hash to its index: who
/// serves them, the requests that wait, and their deadlines.
///
/// An asker gets exactly one answer for each request with a seqId, unless it
/// cancels or dies first. What comes later, or from somebody whom the request
/// was not given to, is dropped and counted.
///
/// Where nobody of this node serves an action, the shard that has it at another
/// one is asked. What comes from there goes no further.
class router : public hosted<router_actor::base> {
public:
  using super = hosted<router_actor::base>;

  /// A request's timeout is clamped to these.
  static constexpr int64_t timeout_ms_min = 1;
  static constexpr int64_t timeout_ms_max = 300'000;

  /// @param loop the loop's execution unit; null under the test coordinator.
  /// @param waiting counts the requests that are on their way to it.
  router(caf::actor_config& cfg, caf::execution_unit* loop, loop_context& ctx,
         mailbox_bytes_ptr waiting);

  const char* name() const override;

  using super::enqueue;

  /// Turns an embedded responder's response into a `resolve` to this actor's
  /// own address, on the responder's thread. CAF would look for a response
  /// handler among all that wait, one after the other, and keep it for ever
  /// where no response comes.
  bool enqueue(caf::mailbox_element_ptr what,
               caf::execution_unit* unit) override;

  behavior_type make_behavior() override;

  void on_exit() override;

private:
  // -- from askers ------------------------------------------------------------

  void route(const routed_request_ptr& x);

  caf::result<payload> route_embedded(const routed_request_ptr& x);

  // Who asks.
  struct origin {
    // Null: another node.
    caf::strong_actor_ptr actor = nullptr;
    // Answers an embedded actor; invalid for others.
    caf::typed_response_promise<payload> promise = {};
    // Null: an actor.
    request_node* node = nullptr;
    // The node's.
    request_ticket ticket = {};
  };

  // Returns the time that a request has.
  static int64_t timeout_ms(caf::timespan x);

  // Gives a request to a responder.
  // @returns why it cannot be; none if it was.
  refusal open(const routed_request_ptr& x, origin from);

  // Enters a request into the table.
  // @param guard the action's; null: none.
  pending_request& enter_request(const routed_request& x, origin from,
                                 registration& responder, action_guard* guard,
                                 caf::actor_clock::time_point now);

  // @param from null: somebody of this node.
  void notify(const routed_request_ptr& x, const request_node* from = nullptr);

  // Returns who serves the next request for `action`, a full name: the
  // application, or else clients of the tenant; those of this node before
  // others. Null: nobody.
  // @param from where it comes from; null: from this node.
  [[nodiscard]] registration* next(std::string_view action,
                                   const request_node* from) noexcept;

  // Returns the node to ask next; null where there is none.
  [[nodiscard]] registration* next_node(std::string_view action) noexcept;

  // Returns whether an embedded responder, or another node, has as much waiting
  // as it may.
  [[nodiscard]] bool congested(const registration& x) const;

  // Sends a request to its responder.
  // @param number 0: nobody waits for an answer.
  void give(const registration& to, uint64_t number,
            const routed_request_ptr& x);

  // Returns the message for an embedded responder and charges it.
  static action_request message_to(const registration& x,
                                   const routed_request& content);

  void cancel(uint32_t call_id);

  // -- rules of actions -------------------------------------------------------

  // Lets actions go by other rules.
  void reload(const rule_set_ptr& x);

  // Goes on with the guards that are there. The others follow as they are
  // used.
  void go_on_reloading();

  // Lets a guard go by its rule of this round; without one it is gone.
  void revise(action_guard& guard, caf::actor_clock::time_point now);

  // Returns the rule of this responder's action; null where there is none.
  const action_rule* rule_of(registration& x);

  // Returns who holds requests for `action` to the rule of this responder; null
  // where there is no rule.
  // @param action its full name: one of the application's serves all tenants,
  //               and each of them is held to the rule by itself.
  action_guard* guard_of(registration& x, std::string_view action,
                         caf::actor_clock::time_point now);

  // Decides about a request, and counts a refusal.
  refusal check(action_guard& guard, caf::actor_clock::time_point now);

  // Returns whether a notify for `action`, a full name, is dropped by the rule
  // of this responder, if it has one.
  bool drops_notify(registration& x, std::string_view action);

  void count_refusal(errc code);

  // Tells the guard how a request has ended.
  void judge(const pending_request& x, const request_outcome& outcome,
             caf::actor_clock::time_point now);

  // The same for one that nobody waits for any more.
  void judge_cancelled(const pending_request& x);

  // Counts and logs a change of the guard's circuit.
  void note_circuit(const action_guard& guard, circuit_state before);

  // Puts the guard's circuit on the metrics, where `n` is 1; off, where -1.
  void count_circuit(const action_guard& guard, int64_t n);

  // Takes a guard that is gone off the metrics.
  void forget_guard(const action_guard& guard);

  circuit_metrics& metrics_of(const action_rule& rule);

  // -- from responders --------------------------------------------------------

  void resolve(const request_ticket& ticket, const request_outcome& outcome);

  // Counts and settles what has an outcome.
  void finish(pending_request& x, const request_outcome& outcome);

  // Enters somebody of this node as responder.
  bool add(request_peer& who, const std::string& action, bool embedded);

  // Takes a registration back; what was given to it stays.
  void remove(registration& x);

  void remove(const caf::actor_control_block* who, const std::string& action);

  void add_client(const std::string& action, uint32_t call_id);

  void remove_client(const std::string& action, uint32_t call_id);

  caf::result<void> add_embedded(const std::string& action,
                                 const caf::actor& who);

  void remove_embedded(const std::string& action, const caf::actor& who);

  // -- ends of requests -------------------------------------------------------

  void on_down(const caf::down_msg& x);

  // Withdraws what somebody asks who is no more, and fails what it serves.
  void bury(request_peer& x);

  // Takes a registration back and fails what it has to answer.
  void fail(registration& x);

  void expire();

  // The time of a request is over.
  void time_out(pending_request& x);

  // Answers the asker and forgets the request.
  void settle(pending_request& x, const request_outcome& outcome);

  void answer(pending_request& x, const request_outcome& outcome);

  // Counts what the outcome says of the responder.
  void observe(const pending_request& x, const request_outcome& outcome);

  // Forgets a request whose asker does not wait any more.
  void withdraw(pending_request& x);

  // Tells the responder, where it can be told, that nobody waits any more.
  // @param late whether that is because the time is over.
  void tell_cancelled(const pending_request& x, bool late = false);

  void close(pending_request& x);

  // -- other nodes ------------------------------------------------------------

  // The nodes are these from now on.
  void told(const peer_set_ptr& x);

  // Gets to know the nodes that the loop knows.
  void meet();

  // The same, again and again until these are the ones that it was told of.
  void meet_told();

  void take(const shard_batch& x);

  // Reads one frame and handles it.
  // @returns false if it is none.
  bool take_frame(request_node& from, peer_frame number, frame_source& source);

  void take(request_node& from, const peer_offer& x);
  void take(request_node& from, const peer_withdraw& x);
  void take(request_node& from, const peer_restart& x);
  void take(request_node& from, peer_serve& x);
  void take(request_node& from, const peer_outcome& x);
  void take(request_node& from, const peer_cancel& x);

  // Asks another node.
  void ask(const request_node& to, const request_ticket& ticket,
           const routed_request_ptr& x, int64_t left_ms);

  // Asks a second node, where one refused the request because nobody serves it
  // there.
  // @returns false where there is none, or it has gone to one already.
  bool move(pending_request& x);

  // Sends a frame to a shard of another node, if that is still at its slot.
  template <class Frame>
  void tell(const request_node& to, uint32_t shard, const Frame& x) {
    auto* now = ctx_.peers.nodes().at(to.slot());
    if (now != nullptr && now->who.same_run(to.who()))
      ctx_.peers.send_to(shard_kind::router, to.slot(), shard, x);
  }

  // Sends a frame about an action to the shards that have it at other nodes.
  template <class Frame>
  void tell_all(const std::string& action, const Frame& x) {
    for (auto& node : nodes_)
      if (node != nullptr)
        tell(*node, node->shard_of(action), x);
  }

  // Sends a node what this shard offers.
  // @param shard null: to all its shards.
  void offer_all(const request_node& to, const uint32_t* shard = nullptr);

  // -- peers ------------------------------------------------------------------

  request_peer* find_peer(const caf::actor_control_block* who);

  // Returns the peer of `who`, monitored from now on.
  request_peer& peer_of(const caf::strong_actor_ptr& who);

  void forget_if_idle(request_peer& x);

  loop_context& ctx_;
  mailbox_bytes_ptr waiting_;
  // Responses can come when the loop and its context are gone.
  const uint32_t index_;
  action_guards guards_;
  // By the rules' patterns.
  std::unordered_map<std::string, circuit_metrics> circuits_;
  // Those that were there as the rules changed, and may have old ones.
  std::vector<std::weak_ptr<action_guard>> unrevised_;
  request_table table_;
  timing_wheel<pending_request*> deadlines_;
  alarms alarms_;
  std::unordered_map<const caf::actor_control_block*, request_peer> peers_;
  // The nodes that this has met, by slot, and the set that they were in.
  std::vector<std::unique_ptr<request_node>> nodes_;
  peer_set_ptr met_;
  // The set that this was told of.
  peer_set_ptr told_;
  bool looks_again_ = false;
};

} // namespace callboard
