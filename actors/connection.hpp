#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <caf/typed_event_based_actor.hpp>

#include <callboard/actors/connection_setup.hpp>
#include <callboard/actors/handles.hpp>
#include <callboard/actors/hosted.hpp>
#include <callboard/actors/inflight_table.hpp>
#include <callboard/actors/leaks.hpp>
#include <callboard/actors/live_connections.hpp>
#include <callboard/actors/loop_context.hpp>
#include <callboard/actors/pace.hpp>
#include <callboard/messages/close_code.hpp>
#include <callboard/messages/topic.hpp>

namespace callboard {

/// One WebSocket: its state, rights, subscriptions and everything that it waits
/// for. The session calls it directly, in its context and on its loop's thread;
/// everybody else sends messages.
class connection : public hosted<connection_actor::base>, public subscriber {
public:
  using super = hosted<connection_actor::base>;

  connection(caf::actor_config& cfg, caf::execution_unit* loop,
             loop_context& ctx, outbox_ptr box, connection_setup setup);

  ~connection() override;

  const char* name() const override {
    return "callboard.connection";
  }

  behavior_type make_behavior() override;

  void on_exit() override;

  // -- from the session -------------------------------------------------------

  /// The WebSocket is open.
  void open();

  /// One message has arrived; its frames are handled before the call returns.
  void receive(std::string_view message);

  /// A control frame of the WebSocket has arrived, with so many bytes.
  void receive_control(size_t bytes);

  /// The socket is gone, or the peer has closed with this code.
  void lost(uint16_t code, std::string_view reason);

  /// Its socket is gone without a word: it ends and touches that no more.
  void abandon();

  /// Closes by our own decision.
  void close(uint16_t code, std::string_view reason);

  void close(close_code code, std::string_view reason = {});

  /// Returns the loop time in milliseconds at which its time runs out: that of
  /// the log-in, its lifetime, or that for which it may be idle; 0: none does.
  [[nodiscard]] int64_t expires_ms() const noexcept;

  /// Closes it: its time has run out.
  void expire();

  /// Closes it if it is not logged in: the loop's load is too high.
  /// @param seq_id of the frame that is answered so; 0: none is.
  void shed_login(uint32_t seq_id = 0);

  // -- from the loop ----------------------------------------------------------

  /// The node ends: says goaway, and closes when nothing is in flight. Another
  /// call does nothing that the first has done.
  void drain();

  /// A broker shard died and another took its place.
  void broker_replaced(uint32_t shard);

  /// A router shard died and another took its place.
  void router_replaced(uint32_t shard);

  // -- from the loop's topic table --------------------------------------------

  void on_subscribed(uint32_t seq_id, std::string_view subject,
                     const topic_position* where, recovery missed,
                     last_values values) override;

  void on_refused(uint32_t seq_id, std::string_view subject,
                  errc code) override;

  void on_position(std::string_view subject, const topic_position* where,
                   std::string_view reason) override;

  void on_event(const publication&, std::string_view, bool) override {
    // Connections take bytes.
  }

  void on_presence(std::string_view, const presence_news*) override {
    // The same.
  }

  void on_answer(uint32_t call_id, const request_outcome& x) override;

  [[nodiscard]] std::string_view user() const noexcept override {
    return who_.user;
  }

  void on_drained() override;

  // -- state ------------------------------------------------------------------

  [[nodiscard]] connection_state state() const noexcept {
    return state_;
  }

  /// The connection's name on the wire.
  [[nodiscard]] std::string wire_name() const;

  /// What its loop's list of those that live has of it.
  [[nodiscard]] live_entry& live() noexcept {
    return live_;
  }

  [[nodiscard]] leak_history history() const;

  /// What there is to say of it.
  [[nodiscard]] connection_facts facts() const;

private:
  struct served;
  struct membership;
  struct memberships;

  // -- who the client is ------------------------------------------------------

  // A new token of a client that was let in already.
  void refresh(uint32_t seq_id, identity who);

  void log_in(identity who);

  // Returns when a connection that begins now has lived long enough; 0: never.
  [[nodiscard]] int64_t lifetime_end() const noexcept;

  // Returns when it will have been idle for too long, as it looks now.
  [[nodiscard]] int64_t idle_end() const noexcept;

  // Returns the loop time of a Unix time, both in milliseconds; 0 stays.
  [[nodiscard]] int64_t loop_time(int64_t unix_ms) const noexcept;

  // Ends, and tells the client of, what the log-in does not allow any more.
  void give_up_forbidden();
  void give_up_subscriptions();
  void give_up_groups();
  void give_up_actions();

