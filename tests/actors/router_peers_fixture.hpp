#pragma once

#include <callboard/actors/router.hpp>

#include <initializer_list>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/tenant_space.hpp>

#include "actors/router_fixture.hpp"

namespace callboard {

/// A node with its routers, and whom others reach it by.
struct router_site {
  null_framing wire;
  node_context node;
  mailbox_bytes_ptr waiting = std::make_shared<mailbox_bytes>();
  std::vector<std::unique_ptr<loop_context>> loops;
  std::vector<router_actor> routers;
  caf::actor gate;
  /// What the links to others have carried, by site.
  std::vector<link_traffic_ptr> traffic;
  /// Its incarnation.
  uint64_t run = 1;
  bool up = true;
  /// Whether what others send waits.
  bool cut = false;
  std::vector<peer_batch> held;
};

/// Nodes whose routers talk to each other, by whole frames. A site's slot is
/// its index, at all others.
struct router_peers_fixture : router_fixture {
  ~router_peers_fixture() override {
    for (size_t n = 0; n < sites.size(); ++n)
      stop_site(n);
  }

  // -- nodes ------------------------------------------------------------------

  /// Adds nodes with so many loops each, of which the others do not know yet.
  void add_sites(std::initializer_list<uint32_t> loops) {
    for (auto count : loops) {
      sites.push_back(std::make_unique<router_site>());
      sites.back()->node.loops = count;
      start_site(sites.size() - 1);
    }
    for (auto& x : sites)
      while (x->traffic.size() < sites.size())
        x->traffic.push_back(std::make_shared<link_traffic>());
  }

  /// Adds nodes of one loop each, who know each other.
  void begin(size_t count) {
    for (size_t n = 0; n < count; ++n)
      add_sites({1});
    introduce();
  }

  void start_site(size_t n) {
    auto& x = *sites[n];
    x.gate = sys.spawn([this, n] {
      return caf::behavior{[this, n](const peer_batch& y) { arrive(n, y); }};
    });
    for (uint32_t i = 0; i < x.node.loops; ++i) {
      auto label = static_cast<uint32_t>(100 * (n + 1)) + i;
      x.loops.push_back(std::make_unique<loop_context>(
        x.node, i, x.wire, make_loop_metrics(sys.metrics(), label)));
      x.routers.push_back(
        spawn_hosted<router>(sys, nullptr, *x.loops.back(), x.waiting));
    }
    sched.run();
  }

  void stop_site(size_t n) {
    auto& x = *sites[n];
    stop(x.gate);
    for (auto& y : x.routers)
      stop(y);
    x.routers.clear();
    x.loops.clear();
    x.held.clear();
  }

  /// A node ends, and begins anew without knowing anybody.
  void restart_site(size_t n) {
    stop_site(n);
    ++sites[n]->run;
    start_site(n);
  }

  /// A router shard dies and has a successor.
  void restart_router(size_t n, uint32_t shard = 0) {
    auto& x = *sites[n];
    stop(x.routers[shard]);
    x.routers[shard] = spawn_hosted<router>(sys, nullptr, *x.loops[shard],
                                            x.waiting);
    caf::anon_send(x.routers[shard], cluster_atom_v,
                   x.loops[shard]->peers.shared_nodes());
    turn();
  }

  /// Tells a node who is there.
  void introduce(size_t n) {
    auto set = caf::make_counted<peer_set>();
    set->number = view;
    set->slots.resize(sites.size());
    auto& me = *sites[n];
    for (size_t i = 0; i < sites.size(); ++i) {
      auto& x = *sites[i];
      if (i == n || !x.up)
        continue;
      member who;
      who.name = "node-" + std::to_string(i);
      who.incarnation = std::to_string(x.run);
      who.loops = x.node.loops;
      set->slots[i] = peer_node{who, x.gate, n << 32 | me.run, me.traffic[i]};
    }
    peer_set_ptr shared{std::move(set)};
    for (auto& loop : me.loops)
      loop->peers.install(shared);
    for (auto& x : me.routers)
      caf::anon_send(x, cluster_atom_v, shared);
  }

  /// Tells all nodes who is there.
  void introduce() {
    ++view;
    for (size_t n = 0; n < sites.size(); ++n)
      if (sites[n]->up)
        introduce(n);
    turn();
  }

  /// Lets the others hear that a node is gone.
  void lose(size_t n) {
    sites[n]->up = false;
    introduce();
  }

  /// Keeps what goes to a node from now on, or lets it arrive.
  void cut(size_t n, bool value = true) {
    auto& x = *sites[n];
    x.cut = value;
    if (!value)
      for (auto& batch : std::exchange(x.held, {}))
        arrive(n, batch);
    turn();
  }

