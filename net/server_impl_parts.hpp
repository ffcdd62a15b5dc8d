#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>
#include <callboard/actors/heartbeat_monitor.hpp>
#include <callboard/actors/pool_manager.hpp>
#include <callboard/actors/router.hpp>
#include <callboard/net/admin_front.hpp>
#include <callboard/net/bound_socket.hpp>
#include <callboard/net/cluster/node.hpp>
#include <callboard/net/descriptors.hpp>
#include <callboard/net/listener.hpp>
#include <callboard/net/log.hpp>
#include <callboard/net/loop_service.hpp>
#include <callboard/net/random_text.hpp>
#include <callboard/net/server.hpp>
#include <callboard/net/server_parts.hpp>

// What a server is made of; for server.cpp only. Not installed.

namespace callboard::net {

/// The loops of one server, its listener and its actors.
struct server::impl final : shard_host {
  /// For a shard to write down what it has kept.
  static constexpr auto hand_over_timeout = std::chrono::seconds{30};

  /// For the other nodes to take the topics of this one.
  static constexpr caf::timespan retire_timeout = std::chrono::seconds{10};

  /// For the other nodes to learn that this one leaves.
  static constexpr caf::timespan leave_timeout = std::chrono::seconds{5};

  impl(caf::actor_system& sys, server_options options,
       std::unique_ptr<tls_source> tls, uint32_t loops)
    : shared{sys, std::move(options), std::move(tls), loops} {
  }

  // Spawns a shard on its loop.
  template <class T>
  auto make_shard(uint32_t index) {
    auto& loop = services[index]->loop();
    auto waiting = std::make_shared<mailbox_bytes>();
    auto actor = spawn_hosted<T>(shared.system, &loop, loop.context(), waiting);
    return shard_ref<decltype(actor)>{std::move(actor), std::move(waiting)};
  }

  // -- shard_host -------------------------------------------------------------

  broker_ref make_broker(uint32_t index) override {
    return make_shard<broker>(index);
  }

  router_ref make_router(uint32_t index) override {
    return make_shard<router>(index);
  }

  heartbeat_actor make_heartbeat_monitor(uint32_t index) override {
    auto& loop = services[index]->loop();
    return spawn_hosted<heartbeat_monitor>(shared.system, &loop,
                                           loop.context());
  }

  void install(uint32_t index, const broker_ref& shard) override {
    if (cluster)
      cluster->add(shard_kind::broker, index, shard.actor);
    on_every_loop([=](loop_service& service) {
      auto& ctx = service.loop().context();
      auto replaces = static_cast<bool>(ctx.brokers[index]);
      ctx.brokers[index] = shard;
      if (!replaces)
        return;
      shard_replaced(ctx, index);
      service.for_each_connection(
        [index](connection& x) { x.enter([&] { x.broker_replaced(index); }); });
    });
  }

  void install(uint32_t index, const router_ref& shard) override {
    if (cluster)
      cluster->add(shard_kind::router, index, shard.actor);
    on_every_loop([=](loop_service& service) {
      auto& ctx = service.loop().context();
      auto replaces = static_cast<bool>(ctx.routers[index]);
      ctx.routers[index] = shard;
      if (!replaces)
        return;
      service.for_each_connection(
        [index](connection& x) { x.enter([&] { x.router_replaced(index); }); });
    });
  }

  void install(uint32_t index, const heartbeat_actor& monitor) override {
    auto& service = *services[index];
    service.loop().post([&service, monitor] {
      service.loop().context().heartbeats = monitor;
      service.watch_heartbeats();
    });
  }

  void log_restart(const char* what, uint32_t index,
                   const caf::error& reason) override {
    logger("actors")->error("actor_restarted actor={} shard={} reason=\"{}\"",
                            what, index, to_string(reason));
  }

  // -- starting and ending ----------------------------------------------------