  // -- frames of the client ---------------------------------------------------

  void handle(const frame_view& x);
  void handle_connect(const frame_view& x);
  void handle_request(const frame_view& x);
  void handle_notify(const frame_view& x);
  void handle_cancel(const frame_view& x);
  void handle_reply(const frame_view& x);
  void handle_subscribe(const frame_view& x);
  void handle_unsubscribe(const frame_view& x);
  void handle_publish(const frame_view& x);
  void handle_register(const frame_view& x);
  void handle_unregister(const frame_view& x);
  void malformed(const frame_view& x, errc code, std::string_view reason);

  // Subscribes to a full name; with seqId 0 nobody hears of it.
  void subscribe(const std::string& subject, uint32_t seq_id,
                 const topic_position* since, bool presence);

  void unsubscribe_silently(const std::string& subject);

  // Publishes `content` to what the client calls `visible`, in the name of the
  // frame `x`.
  void publish(const frame_view& x, std::string_view visible, payload content);

  // Returns whether the topic's rule lets the publication through; answers if
  // it does not.
  bool pass_screen(const frame_view& x, std::string_view topic,
                   const payload& content);

  // Returns whether `topic`, a visible name, is that of what is pushed to this
  // user.
  [[nodiscard]] bool is_own_topic(std::string_view topic) const;

  // -- names, where tenants are isolated --------------------------------------

  // Returns whether topics of this client have full names.
  [[nodiscard]] bool isolated() const noexcept {
    return ctx_.node.options.tenant_isolation && !who_.tenant.empty();
  }

  // Returns the full name of what the client calls `topic`. Valid until the
  // next call on this loop.
  [[nodiscard]] std::string_view full_name(std::string_view topic) const;

  [[nodiscard]] std::string full_action(std::string_view action) const;

  [[nodiscard]] std::string full_user() const;

  // Returns whether the log-in's names can be part of full ones; closes if not.
  bool check_names(uint32_t seq_id);

  // -- groups -----------------------------------------------------------------

  void join_group(const frame_view& x);
  void leave_group(const frame_view& x);

  // Gives up a membership that is there, for the reason `why`.
  // @returns whether the client was a member already.
  bool leave(std::string_view topic, std::string_view group, errc why);

  // Answers to an event of a group: the client's `ack` or its `error`.
  // @returns false if there is no such event.
  bool answer_event(uint32_t seq_id, group_verdict verdict);

  void handle(const group_notice& x);
  void take_event(const group_event& x);
  void withdraw_event(const group_ticket& x);
  void groups_replaced(uint32_t shard);
  // What it was given and has not confirmed is another member's.
  void forget_events(membership& x);

  // Lets events of groups go to other members from now on.
  void pause_groups();

  // Answers a `subscribe` that still waits.
  void refuse_membership(uint32_t seq_id, errc code);
  // Asks the owner to make this connection a member.
  void write_group_position(const group_notice& x, std::string_view reason);
  void ask_owner(membership& x, const position& since);
  void tell_owner(const membership& x, uint64_t number, group_verdict verdict);

  // Returns the subscriptions of every kind, without the own topic.
  [[nodiscard]] size_t subscriptions() const;

  // Answers an action of the server's own; returns false for other actions.
  bool handle_own_action(const frame_view& x);
  void handle_history(const frame_view& x, bool position_only);
  void handle_presence(const frame_view& x, bool count_only);
  void handle_push(const frame_view& x);

  // Asks the owner of a topic; answers if that cannot be.
  template <class Query>
  void ask_owner(const frame_view& x, Query query, inflight_kind kind);

  void route(const frame_view& x, const router_ref& shard, uint32_t call_id);

  // Checks the grammar of a subject and the right to it; answers if refused.
  bool admit(const frame_view& x, operation what, subject_error wrong);

  // Takes `seq_id` into the table; answers with an error if that cannot be.
  std::optional<uint32_t> begin(uint32_t seq_id, inflight_kind kind,
                                uint32_t shard);

  bool authorized(operation what, std::string_view subject) const;

  // -- limits -----------------------------------------------------------------

  // Takes a place among the connections of the user and the tenant; closes if
  // there is none.
  bool take_place(uint32_t seq_id);
  void leave_place();

  // Returns whether a frame may be handled; answers if not.
  bool keeps_pace(const frame_view& x);

  // Sees to it that the rates are those of the loop's limits.
  void follow_limits() {
    if (limits_round_ != ctx_.limits_round)
      renew_rates();
  }

  void renew_rates();

