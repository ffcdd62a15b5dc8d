#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor_clock.hpp>
#include <caf/timespan.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/handles.hpp>
#include <callboard/actors/loop_context.hpp>
#include <callboard/actors/tenant_space.hpp>
#include <callboard/messages/topic.hpp>

namespace callboard {

/// What an application says to its server. May be used from any actor and
/// thread.
using server_handle = caf::typed_actor<
  // Publish; answered with the place in the topic once the owner accepted it.
  // Sent anonymously, nobody is told whether it was.
  caf::result<position>(publish_atom, std::string, payload),
  // Publish to every connection of a user.
  caf::result<position>(push_atom, std::string, payload),
  // The same with a key of 1 … 64 bytes: groups give events with the same key
  // after each other, to the same member.
  caf::result<position>(publish_atom, std::string, payload, std::string),
  // The same with more than a key.
  caf::result<position>(publish_atom, std::string, payload, publish_options),
  // Send this actor every `event` of a topic or pattern from now on. Where it
  // does not keep up it gets `(unsubscribe_atom, subject, position)` and no
  // further event; where the topic starts over `(topic, position)`.
  caf::result<position>(subscribe_atom, caf::actor, std::string),
  // The same from a position on. The answer tells whether all comes that was
  // published after it, before what is published from now on.
  caf::result<position, bool>(subscribe_atom, caf::actor, std::string,
                              position),
  // The same as the first, and every `presence_update` of the topic: who comes
  // and who goes. `no_presence` if the topic does not keep it.
  caf::result<position>(subscribe_atom, presence_atom, caf::actor, std::string),
  caf::result<void>(unsubscribe_atom, caf::actor, std::string),
  // How many are in a topic, and who: at most so many (1 … 1000), those after
  // the `next` of the page before, or the first if that is empty.
  caf::result<presence_count>(presence_atom, std::string),
  caf::result<presence_page>(presence_atom, std::string, uint32_t, std::string),
  // Where a topic stands, and which events it keeps.
  caf::result<position>(history_atom, std::string),
  caf::result<history_page>(history_atom, std::string, history_options),
  // Make this actor a member of a group, which shares a topic's events among
  // its members. It gets each `event` as a request, and confirms it by
  // answering with nothing; an error, its death, or too long a time give the
  // event to another member. The answer tells where the group goes on, and
  // whether all is there that comes behind.
  caf::result<position, bool>(subscribe_atom, caf::actor, std::string,
                              group_options),
  // It is no longer a member of the group with this name.
  caf::result<void>(unsubscribe_atom, caf::actor, std::string, std::string),
  // Let this actor, a `responder_actor`, answer an action's requests.
  caf::result<void>(register_atom, std::string, caf::actor),
  caf::result<void>(unregister_atom, std::string, caf::actor),
  // Ask whoever answers the action.
  caf::result<payload>(request_atom, std::string, payload, caf::timespan),
  // Ask the client of this connection.
  caf::result<payload>(request_atom, connection_id, std::string, payload,
                       caf::timespan),
  // Ask a client of this user, one of those that connected last.
  caf::result<payload>(request_atom, std::string, std::string, payload,
                       caf::timespan),
  // Send this actor every `lifecycle_event` from now on, or no longer.
  caf::result<void>(watch_atom, caf::actor),
  caf::result<void>(unwatch_atom, caf::actor),
  // Close a connection with a code and a reason.
  caf::result<void>(close_atom, connection_id, uint16_t, std::string),
  // Close all connections of a user; answered with how many there were.
  caf::result<uint64_t>(close_atom, std::string, uint16_t, std::string),
  // Some of the connections, and some of the topics: a page after the other.
  // `timeout` if a part of the node does not answer within 2 s, or all of it
  // takes over 4 s; `overloaded` if too many ask for topics; CAF's own error
  // if a part is gone.
  caf::result<connection_page>(lookup_atom, connection_query),
  caf::result<topic_page>(lookup_atom, topic_query),
  // Close everyone with `draining`; answered when the last one is gone.
  caf::result<void>(drain_atom),
  // The same, paced within this time and after their answers: see `drain_plan`.
  caf::result<void>(drain_atom, caf::timespan),
  // Let all topics and actions go by these rules, which somebody has checked:
  // see `net::server::reload`. Answered when they do, with how many topics keep
  // another durability as long as they live.
  caf::result<uint64_t>(reload_atom, rule_set_ptr)>;

/// Makes the actors of a node's loops and makes them known there. Called by the
/// server actor, on any thread.
class shard_host {
public:
  virtual ~shard_host() = default;

  virtual broker_ref make_broker(uint32_t index) = 0;

  virtual router_ref make_router(uint32_t index) = 0;

  virtual heartbeat_actor make_heartbeat_monitor(uint32_t index) = 0;

