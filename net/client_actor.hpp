#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_addr.hpp>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/typed_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/group_messages.hpp>
#include <callboard/actors/inventory.hpp>
#include <callboard/actors/mailbox_bytes.hpp>
#include <callboard/actors/presence.hpp>
#include <callboard/actors/type_ids.hpp>
#include <callboard/net/client_calls.hpp>
#include <callboard/net/client_options.hpp>
#include <callboard/net/client_port.hpp>

namespace callboard::net {

/// A client of a server, as an actor. It takes the messages of a
/// `server_handle` that are of use from afar, so that actors work with a server
/// elsewhere as with one in their own process, and sends the same: `event` and
/// `(topic, position)` to subscribers, `action_request` to responders. Errors
/// are those of the other faces; `details` takes them apart.
using client_handle = caf::typed_actor<
  // Publish. Sent anonymously and without an id, the server is not asked for an
  // answer either.
  caf::result<callboard::position>(publish_atom, std::string, payload),
  caf::result<callboard::position>(publish_atom, std::string, payload,
                                   callboard::publish_options),
  // Send this actor every `event` of a topic or pattern from now on, over
  // reconnects; `(subject, position)` where events may be missing, and
  // `(unsubscribe_atom, subject, position)` where the subscription has ended,
  // because the server gives it no more or the actor does not keep up.
  caf::result<callboard::position>(subscribe_atom, caf::actor, std::string),
  // The same from a position on; the answer tells whether all comes that was
  // published after it. For subjects that no other actor has subscribed to.
  caf::result<callboard::position, bool>(subscribe_atom, caf::actor,
                                         std::string, callboard::position),
  // The same as the first, and every `presence_update` of the topic: who comes
  // and who goes. For topics that nobody has subscribed to without it.
  caf::result<callboard::position>(subscribe_atom, presence_atom, caf::actor,
                                   std::string),
  caf::result<void>(unsubscribe_atom, caf::actor, std::string),
  // How many are in a topic, and who: at most so many (1 … 1000), those after
  // the `next` of the page before, or the first if that is empty.
  caf::result<presence_count>(presence_atom, std::string),
  caf::result<presence_page>(presence_atom, std::string, uint32_t, std::string),
  // Make this actor the client's member of a group. It gets each `event` as a
  // request, and confirms it by answering with nothing; an error, or its death,
  // gives the event to another member. The answer tells where the group goes
  // on, and whether all is there that comes behind.
  caf::result<callboard::position, bool>(subscribe_atom, caf::actor,
                                         std::string, group_options),
  // It is no longer a member of the group with this name.
  caf::result<void>(unsubscribe_atom, caf::actor, std::string, std::string),
  // Let this actor, a `responder_actor`, answer an action's requests; of the
  // server's own actions, `callboard.history` and others can be asked like any.
  caf::result<void>(register_atom, std::string, caf::actor),
  caf::result<void>(unregister_atom, std::string, caf::actor),
  caf::result<payload>(request_atom, std::string, payload, caf::timespan),
  // Send this actor `(watch_atom, state, why)` now, whenever the client comes
  // to another state (see `to_string(client_state)`), and for errors that
  // belong to no operation.
  caf::result<void>(watch_atom, caf::actor),
  caf::result<void>(unwatch_atom, caf::actor),
  // Send what has its turn already, close the connection, and end.
  caf::result<void>(close_atom)>;

/// With what comes from the client's thread.
using client_inner_handle = client_handle::extend<
  // A publication, subscription or membership with this number has its answer:
  // an error, or a position and whether everything behind it is there.
  caf::result<void>(resolve_atom, uint64_t, caf::error, callboard::position,
                    bool),
  // A request or registration has its answer.
  caf::result<void>(resolve_atom, uint64_t, caf::error, payload),
  // An event of a subject.
  caf::result<void>(deliver_atom, std::string, event),
  // Events of a subject may be missing.
  caf::result<void>(deliver_atom, std::string, callboard::position),
  // Who came to a topic and who went.
  caf::result<void>(deliver_atom, std::string, presence_update),
  // An event of a group, for the membership with the first number.
  caf::result<void>(deliver_atom, uint64_t, uint64_t, event),
  // Events of a topic may be missing for a group.
  caf::result<void>(deliver_atom, std::string, std::string,
                    callboard::position),
  // A subscription could not be had again, or the membership with this number.
  caf::result<void>(detach_atom, std::string),
  caf::result<void>(detach_atom, uint64_t),
  // A request of the server's, for the registration with the first number.
  caf::result<void>(serve_atom, uint64_t, uint64_t, action_request,
                    caf::timespan),
  // Another state, or an error without one.
  caf::result<void>(watch_atom, std::string, caf::error),
  // The client has given up.
  caf::result<void>(detach_atom, caf::error)>;

/// The actor behind a `client_handle`.
class client_actor : public client_inner_handle::base {
public:
  /// @param make_port is called once.
  /// @param bytes_max what may be on its way to one subscriber, in bytes.
  client_actor(caf::actor_config& cfg, port_factory make_port,
               size_t bytes_max = 1024 * 1024);

  const char* name() const override {
    return "callboard.client";
  }

  behavior_type make_behavior() override;

  /// Ends the client, and waits for its thread.
  void on_exit() override;

private:
  // Who waits to hear of a subscription, by one of the two promises.
  struct waiting_subscriber {
    caf::actor who;
    bool presence = false;
    caf::typed_response_promise<callboard::position> where;
    caf::typed_response_promise<callboard::position, bool> where_and_whole;

    void deliver(const callboard::position& at, bool whole);

