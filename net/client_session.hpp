#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <callboard/messages/frame.hpp>
#include <callboard/messages/frame_reader.hpp>
#include <callboard/net/client_options.hpp>
#include <callboard/net/client_types.hpp>

namespace callboard::net {

/// What a client speaks with its server: operations in flight and waiting,
/// subscriptions, actions. It outlives connections and knows no socket and no
/// timer: it is told the time and when a connection came and went, and sends
/// by a function.
class client_session : public std::enable_shared_from_this<client_session> {
public:
  using clock = std::chrono::steady_clock;
  using time_point = clock::time_point;

  /// Sends a frame; false if it is larger than the server takes.
  using send_function = std::function<bool(const frame_view&)>;

  /// Hears `error` or the reply's frame, which is valid during the call.
  using completion
    = std::function<void(const caf::error& error, const frame_view* reply)>;

  /// Something that the server answers.
  struct operation {
    frame_type type = frame_type::request;
    std::string subject;
    payload body;
    publish_options options;
    request_options request;
    /// Behind which a subscription goes on.
    position since;
    bool presence = false;
    /// For a member of a group.
    member_options member;
    /// Of the subscription, membership or responder that asks; see there.
    uint64_t generation = 0;
    completion done;
    operation_id id = 0;
    time_point deadline{};
    /// Asks again for what an earlier connection had; ends with this one.
    bool again = false;
    /// Counts towards what may wait. What is sent again has had its place.
    bool counts = false;
    bool sent = false;
  };

  client_session(client_options options, client_handlers handlers,
                 std::function<time_point()> now);

  // -- the connection ---------------------------------------------------------

  /// Begins with a new connection: subscribes and registers again, then sends
  /// what waits.
  /// @param is_full returns whether what waits has to wait longer, until `pump`
  ///                is called; none: it never has to.
  void connected(send_function send, size_t inflight_max,
                 std::function<bool()> is_full = {});

  /// Shows a fresh token on the connection; `done` hears the `welcome`, or
  /// nothing if the connection is lost before.
  void log_in(const std::string& token, completion done);

  /// The connection is gone.
  void disconnected();

  /// Sends no new operation on this connection: the server said `goaway`.
  void pause() {
    paused_ = true;
  }

  /// Fails everything that waits, and whatever is asked for until `resume`.
  /// Subscriptions, memberships and actions are gone.
  void give_up(const caf::error& why);

  /// Lets what is asked for wait again.
  void resume() {
    given_up_ = {};
  }

  /// Takes a frame; those about the connection itself are not for the session.
  void handle(const frame_view& x);

  /// Sends what may be sent by now.
  void pump();

  // -- time -------------------------------------------------------------------

  /// Returns when `expire` has something to do next.
  [[nodiscard]] std::optional<time_point> next_deadline() const;

  /// Fails what is overdue.
  void expire();

  // -- operations, see `client` -----------------------------------------------

  void subscribe(std::string subject, event_handler on_event,
                 result_handler<position> done);

  void subscribe(std::string subject, subscribe_options options,
                 event_handler on_event, presence_handler on_presence,
                 result_handler<subscribed> done);

  void unsubscribe(const std::string& subject, result_handler<void> done);

  void join(std::string topic, member_options options, member_handler on_event,
            result_handler<position> done);

  void join(std::string topic, member_options options, member_handlers handlers,
            result_handler<subscribed> done);

  void leave(const std::string& topic, const std::string& group,
             result_handler<void> done);

  operation_id publish(std::string topic, payload x, publish_options options,
                       result_handler<position> done);

  operation_id request(std::string action, payload x, request_options options,
                       result_handler<payload> done);

  operation_id request(std::string action, payload x, caf::timespan timeout,
                       result_handler<payload> done) {
    return request(std::move(action), std::move(x),
                   request_options{.timeout = timeout}, std::move(done));
  }

  operation_id notify(std::string action, payload x, result_handler<void> done);

  /// Fails a publication, request or notification with `cancelled`.
  /// @returns false if it is over already.
  bool cancel(operation_id id);

  void respond(std::string action, request_handler on_request,
               result_handler<void> done);

  void stop_responding(const std::string& action, result_handler<void> done);

  /// Returns the operations that are not answered yet.
  [[nodiscard]] size_t pending() const noexcept {
    return operations_.size();
  }

  /// Returns whether what is asked for on this connection has to wait for what
  /// was asked for before.
  [[nodiscard]] bool is_busy() const {
    return send_ && !paused_ && (!waiting_.empty() || !may_send());
  }

private:
  // What has ended can be asked for anew before the server has answered. The
  // generation, which is never used again, tells the answers apart.
  struct subscription {
    uint64_t generation = 0;
    event_handler on_event;
    presence_handler on_presence;
    bool presence = false;
    /// Where the subscriber is; an empty epoch: not known.
    position at;
    /// Where it was when this connection's subscription began.
    position before;
    /// Whether the server confirmed it once.
    bool established = false;
  };