  /// Lets every loop use the broker shard; one that replaces another is asked
  /// for everything again.
  virtual void install(uint32_t index, const broker_ref& shard) = 0;

  virtual void install(uint32_t index, const router_ref& shard) = 0;

  virtual void install(uint32_t index, const heartbeat_actor& monitor) = 0;

  /// Tells that a part has died and was made again.
  virtual void
  log_restart(const char* what, uint32_t index, const caf::error& reason)
    = 0;
};

/// The head of a node: starts its shards, starts them again when they die, and
/// is whom applications talk to.
class server_actor : public server_handle::base {
public:
  /// @param host outlives the actor.
  server_actor(caf::actor_config& cfg, shard_host& host, node_context& node,
               pool_actor pool);

  const char* name() const override {
    return "callboard.server";
  }

  behavior_type make_behavior() override;

  /// Lets go of the applications' actors, which may have handles of this one.
  void on_exit() override;

private:
  struct registration {
    std::string action;
    caf::actor responder;
  };

  /// An embedded member of a group.
  struct membership {
    caf::actor_addr who;
    std::string topic;
    std::string group;
    /// Not that of another time in which it was one.
    uint64_t number = 0;
  };

  void down(const caf::down_msg& x);

  // @param user a full name, as `tenant_user` makes it.
  caf::result<position> push(const std::string& user, payload content);

  caf::result<position> publish(std::string topic, payload content,
                                publish_options options);

  // @param wrong what is wrong with the topic.
  caf::result<position> publish(std::string topic, subject_error wrong,
                                payload content, publish_options options);

  caf::result<position> where(const std::string& topic);

  caf::result<history_page> read_history(const std::string& topic,
                                         history_options&& options);

  // Asks the owner of a topic and delivers what `pick` takes of the answer.
  template <class Result, class F>
  caf::result<Result> ask_history(history_query x, F pick);

  caf::result<position, bool> join(const caf::actor& who,
                                   const std::string& topic,
                                   const group_options& options);

  // Makes it a member again, because the shard died that had it.
  void rejoin(const membership& x);

  // Does so in a while.
  void rejoin_later(const membership& x);

  [[nodiscard]] bool is_there(const membership& x) const;

  caf::result<void> leave(const caf::actor& who, const std::string& topic,
                          const std::string& group);

  // Forgets a membership.
  // @returns whether there was one.
  bool forget(const caf::actor_addr& who, const std::string& topic,
              const std::string& group);

  caf::result<void> respond(const std::string& action,
                            const caf::actor& responder);

  caf::result<void> unrespond(const std::string& action,
                              const caf::actor& responder);

  caf::result<payload> ask(const std::string& action, payload content,
                           caf::timespan timeout);

  caf::result<payload> ask(connection_id connection, const std::string& action,
                           const payload& content, caf::timespan timeout);

  caf::result<payload> ask(const std::string& user, const std::string& action,
                           const payload& content, caf::timespan timeout);

  caf::result<void> close(connection_id connection, uint16_t code,
                          const std::string& reason);

  caf::result<uint64_t> close(const std::string& user, uint16_t code,
                              const std::string& reason);

  struct connection_listing;
  struct topic_listing;

  caf::result<connection_page> list(const connection_query& x);

  // Asks some more of the connections.
  void go_on(const std::shared_ptr<connection_listing>& x);

  caf::result<topic_page> list(const topic_query& x);

  // Asks the loops, from this one on, for the topics' subscribers.
  void count_subscribers(uint32_t loop,
                         const std::shared_ptr<topic_listing>& x);

  // Returns how long somebody who is asked now has to answer.
  [[nodiscard]] caf::timespan time_left(caf::actor_clock::time_point end) const;

  caf::result<uint64_t> reload(rule_set_ptr rules);

  // Make shards that go by the newest rules.
  broker_ref make_broker(uint32_t index);
  router_ref make_router(uint32_t index);

  [[nodiscard]] const broker_ref& broker_of(std::string_view topic) const {
    return brokers_[shard_of(topic, node_.loops)];
  }

  // Returns whether it matters here when this actor dies.
  [[nodiscard]] bool watches(const caf::actor_addr& who) const;

  [[nodiscard]] const router_ref& router_of(std::string_view action) const {
    return routers_[shard_of(visible_name(action), node_.loops)];
  }

  [[nodiscard]] uint32_t loop_of(const caf::actor& who) const {
    return static_cast<uint32_t>(who.id() % node_.loops);
  }

  shard_host& host_;
  node_context& node_;
  pool_actor pool_;
  std::vector<broker_ref> brokers_;
  std::vector<router_ref> routers_;
  std::vector<heartbeat_actor> heartbeats_;
  std::vector<registration> registrations_;
  std::vector<membership> memberships_;
  uint64_t last_membership_ = 0;
  // In place of those that the node was started with; null: these hold.
  rule_set_ptr rules_;
};

} // namespace callboard
