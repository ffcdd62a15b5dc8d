#include <callboard/actors/server_actor.hpp>

#include <algorithm>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/durable_topics.hpp>
#include <callboard/messages/topic.hpp>

namespace callboard {

namespace {

template <class Handle>
const Handle& actor_of(const shard_ref<Handle>& x) {
  return x.actor;
}

const heartbeat_actor& actor_of(const heartbeat_actor& x) {
  return x;
}

} // namespace

server_actor::server_actor(caf::actor_config& cfg, shard_host& host,
                           node_context& node, pool_actor pool)
  : server_handle::base{cfg}, host_{host}, node_{node}, pool_{std::move(pool)} {
}

server_actor::behavior_type server_actor::make_behavior() {
  set_down_handler([this](const caf::down_msg& x) { down(x); });
  monitor(pool_);
  for (uint32_t i = 0; i < node_.loops; ++i) {
    monitor(brokers_.emplace_back(host_.make_broker(i)).actor);
    monitor(routers_.emplace_back(host_.make_router(i)).actor);
    monitor(heartbeats_.emplace_back(host_.make_heartbeat_monitor(i)));
  }
  for (uint32_t i = 0; i < node_.loops; ++i) {
    host_.install(i, brokers_[i]);
    host_.install(i, routers_[i]);
    host_.install(i, heartbeats_[i]);
  }
  return {
    [this](publish_atom, std::string& topic, payload& content) {
      return publish(std::move(topic), std::move(content), {});
    },
    [this](publish_atom, std::string& topic, payload& content,
           std::string& key) {
      return publish(std::move(topic), std::move(content),
                     {std::move(key), {}});
    },
    [this](publish_atom, std::string& topic, payload& content,
           publish_options& options) {
      return publish(std::move(topic), std::move(content), std::move(options));
    },
    [this](push_atom, const std::string& user, payload& content) {
      return push(user, std::move(content));
    },
    [this](subscribe_atom, const caf::actor& who, const std::string& subject) {
      return delegate(brokers_[loop_of(who)].actor, subscribe_atom_v, who,
                      subject);
    },
    [this](subscribe_atom, const caf::actor& who, const std::string& subject,
           position& since) {
      return delegate(brokers_[loop_of(who)].actor, subscribe_atom_v, who,
                      subject, std::move(since));
    },
    [this](subscribe_atom, presence_atom, const caf::actor& who,
           const std::string& subject) {
      return delegate(brokers_[loop_of(who)].actor, subscribe_atom_v,
                      presence_atom_v, who, subject);
    },
    [this](presence_atom, const std::string& topic) {
      return delegate(broker_of(topic).actor, presence_atom_v, topic);
    },
    [this](presence_atom, const std::string& topic, uint32_t limit,
           const std::string& after) {
      return delegate(broker_of(topic).actor, presence_atom_v, topic, limit,
                      after);
    },
    [this](history_atom, const std::string& topic) { return where(topic); },
    [this](history_atom, const std::string& topic, history_options& x) {
      return read_history(topic, std::move(x));
    },
    [this](unsubscribe_atom, const caf::actor& who,
           const std::string& subject) {
      return delegate(brokers_[loop_of(who)].actor, unsubscribe_atom_v, who,
                      subject);
    },
    [this](subscribe_atom, const caf::actor& who, const std::string& topic,
           const group_options& x) { return join(who, topic, x); },
    [this](unsubscribe_atom, const caf::actor& who, const std::string& topic,
           const std::string& group) { return leave(who, topic, group); },
    [this](register_atom, const std::string& action, const caf::actor& who) {
      return respond(action, who);
    },
    [this](unregister_atom, const std::string& action, const caf::actor& who) {
      return unrespond(action, who);
    },
    [this](request_atom, const std::string& action, payload& content,
           caf::timespan timeout) {
      return ask(action, std::move(content), timeout);
    },
    [this](request_atom, connection_id who, const std::string& action,
           const payload& content, caf::timespan timeout) {
      return ask(who, action, content, timeout);
    },
    [this](request_atom, const std::string& user, const std::string& action,
           const payload& content, caf::timespan timeout) {
      return ask(user, action, content, timeout);
    },
    [this](watch_atom, const caf::actor& who) {
      return delegate(pool_, watch_atom_v, who);
    },
    [this](unwatch_atom, const caf::actor& who) {
      return delegate(pool_, unwatch_atom_v, who);
    },
    [this](close_atom, connection_id who, uint16_t code,
           const std::string& reason) { return close(who, code, reason); },
    [this](close_atom, const std::string& user, uint16_t code,
           const std::string& reason) { return close(user, code, reason); },
    [this](lookup_atom, const connection_query& x) { return list(x); },
    [this](lookup_atom, const topic_query& x) { return list(x); },
    [this](drain_atom) { return delegate(pool_, drain_atom_v); },
    [this](drain_atom, caf::timespan span) {
      return delegate(pool_, drain_atom_v, span);
    },
    [this](reload_atom, rule_set_ptr& rules) {
      return reload(std::move(rules));
    },
  };
}

void server_actor::on_exit() {
  registrations_.clear();
  memberships_.clear();
  brokers_.clear();
  routers_.clear();
  heartbeats_.clear();
  pool_ = nullptr;
}

void server_actor::down(const caf::down_msg& x) {
  auto replace = [&](auto& shards, const char* what, auto&& make) {
    for (uint32_t i = 0; i < shards.size(); ++i) {
      if (actor_of(shards[i]).address() != x.source)
        continue;
      shards[i] = make(i);
      monitor(actor_of(shards[i]));
      host_.install(i, shards[i]);
      host_.log_restart(what, i, x.reason);
    }
  };
  std::erase_if(memberships_,
                [&](const membership& y) { return y.who == x.source; });
  replace(brokers_, "broker", [this](auto i) {
    auto shard = make_broker(i);
    brokers_[i] = shard;
    auto members = memberships_;
    for (auto& y : members)
      if (shard_of(y.topic, node_.loops) == i)
        rejoin(y);
    return shard;
  });
  replace(heartbeats_, "heartbeat_monitor",
          [this](auto i) { return host_.make_heartbeat_monitor(i); });
  replace(routers_, "router", [this](auto i) {
    auto shard = make_router(i);
    for (auto& [action, responder] : registrations_)
      if (shard_of(action, node_.loops) == i)
        caf::anon_send(shard.actor, register_atom_v, action, responder);
    return shard;
  });
  std::erase_if(registrations_, [&](const registration& y) {
    return y.responder.address() == x.source;
  });
  // Nobody else knows the node's connections: there is no going on.
  if (pool_.address() == x.source)
    quit(x.reason);
}

caf::result<position, bool> server_actor::join(const caf::actor& who,
                                               const std::string& topic,
                                               const group_options& options) {
  auto& group = options.group;
  auto address = who.address();
  auto known = std::ranges::any_of(memberships_, [&](const membership& x) {
    return x.who == address && x.topic == topic && x.group == group;
  });
  if (!known) {
    if (!watches(address))
      monitor(who);
    // At once, because it may leave before the answer is there.
    memberships_.push_back({address, topic, group, ++last_membership_});
  }
  auto promise = make_response_promise<position, bool>();
  request(broker_of(topic).actor, caf::infinite, subscribe_atom_v, who, topic,
          options, false)
    .then(
      [promise](position& where, bool whole) mutable {
        promise.deliver(std::move(where), whole);
      },
      [=, this](caf::error& why) mutable {
        if (!known)
          forget(address, topic, group);
        if (why.category() != caf::type_id_v<errc>) {
          // The shard died. Its successor may have been asked already.
          if (!known)
            caf::anon_send(broker_of(topic).actor, unsubscribe_atom_v, who,
                           topic, group);
          why = caf::make_error(errc::internal);
        }
        promise.deliver(std::move(why));
      });
  return promise;
}

void server_actor::rejoin(const membership& x) {
  auto who = caf::actor_cast<caf::actor>(x.who);
  if (!who)
    return;
  request(broker_of(x.topic).actor, caf::infinite, subscribe_atom_v, who,
          x.topic, group_options{x.group, {}}, true)
    .then(
      // This may take a while, and does not keep the actor alive.
      [x](const position& where, bool) {
        // The topic has started over.
        caf::anon_send(caf::actor_cast<caf::actor>(x.who), x.topic, where);
      },
      [this, x](const caf::error& why) {
        // Where this one has died too, its successor is asked.
        if (why.category() != caf::type_id_v<errc> || why == errc::internal
            || !is_there(x))
          return;
        // Nobody can serve the topic for now.
        if (why == errc::owner_down)
          return rejoin_later(x);
        forget(x.who, x.topic, x.group);
        caf::anon_send(caf::actor_cast<caf::actor>(x.who), unsubscribe_atom_v,
                       x.topic, position{});
      });
}

void server_actor::rejoin_later(const membership& x) {
  auto again = [this, x, shard = broker_of(x.topic).actor] {
    // A new shard was asked when it began.
    if (is_there(x) && broker_of(x.topic).actor == shard)
      rejoin(x);
  };
  run_delayed(store_retry_interval, std::move(again));
}

bool server_actor::is_there(const membership& x) const {
  auto& all = memberships_;
  return std::ranges::find(all, x.number, &membership::number) != all.end();
}

caf::result<void> server_actor::leave(const caf::actor& who,
                                      const std::string& topic,
                                      const std::string& group) {
  forget(who.address(), topic, group);
  return delegate(broker_of(topic).actor, unsubscribe_atom_v, who, topic,
                  group);
}

bool server_actor::forget(const caf::actor_addr& who, const std::string& topic,
                          const std::string& group) {
  auto found = std::erase_if(memberships_, [&](const membership& x) {
    return x.who == who && x.topic == topic && x.group == group;
  });
  if (found > 0 && !watches(who))
    demonitor(who);
  return found > 0;
}

bool server_actor::watches(const caf::actor_addr& who) const {
  auto is_responder = [&who](const registration& x) {
    return x.responder.address() == who;
  };
  return std::ranges::find(memberships_, who, &membership::who)
           != memberships_.end()
         || std::ranges::any_of(registrations_, is_responder);
}

caf::result<void> server_actor::respond(const std::string& action,
                                        const caf::actor& responder) {
  if (auto wrong = check_action(action); wrong != subject_error::none)
    return caf::make_error(errc::bad_subject, std::string{to_sentence(wrong)});
  auto same = [&](const registration& x) {
    return x.action == action && x.responder == responder;
  };
  if (std::ranges::none_of(registrations_, same)) {
    monitor(responder);
    registrations_.push_back({action, responder});
  }
  return delegate(router_of(action).actor, register_atom_v, action, responder);
}

caf::result<void> server_actor::unrespond(const std::string& action,
                                          const caf::actor& responder) {
  std::erase_if(registrations_, [&](const registration& x) {
    return x.action == action && x.responder == responder;
  });
  return delegate(router_of(action).actor, unregister_atom_v, action,
                  responder);
}

caf::result<payload> server_actor::ask(const std::string& action,
                                       payload content, caf::timespan timeout) {
  auto& shard = router_of(action);
  if (node_.congested(shard))
    return caf::make_error(errc::overloaded);
  auto x = caf::make_counted<routed_request>();
  x->content.action = action;
  x->content.payload = std::move(content);
  x->timeout = timeout;
  shard.waiting->add(x->cost());
  return delegate(shard.actor, request_atom_v, std::move(x));
}

caf::result<payload>
server_actor::ask(connection_id connection, const std::string& action,
                  const payload& content, caf::timespan timeout) {
  auto promise = make_response_promise<payload>();
  request(pool_, caf::infinite, lookup_atom_v, connection)
    .then(
      [=](const caf::strong_actor_ptr& found) mutable {
        promise.delegate(caf::actor_cast<connection_actor>(found),
                         request_atom_v, action, content, timeout);
      },
      [=](caf::error& x) mutable { promise.deliver(std::move(x)); });
  return promise;
}

caf::result<payload>
server_actor::ask(const std::string& user, const std::string& action,
                  const payload& content, caf::timespan timeout) {
  auto promise = make_response_promise<payload>();
  request(pool_, caf::infinite, lookup_atom_v, user)
    .then(
      [=](const std::vector<caf::strong_actor_ptr>& found) mutable {
        if (found.empty())
          promise.deliver(caf::make_error(errc::no_responder));
        else
          promise.delegate(caf::actor_cast<connection_actor>(found.back()),
                           request_atom_v, action, content, timeout);
      },
      [=](caf::error& x) mutable { promise.deliver(std::move(x)); });
  return promise;
}

caf::result<void> server_actor::close(connection_id connection, uint16_t code,
                                      const std::string& reason) {
  auto promise = make_response_promise<void>();
  request(pool_, caf::infinite, lookup_atom_v, connection)
    .then(
      [=](const caf::strong_actor_ptr& found) mutable {
        caf::anon_send(caf::actor_cast<connection_actor>(found), close_atom_v,
                       code, reason);
        promise.deliver();
      },
      [=](caf::error& x) mutable { promise.deliver(std::move(x)); });
  return promise;
}

} // namespace callboard
