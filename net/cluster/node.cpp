#include <callboard/net/cluster/node.hpp>

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include <callboard/actors/cluster/cluster_actor.hpp>
#include <callboard/actors/hosted.hpp>
#include <callboard/actors/metrics.hpp>
#include <callboard/net/cluster/basp.hpp>
#include <callboard/net/cluster/dialer.hpp>
#include <callboard/net/cluster/news.hpp>
#include <callboard/net/cluster/seeds.hpp>
#include <callboard/net/log.hpp>
#include <callboard/net/version.hpp>

namespace callboard::net {

namespace {

// For another node to take a connection.
constexpr auto probe_timeout = std::chrono::seconds{1};

uint64_t random_number() {
  std::random_device source;
  return uint64_t{source()} << 32 | source();
}

// Returns what tells the node's load. Any thread.
std::function<node_load()> make_load(caf::actor_system& sys,
                                     const node_context& node,
                                     const admission& places) {
  std::vector<loop_metrics> loops;
  for (uint32_t i = 0; i < node.loops; ++i)
    loops.push_back(make_loop_metrics(sys.metrics(), i));
  return [&node, &places, loops = std::move(loops)] {
    load_reading result;
    result.sheds = node.joining;
    for (auto& x : loops) {
      result.score = std::max(result.score, x.load_score->value());
      result.sheds = result.sheds || x.load_stage->value() > 0;
    }
    result.low = node.load_low;
    result.connections = places.connections();
    result.connections_max = places.connections_max();
    result.draining = node.draining;
    return load_of(result);
  };
}

} // namespace

caf::expected<std::unique_ptr<cluster_node>>
cluster_node::make(caf::actor_system& sys, const cluster_settings& settings) {
  auto port = cluster_port::make(sys, settings);
  if (!port)
    return std::move(port.error());
  return std::make_unique<cluster_node>(sys, settings, std::move(*port));
}

cluster_node::cluster_node(caf::actor_system& sys, cluster_settings settings,
                           cluster_port port)
  : system_{sys}, settings_{std::move(settings)}, port_{std::move(port)} {
}

cluster_node::~cluster_node() {
  stop();
}

void cluster_node::start(node_context& node, const admission& places,
                         io_loop& home, std::function<void()> joined) {
  node.joining = !settings_.join.empty();
  home_ = &home;
  network_ = std::make_shared<loop_network>(home.io(), probe_timeout);
  cluster_dialer::setup dialer;
  dialer.settings = settings_;
  dialer.network = network_;
  dialer.transport = port_.transport();
  dialer.give_up = [this](const std::string& ip, uint16_t port) {
    end_handshakes(system_, ip, port);
  };
  dialer.hang_up = [this](const caf::node_id& x) {
    end_connection(system_, x);
  };
  dialer.random_seed = random_number();
  dialer_ = spawn_hosted<cluster_dialer>(system_, &home, std::move(dialer));
  cluster_options options;
  options.name = settings_.name;
  options.version = version();
  options.heartbeat = settings_.heartbeat;
  options.timeout = settings_.timeout;
  options.outbox_bytes_max = settings_.outbox_bytes_max;
  options.random_seed = random_number();
  options.load = make_load(system_, node, places);
  options.ready = [&node, joined = std::move(joined)] {
    if (node.joining.exchange(false) && joined)
      joined();
  };
  options.log = log_cluster_news;
  options.stores = node.stores;
  member self{node.name,  node.incarnation, address(),
              node.loops, member_state::up, {}};
  for (auto& x : settings_.advertise)
    self.urls.push_back(advertised_url(x));
  if (node.stores != nullptr)
    self.stores = node.stores->digest();
  gate_ = system_.spawn<cluster_actor>(std::move(options), std::move(self),
                                       dialer_);
}

caf::error cluster_node::listen() {
  if (auto failed = port_.publish(gate_))
    return failed;
  seeds_ = spawn_hosted<cluster_seeds>(system_, home_, gate_,
                                       std::move(network_), settings_.join);
  return {};
}

caf::error cluster_node::join(std::vector<std::string> addresses) {
  auto settings = settings_;
  settings.join = addresses;
  if (auto wrong = check(settings); !wrong.empty())
    return caf::make_error(caf::sec::invalid_argument, std::move(wrong));
  for (auto& x : addresses)
    caf::anon_send(seeds_, join_atom_v, std::move(x));
  return {};
}

void cluster_node::retire(caf::timespan timeout) {
  caf::scoped_actor self{system_};
  self->request(gate_, timeout, drain_atom_v)
    .receive([] { logger("net")->info("cluster_handed_over"); },
             [](const caf::error& why) {
               logger("net")->warn("cluster_not_handed_over reason=\"{}\"",
                                   to_string(why));
             });
}

void cluster_node::leave(caf::timespan timeout) {
  caf::scoped_actor self{system_};
  self->request(gate_, timeout, leave_atom_v)
    .receive([] { logger("net")->info("cluster_left"); },
             [](const caf::error& why) {
               logger("net")->warn("cluster_not_left reason=\"{}\"",
                                   to_string(why));
             });
}

void cluster_node::stop() {
  if (!gate_)
    return;
  port_.close();
  caf::scoped_actor self{system_};
  // In this order: who is asked goes after who asks.
  for (auto* x : {&seeds_, &gate_, &dialer_}) {
    if (!*x)
      continue;
    caf::anon_send_exit(*x, caf::exit_reason::kill);
    self->wait_for(*x);
    *x = nullptr;
  }
}

void cluster_node::add_shard(shard_kind kind, uint32_t index,
                             caf::actor shard) {
  caf::anon_send(gate_, cluster_atom_v, static_cast<uint8_t>(kind), index,
                 std::move(shard));
}

} // namespace callboard::net