  caf::error start(bound_socket& socket, admin_entrance entrance) {
    auto& options = shared.options;
    port = listener::port_of(socket.get());
    auto& node = shared.node;
    node.options = options.node;
    node.rights = options.rights;
    for (auto done : {true, false})
      reload_counter(shared.system, done);
    make_admin_counters(shared.system.metrics());
    node.name = options.node_name.empty() ? random_text(4) : options.node_name;
    node.incarnation = random_text(6);
    if (auto& names = options.cluster.store_nodes; !names.empty())
      node.stores = caf::make_counted<store_nodes>(names, node.options.topics);
    for (uint32_t i = 0; i < node.loops; ++i)
      services.push_back(std::make_unique<loop_service>(shared, i));
    pool = spawn_hosted<pool_manager>(shared.system, &services[0]->loop(),
                                      node);
    for (auto& x : services) {
      auto& ctx = x->loop().context();
      ctx.brokers.resize(node.loops);
      ctx.routers.resize(node.loops);
      ctx.pool = pool;
    }
    front = std::make_unique<listener>(
      services[0]->loop(), socket.release(), [this](int accepted) {
        services[shared.admitted.least_loaded()]->take(accepted);
      });
    if (cluster)
      cluster->start(node, shared.admitted, services[0]->loop(),
                     options.on_ready);
    head = shared.system.spawn<server_actor>(std::ref<shard_host>(*this),
                                             std::ref(node), pool);
    if (entrance.socket)
      admin = std::make_unique<admin_front>(shared, *services[0], head,
                                            cluster ? cluster->gate()
                                                    : caf::actor{},
                                            std::move(entrance));
    for (auto& x : services)
      x->loop().start();
    // The head installs the shards first; only then are clients let in.
    caf::scoped_actor self{shared.system};
    self->request(head, caf::infinite, unwatch_atom_v, caf::actor{self})
      .receive([] {}, [](const caf::error&) {});
    if (cluster)
      if (auto failed = cluster->listen())
        return failed;
    on_loop_zero([this] {
      front->start();
      if (admin)
        admin->start();
    });
    // Else the cluster tells.
    if (options.on_ready && options.cluster.join.empty())
      options.on_ready();
    return {};
  }

  void drain() {
    if (ended)
      return;
    auto span = shared.options.drain_timeout;
    auto until = std::chrono::steady_clock::now() + span;
    shared.node.draining = true;
    on_loop_zero([this] { front->stop(); });
    logger("net")->info("drain_started connections={}",
                        shared.admitted.connections());
    auto clients_until = until;
    if (cluster) {
      // A node without topics is still one by which its clients publish and
      // hear everything.
      auto leave_span = std::min<caf::timespan>(span / 5, leave_timeout);
      clients_until -= leave_span;
      cluster->retire(std::min<caf::timespan>(span / 2, retire_timeout));
      span = std::max<caf::timespan>(
        clients_until - std::chrono::steady_clock::now(), caf::timespan{0});
    }
    on_every_loop([](loop_service& x) { x.turn_away(); });
    caf::scoped_actor self{shared.system};
    self->request(head, span, drain_atom_v, span)
      .receive([] {}, [](const caf::error&) {});
    // The actors are done; their sockets send what waits and see the close
    // through.
    while (shared.admitted.connections() > 0
           && std::chrono::steady_clock::now() < clients_until)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
    if (cluster)
      cluster->leave(
        std::clamp<caf::timespan>(until - std::chrono::steady_clock::now(),
                                  caf::timespan{0}, leave_timeout));
    if (shared.node.store != nullptr)
      hand_over(self);
    logger("net")->info("drain_ended connections={}",
                        shared.admitted.connections());
  }

  // Lets the shards leave to the store what the next run is to have.
  void hand_over(caf::scoped_actor& self) {
    auto failed = false;
    for (auto& x : services) {
      broker_actor shard;
      on_loop(*x, [&] {
        auto& ctx = x->loop().context();
        shard = ctx.brokers[ctx.index].actor;
      });
      self->request(shard, hand_over_timeout, drain_atom_v)
        .receive([] {}, [&failed](const caf::error&) { failed = true; });
    }
    handed_over = !failed;
  }

