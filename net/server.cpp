#include <callboard/net/server.hpp>

#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <caf/make_counted.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>
#include <callboard/actors/heartbeat_monitor.hpp>
#include <callboard/actors/pool_manager.hpp>
#include <callboard/actors/router.hpp>
#include <callboard/net/admin_front.hpp>
#include <callboard/net/bound_socket.hpp>
#include <callboard/net/client_init.hpp>
#include <callboard/net/descriptors.hpp>
#include <callboard/net/listener.hpp>
#include <callboard/net/log.hpp>
#include <callboard/net/loop_service.hpp>
#include <callboard/net/random_text.hpp>
#include <callboard/net/server_parts.hpp>

namespace callboard::net {

namespace {

// For a shard to write down what it has kept.
constexpr auto hand_over_timeout = std::chrono::seconds{30};

} // namespace

void init() {
  init_client();
}

/// The loops of one server, its listener and its actors.
struct server::impl final : shard_host {
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

  void start(bound_socket& socket, admin_entrance entrance) {
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
    head = shared.system.spawn<server_actor>(std::ref<shard_host>(*this),
                                             std::ref(node), pool);
    if (entrance.socket)
      admin = std::make_unique<admin_front>(shared, *services[0], head,
                                            std::move(entrance));
    for (auto& x : services)
      x->loop().start();
    // The head installs the shards first; only then are clients let in.
    caf::scoped_actor self{shared.system};
    self->request(head, caf::infinite, unwatch_atom_v, caf::actor{self})
      .receive([] {}, [](const caf::error&) {});
    on_loop_zero([this] {
      front->start();
      if (admin)
        admin->start();
    });
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
    on_every_loop([](loop_service& x) { x.turn_away(); });
    caf::scoped_actor self{shared.system};
    self->request(head, span, drain_atom_v, span)
      .receive([] {}, [](const caf::error&) {});
    // The actors are done; their sockets send what waits and see the close
    // through.
    while (shared.admitted.connections() > 0
           && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds{5});
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
    wanted.node.topics = x.topics;
    wanted.origins = x.origins;
    if (auto wrong = check(wanted); !wrong.empty())
      return caf::make_error(caf::sec::invalid_argument, std::move(wrong));
    auto files = read_files();
    if (!files)
      return std::move(files.error());
    // Nothing is wrong: from here on it counts.
    for (auto& commit : *files)
      commit();
    on_every_loop([origins = std::move(x.origins)](loop_service& service) {
      service.set_origins(origins);
    });
    return set_rules(std::move(x.topics));
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

  // Returns when all topics go by the rules.
  caf::error set_rules(std::vector<topic_rule> rules) {
    caf::error result;
    auto n = rules.size();
    auto set = caf::make_counted<rule_set>(std::move(rules));
    caf::scoped_actor self{shared.system};
    self->request(head, caf::infinite, reload_atom_v, std::move(set))
      .receive(
        [n](uint64_t unlike) {
          logger("net")->info("rules_replaced rules={}", n);
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
  pool_actor pool;
  server_handle head;
  uint16_t port = 0;
  bool ended = false;
  std::mutex reloading;
  // Whether the store has all that the next run is to have.
  bool handed_over = false;
};

server::server(std::unique_ptr<impl> x) : impl_{std::move(x)} {
}

server::~server() {
  stop();
}

caf::expected<std::unique_ptr<server>> server::start(caf::actor_system& sys,
                                                     server_options options) {
  if (auto wrong = check(options); !wrong.empty())
    return caf::make_error(caf::sec::invalid_argument, std::move(wrong));
  auto loops = options.loops != 0
                 ? options.loops
                 : std::max<size_t>(std::thread::hardware_concurrency(), 1);
  auto tls = std::make_unique<tls_source>(options.tls);
  if (auto failed = tls->load())
    return failed;
  auto descriptor = listener::bind(options.address, options.port);
  if (!descriptor)
    return descriptor.error();
  bound_socket socket{*descriptor};
  auto entrance = admin_entrance::open(options.admin);
  if (!entrance)
    return std::move(entrance.error());
  if (options.on_bound)
    if (auto failed = options.on_bound())
      return failed;
  reserve_descriptors(options.node.connections_max
                      + loops * loop_service::http_sessions_max);
  auto made = std::make_unique<impl>(sys, std::move(options), std::move(tls),
                                     static_cast<uint32_t>(loops));
  try {
    made->start(socket, std::move(*entrance));
  } catch (const boost::system::system_error& e) {
    return caf::make_error(caf::sec::runtime_error, std::string{e.what()});
  }
  return std::unique_ptr<server>{new server{std::move(made)}};
}

const server_handle& server::handle() const noexcept {
  return impl_->head;
}

uint16_t server::port() const noexcept {
  return impl_->port;
}

std::string server::url() const {
  auto& address = impl_->shared.options.address;
  auto v6 = address.find(':') != std::string::npos;
  auto scheme = impl_->shared.options.tls.enabled() ? "https://" : "http://";
  return scheme + (v6 ? '[' + address + ']' : address) + ':'
         + std::to_string(impl_->port) + '/';
}

std::string server::admin_url() const {
  return impl_->admin ? impl_->admin->url() : std::string{};
}

caf::error server::reload(reload_options x) {
  auto failed = impl_->reload(std::move(x));
  count_reload(impl_->shared.system, !failed);
  return failed;
}

void server::drain() {
  impl_->drain();
}

void server::stop() {
  impl_->stop();
}

} // namespace callboard::net