  void arrive(size_t n, const peer_batch& x) {
    auto& to = *sites[n];
    auto from = static_cast<uint32_t>(x.link >> 32);
    if (sites[from]->run != (x.link & 0xffffffffu))
      return;
    if (to.cut)
      to.held.push_back(x);
    else
      caf::anon_send(to.routers.at(x.shard),
                     shard_batch{from, x.view, x.frames});
  }

  /// Lets everything happen that is under way.
  void turn() {
    do {
      sched.run();
      for (auto& x : sites)
        for (auto& loop : x->loops)
          loop->flush();
    } while (sched.has_job());
  }

  void wait(caf::timespan x) {
    pass(x, [this] { turn(); });
  }

  // -- clients ----------------------------------------------------------------

  [[nodiscard]] uint32_t shard_at(size_t n, const std::string& action) const {
    return shard_of(visible_name(action), sites[n]->node.loops);
  }

  const router_actor& hub_at(size_t n, const std::string& action) const {
    return sites[n]->routers[shard_at(n, action)];
  }

  loop_metrics& metrics(size_t n, uint32_t loop = 0) {
    return sites[n]->loops[loop]->metrics;
  }

  template <class... Ts>
  void say(const router_actor& to, const fake_client& from, Ts&&... xs) {
    caf::send_as(from.handle, to, std::forward<Ts>(xs)...);
    turn();
  }

  void ask(size_t n, const fake_client& from, const std::string& action,
           uint32_t call_id, timespan timeout = std::chrono::seconds{10},
           const std::string& text = {}) {
    say(hub_at(n, action), from, route_atom_v,
        make_request(action, call_id, timeout, text));
  }

  void cancel(size_t n, const fake_client& from, const std::string& action,
              uint32_t call_id) {
    say(hub_at(n, action), from, cancel_atom_v, call_id);
  }

  void serve(size_t n, const fake_client& who, const std::string& action) {
    say(hub_at(n, action), who, register_atom_v, action, uint32_t{0});
  }

  void unserve(size_t n, const fake_client& who, const std::string& action) {
    say(hub_at(n, action), who, unregister_atom_v, action, uint32_t{0});
  }

  /// Returns a client of a node that serves an action.
  fake_client responder_at(size_t n, const std::string& action) {
    auto result = connect();
    serve(n, result, action);
    return result;
  }

  void answer(size_t n, const fake_client& from, request_ticket ticket,
              const request_outcome& what) {
    say(sites[n]->routers[ticket.shard], from, resolve_atom_v, ticket, what);
  }

  /// Answers the last request that `from` was given.
  void answer(size_t n, const fake_client& from,
              const std::string& text = "ok") {
    REQUIRE(!from->served.empty());
    answer(n, from, from->served.back().first,
           request_outcome::answer(payload::pack(text)));
  }

  template <class Handle>
  void end(const Handle& x) {
    kill(x);
    turn();
  }

  // -- embedded actors --------------------------------------------------------

  void embed(size_t n, const std::string& action, const caf::actor& who) {
    auto result = self->request(hub_at(n, action), caf::infinite,
                                register_atom_v, action, who);
    turn();
    result.receive([] {}, [](const caf::error& x) { CAF_FAIL(x); });
  }

  auto request(size_t n, const std::string& action,
               timespan timeout = std::chrono::seconds{10}) {
    auto result = self->request(hub_at(n, action), caf::infinite,
                                request_atom_v,
                                make_request(action, 0, timeout));
    turn();
    return result;
  }

  // -- frames -----------------------------------------------------------------

  template <class... Frames>
  static caf::byte_buffer frames_of(const Frames&... xs) {
    caf::byte_buffer result;
    (append_frame(result, xs), ...);
    return result;
  }

  /// Lets a shard of a node get this from another one.
  void deliver(size_t to, uint32_t from, caf::byte_buffer frames,
               uint32_t shard = 0) {
    caf::anon_send(sites[to]->routers[shard],
                   shard_batch{from, view, std::move(frames)});
    turn();
  }

  /// Returns the number that the first router of a node gives its first
  /// request.
  static uint64_t first_number() {
    request_table table{1, 1, 1};
    request_peer who;
    table.add(who, "x", false);
    return table.open(who, *table.next("x")).number;
  }

  // -- observations -----------------------------------------------------------

  static std::string counts(const fake_client& who) {
    return std::to_string(who->served.size()) + " served, "
           + std::to_string(who->cancelled.size()) + " cancelled";
  }

  std::vector<std::unique_ptr<router_site>> sites;
  uint64_t view = 0;
};

} // namespace callboard