  struct responder {
    uint64_t generation = 0;
    request_handler on_request;
    bool established = false;
  };

  struct membership {
    uint64_t generation = 0;
    member_handlers handlers;
    bool ack = false;
    bool established = false;
  };

  /// A topic and a group's name.
  using group_name = std::pair<std::string, std::string>;

  // Lets an operation wait for its turn.
  // @param first in front of the others; one that is sent again (which has a
  //              number) where it was among them.
  operation_id submit(operation x, bool first = false);

  // Returns where an operation that was asked for earlier waits.
  std::deque<uint32_t>::iterator place_of(operation_id id);

  // Takes out of the queue what gives way to so many bytes more. Nothing fits
  // afterwards if it still returns true for `is_full`.
  std::vector<operation> make_room(size_t bytes);

  [[nodiscard]] bool is_full(size_t bytes) const noexcept {
    return waiting_count_ >= options_.queue_max
           || waiting_bytes_ + bytes > options_.queued_bytes_max;
  }

  // Counts what begins to wait, or does so no longer.
  void count_waiting(const operation& x, bool waits) noexcept;

  [[nodiscard]] bool may_send() const {
    return send_ && !paused_ && inflight_ < inflight_max_
           && !(connection_is_full_ && connection_is_full_());
  }

  bool send(uint32_t seq_id, const operation& x);

  // Returns whether somebody still wants what a waiting operation asks for.
  [[nodiscard]] bool wanted(const operation& x) const;

  // Returns what `map` has for `key`; null if that is of another generation.
  template <class Map>
  static auto*
  find(Map& map, const typename Map::key_type& key, uint64_t generation) {
    auto i = map.find(key);
    return i != map.end() && i->second.generation == generation ? &i->second
                                                                : nullptr;
  }

  // Lets an operation that the server did not do wait for the next connection.
  // Returns whether it may.
  bool postpone(uint32_t seq_id);

  // Tells the server that nobody waits any more for the answer to a request,
  // or that a subscription or an action is not wanted.
  void withdraw(uint32_t seq_id);

  // Removes an operation from every table.
  operation take(uint32_t seq_id);

  void fail(uint32_t seq_id, const caf::error& why);

  // Subscribes or registers on a new connection what was there on an old one.
  void resubscribe(const std::string& subject, uint64_t generation);

  void reregister(const std::string& action, uint64_t generation);

  void rejoin(const group_name& name, uint64_t generation);

  // Returns whether the failure of one of these is worth another try, which
  // is then on its way.
  bool try_again(const caf::error& why, std::function<void()> f);

  void on_subscribed(const std::string& subject, subscription& x,
                     const position& since, const frame_view& reply);

  void on_event(const frame_view& x);

  void on_presence(const frame_view& x);

  void on_member_event(const frame_view& x);

  // Sends a member's answer to an event that came on the given connection.
  void answer_event(uint64_t connection, uint32_t seq_id, bool confirmed);

  void on_position(const frame_view& x);

  void on_reply(const frame_view& x);

  void on_request(const frame_view& x);

  // Sends the answer to a request that came on the given connection.
  bool answer(uint64_t connection, uint32_t seq_id, frame_view x);

  void tell(const caf::error& why);

  client_options options_;
  client_handlers handlers_;
  std::function<time_point()> now_;
  send_function send_;
  std::function<bool()> connection_is_full_;
  // Counts connections, so that late answers do not reach another one.
  uint64_t connection_ = 0;
  size_t inflight_max_ = 0;
  bool paused_ = false;
  uint32_t last_seq_id_ = 0;
  // By seqId; those in `waiting_` are not sent yet.
  std::unordered_map<uint32_t, operation> operations_;
  // SeqIds, which change when something is sent again.
  std::unordered_map<operation_id, uint32_t> seq_ids_;
  operation_id last_operation_ = 0;
  caf::error given_up_;
  std::deque<uint32_t> waiting_;
  // Of those in it that count.
  size_t waiting_count_ = 0;
  size_t waiting_bytes_ = 0;
  size_t inflight_ = 0;
  std::set<std::pair<time_point, uint32_t>> deadlines_;
  std::map<std::string, subscription, std::less<>> subscriptions_;
  std::map<std::string, responder, std::less<>> responders_;
  std::map<group_name, membership> memberships_;
  uint64_t last_generation_ = 0;
  // Unanswered requests to our responders, and until when they are wanted.
  std::unordered_map<uint32_t, time_point> incoming_;
  std::set<std::pair<time_point, uint32_t>> incoming_deadlines_;
  // Events that members have not answered.
  std::set<uint32_t> given_;
  // What is done on this connection later.
  std::multimap<time_point, std::function<void()>> later_;
};

/// Returns what the reply to a `subscribe` says.
subscribed to_subscribed(const frame_view& reply);

/// Returns the position in the reply to a `subscribe` or `publish`.
position position_of(const frame_view& reply);

/// Returns what an `event` frame says.
event_view to_event(const frame_view& x);

} // namespace callboard::net