  // Takes what has no frame from the rates.
  void pay();

  // Closes if more was refused than is borne.
  void close_flood(bool flood);

  // Returns whether a frame is the end of something that is under way, so that
  // there can be no more of them than of that.
  [[nodiscard]] bool is_awaited(const frame_view& x) const;

  // Returns whether the user may publish now; answers if not.
  bool may_publish(uint32_t seq_id);

  void refuse_rate(uint32_t seq_id, limit_kind what, int64_t wait_ms);

  // Returns whether the load has a frame refused; answers if it does.
  bool is_shed(load_stage stage, uint32_t seq_id) {
    if (!ctx_.load.refuses(stage))
      return false;
    refuse_shed(stage, seq_id);
    return true;
  }

  void refuse_shed(load_stage stage, uint32_t seq_id);

  [[nodiscard]] bool has_presence(std::string_view subject) const;

  // -- messages ---------------------------------------------------------------

  void finish_publish(const published& x);
  void finish_request(uint32_t call_id, const request_outcome& x);
  void finish_register(uint32_t call_id);
  void serve(request_ticket ticket, const routed_request& x);
  void cancel_serving(const request_ticket& ticket);
  caf::result<payload> ask(const std::string& action, payload content,
                           caf::timespan timeout);

  // -- the node's end ---------------------------------------------------------

  // Says goaway because the node ends, and where else to go.
  // @param spread_ms as for `write_goaway`, where that is nowhere.
  void send_away(std::string_view reason, uint64_t spread_ms);

  // Asks for no more requests to this client.
  void stop_serving();

  // Not where the connection is called from within a call of its own, see
  // `look_again`.
  void close_if_drained();

  // Lets that be done when this call is over.
  void look_again();

  // -- writing ----------------------------------------------------------------

  void write(frame_view& x);
  void write_response(uint32_t seq_id, payload_view content);
  void write_position(uint32_t seq_id, const topic_position& where,
                      const bool* recovered);
  void write_pattern_response(uint32_t seq_id, bool since_asked,
                              last_values values);
  // Answers with an error, or says it without being asked with seqId 0. The
  // time to wait is the code's own where it is 0.
  void write_error(uint32_t seq_id, errc code, std::string_view sentence = {},
                   uint64_t wait_ms = 0);
  // Answers with an error if an answer is wanted.
  void refuse(uint32_t seq_id, errc code, std::string_view sentence = {});
  void write_outcome(uint32_t seq_id, const request_outcome& x);
  // @param spread_ms the time over which those who reconnect are to be spread.
  // @param urls where they are to go first.
  void write_goaway(std::string_view reason, std::string_view reconnect,
                    uint64_t spread_ms = 0,
                    const std::vector<std::string>& urls = {});
  void write_welcome(uint32_t seq_id);

  void connected(uint32_t seq_id);
  void set_state(connection_state x);
  void tell_life(lifecycle_kind kind, std::string_view subject = {});
  [[nodiscard]] lifecycle_event describe(lifecycle_kind kind) const;

  loop_context& ctx_;
  outbox_ptr box_;
  connection_id id_;
  connection_state state_ = connection_state::connecting;
  bool must_authenticate_;
  bool watched_ = false;
  // Whether `connected` was told of it.
  bool told_ = false;
  // Whether it closes as soon as nothing is in flight.
  bool draining_ = false;
  uint16_t close_code_ = 0;
  live_entry live_;
  std::string close_reason_;
  identity who_;
  // Loop times in milliseconds; 0: never.
  int64_t expires_ms_ = 0;
  int64_t lifetime_end_ms_ = 0;
  // The Unix time at which it was opened.
  int64_t since_ms_;
  // When the last frame came, or went, that was no heartbeat.
  int64_t last_frame_ms_ = 0;
  // What `sender` says of this connection: the user, or its own name.
  std::string sender_;
  std::string address_;
  inflight_table inflight_;
  // Null where frames and bytes have no limit.
  std::unique_ptr<pace> pace_;
  // Null where publications have none.
  std::shared_ptr<shared_token_bucket> publishes_;
  // The loop's, that the rates are of.
  uint32_t limits_round_;
  // Whether it has a place in the register of users.
  bool placed_ = false;
  // What this client serves; made by the first request to it or `register`.
  std::unique_ptr<served> served_;

  // The groups that this client is a member of; made by the first one.
  std::unique_ptr<memberships> memberships_;

  served& serving();
  // The times of the last malformed frames, oldest next; made by the first.
  struct malformed_times;
  std::unique_ptr<malformed_times> malformed_;
};

} // namespace callboard