    void fail(const caf::error& why);
  };

  struct subject_state {
    uint64_t number = 0;
    // Set once the server has answered.
    bool established = false;
    // Whether the server tells who comes and goes; and those who want to know.
    bool presence = false;
    std::vector<caf::actor> onlookers;
    callboard::position at;
    std::vector<caf::actor> followers;
    std::vector<waiting_subscriber> waiting;

    [[nodiscard]] bool has(const caf::actor& who) const;
  };

  struct registration {
    uint64_t number = 0;
    caf::actor responder;
    caf::typed_response_promise<void> answer;
  };

  struct membership {
    uint64_t number = 0;
    caf::actor member;
    callboard::position at;
    caf::typed_response_promise<callboard::position, bool> answer;
  };

  /// A topic and a group's name.
  using group_name = std::pair<std::string, std::string>;

  using membership_map = std::map<group_name, membership>;

  // Sends to the actor behind `to`, if it is there. Any thread.
  template <class... Ts>
  static void send_home(const caf::actor_addr& to, Ts&&... xs) {
    if (auto self = caf::actor_cast<client_inner_handle>(to))
      caf::anon_send(self, std::forward<Ts>(xs)...);
  }

  // Returns what delivers a result as the answer.
  template <class T>
  static result_handler<T> delivering(caf::typed_response_promise<T> answer) {
    return [answer](caf::expected<T> x) mutable {
      if (x)
        answer.deliver(std::move(*x));
      else
        answer.deliver(std::move(x.error()));
    };
  }

  client_handlers make_handlers();

  void down(const caf::down_msg& x);

  caf::result<callboard::position> publish(std::string topic, payload x,
                                           callboard::publish_options options);

  caf::result<payload> ask(std::string action, payload x,
                           caf::timespan timeout);

  // Asks, and calls `done` here.
  void ask(std::string action, payload x, request_options options,
           result_handler<payload> done);

  // Returns what the functions of client_calls.hpp ask by.
  asking_function asking();

  void subscribe(waiting_subscriber x, const std::string& subject,
                 const callboard::position& since);

  // Asks the client for what nobody has followed yet.
  void begin(const std::string& subject, const callboard::position& since,
             bool presence);

  // Lets who has waited follow.
  static void follow(subject_state& x, const waiting_subscriber& y);

  void unsubscribe(const caf::actor& who, const std::string& subject);

  // Ends the subscription to what nobody follows any more.
  void drop_if_idle(const std::string& subject);

  caf::result<void> add_responder(std::string action, caf::actor who);

  void remove_responder(const std::string& action, const caf::actor& who);

  void resolve(uint64_t number, caf::error& why, callboard::position& at,
               bool whole);

  void resolve(uint64_t number, caf::error& why, payload& x);

  void deliver(const std::string& subject, const event& x);

  void deliver(const std::string& subject, const presence_update& x);

  // Sends `x` to `who` unless too much is on its way there already.
  template <class T>
  bool give(const caf::actor& who, const T& x, int64_t cost) {
    auto& waiting = known_[who];
    if (waiting->count() + cost > static_cast<int64_t>(bytes_max_))
      return false;
    auto copy = x;
    copy.credit = charge(waiting, cost);
    caf::anon_send(who, std::move(copy));
    return true;
  }

  // Ends the subscriptions of those who do not keep up.
  void cut_off(const std::vector<caf::actor>& slow, const std::string& subject,
               const callboard::position& at);

  caf::result<presence_count> count_members(std::string topic);

  caf::result<presence_page> list_members(std::string topic, uint32_t limit,
                                          std::string after);

  caf::result<callboard::position, bool>
  join(caf::actor who, const std::string& topic, const group_options& options);

  void leave(const caf::actor& who, const group_name& name);

  membership_map::iterator find_membership(uint64_t number);

  void resolve_membership(uint64_t number, caf::error& why,
                          callboard::position& at, bool whole);

  void give_to_member(uint64_t membership, uint64_t number, event& x);

  void lost_membership(uint64_t number);

  void lost(const std::string& subject);

  void serve(uint64_t registration, uint64_t number, action_request& x,
             caf::timespan timeout);

  void tell_state(std::string state, caf::error why);

  // Watches an actor's life for as long as it has something of ours.
  void know(const caf::actor& who);

  // Lets go of an actor that has nothing of ours any more.
  void forget_if_idle(const caf::actor& who);

  port_factory make_port_;
  size_t bytes_max_;
  std::unique_ptr<client_port> port_;
  // Ourselves, once we are to close.
  caf::strong_actor_ptr until_closed_;
  std::string state_;
  uint64_t last_number_ = 0;
  std::unordered_map<std::string, subject_state> subjects_;
  std::unordered_map<std::string, registration> registrations_;
  std::unordered_map<uint64_t, caf::typed_response_promise<callboard::position>>
    publications_;
  std::unordered_map<uint64_t, result_handler<payload>> requests_;
  membership_map memberships_;
  // Bytes on their way to each actor that follows something.
  std::unordered_map<caf::actor, mailbox_bytes_ptr> known_;
  std::unordered_set<caf::actor> watchers_;
};

/// Spawns a client on the application's `actor_system`, with a thread of its
/// own for the network, and lets it connect. It ends with `close_atom`, at once
/// by an exit message, and with the client's error where that gives
/// up. Its subscribers, responders and watchers are forgotten when they end.
/// @pre `caf::core::init_global_meta_objects` and `net::init_client` (or
///      `net::init`) were called.
client_handle spawn_client(caf::actor_system& sys, client_options options);

} // namespace callboard::net