  void stop() {
    if (std::exchange(ended, true))
      return;
    shared.node.draining = true;
    caf::anon_send_exit(head, caf::exit_reason::kill);
    {
      // It lives on the scheduler and uses what is about to go.
      caf::scoped_actor self{shared.system};
      self->wait_for(head);
    }
    if (cluster)
      cluster->stop();
    on_loop_zero([this] {
      front->stop();
      if (admin)
        admin->stop();
    });
    for (auto& x : services)
      on_loop(*x, [&service = *x] { service.end_all(); });
    for (auto& x : services)
      on_loop(*x, [&service = *x] {
        auto& ctx = service.loop().context();
        auto index = ctx.index;
        for (auto& kill :
             {caf::actor_cast<caf::actor>(ctx.brokers[index].actor),
              caf::actor_cast<caf::actor>(ctx.routers[index].actor),
              caf::actor_cast<caf::actor>(ctx.heartbeats)})
          caf::anon_send_exit(kill, caf::exit_reason::kill);
        if (index == 0)
          caf::anon_send_exit(ctx.pool, caf::exit_reason::kill);
      });
    // A loop ends when it has nothing left to resume.
    for (auto& x : services)
      x->loop().stop();
    if (handed_over)
      shared.node.store->finish();
  }

  // -- other options ----------------------------------------------------------

  caf::error reload(reload_options x) {
    std::lock_guard guard{reloading};
    auto wanted = shared.options;
    x.apply_to(wanted);
    if (auto wrong = check(wanted); !wrong.empty())
      return caf::make_error(caf::sec::invalid_argument, std::move(wrong));
    // Other nodes would look for a topic elsewhere.
    if (cluster
        && durable_rules(x.topics) != durable_rules(shared.options.node.topics))
      return caf::make_error(caf::sec::invalid_argument,
                             std::string{
                               "the durability of topics cannot change while "
                               "the node is in a cluster: start all nodes "
                               "again"});
    auto files = read_files();
    if (!files)
      return std::move(files.error());
    // Nothing is wrong: from here on it counts.
    for (auto& commit : *files)
      commit();
    reserve_descriptors(descriptors_of(wanted, shared.node.loops));
    shared.set_limits(x.clients, x.front);
    auto limits = std::make_shared<const client_limits>(x.clients);
    on_every_loop([origins = std::move(x.origins),
                   limits = std::move(limits)](loop_service& service) {
      service.change(origins, limits);
    });
    return set_rules(std::move(x.topics), std::move(x.action_rules));
  }

  // Returns how many descriptors clients may have.
  static size_t descriptors_of(const server_options& x, size_t loops) noexcept {
    return x.node.connections_max + loops * loop_service::http_sessions_max;
  }

  // Reads everything anew that stands in files.
  // @returns what makes it count.
  caf::expected<commits> read_files() {
    read_function certificates = [this] { return shared.tls->reload(); };
    read_function key;
    if (admin)
      key = [this] { return admin->reload(); };
    return net::read_files(
      {&shared.options.rights.reload, &certificates, &key});
  }

  // Returns when all topics and actions go by the rules.
  caf::error set_rules(std::vector<topic_rule> topics,
                       std::vector<action_rule> actions) {
    caf::error result;
    auto set = caf::make_counted<rule_set>(std::move(topics),
                                           std::move(actions));
    caf::scoped_actor self{shared.system};
    self->request(head, caf::infinite, reload_atom_v, set)
      .receive(
        [&set](uint64_t unlike) {
          logger("net")->info("rules_replaced rules={} action_rules={}",
                              set->topics.size(), set->actions.size());
          if (unlike > 0)
            logger("net")->warn("durability_kept topics={}", unlike);
        },
        [&result](caf::error& why) { result = std::move(why); });
    return result;
  }

  // -- threads ----------------------------------------------------------------

  template <class F>
  void on_every_loop(F f) {
    for (auto& x : services)
      x->loop().post([&service = *x, f] { f(service); });
  }

  // Runs `f` on a loop's thread and waits for it.
  template <class F>
  static void on_loop(loop_service& service, F f) {
    std::promise<void> done;
    service.loop().post([&] {
      f();
      done.set_value();
    });
    done.get_future().wait();
  }

  template <class F>
  void on_loop_zero(F f) {
    on_loop(*services[0], std::move(f));
  }

  server_context shared;
  std::vector<std::unique_ptr<loop_service>> services;
  std::unique_ptr<listener> front;
  std::unique_ptr<admin_front> admin;
  // Null: there is none.
  std::unique_ptr<cluster_node> cluster;
  pool_actor pool;
  server_handle head;
  uint16_t port = 0;
  bool ended = false;
  std::mutex reloading;
  // Whether the store has all that the next run is to have.
  bool handed_over = false;
};

} // namespace callboard::net
