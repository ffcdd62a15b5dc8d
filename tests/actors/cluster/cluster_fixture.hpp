#pragma once

#include <callboard/actors/cluster/cluster_actor.hpp>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <caf/sec.hpp>
#include <caf/send.hpp>
#include <caf/telemetry/metric_registry.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/cluster/peer_frames.hpp>

#include "actors/cluster/membership_fixture.hpp"
#include "actors/loop_fixture.hpp"
#include "support/test.hpp"

namespace callboard {

/// Cluster actors of several nodes in one actor system, a dialer that knows
/// them by address, and shards that write down what they get.
struct cluster_fixture : loop_fixture {
  cluster_fixture() {
    dialer = sys.spawn([this](caf::event_based_actor* actor) {
      return caf::behavior{
        [this, actor](dial_atom,
                      const std::string& to) -> caf::result<caf::actor> {
          ++dials[to];
          if (silent.contains(to)) {
            unanswered.push_back(actor->make_response_promise<caf::actor>());
            return unanswered.back();
          }
          if (auto i = gates.find(to); i != gates.end())
            return i->second;
          return caf::make_error(refusing.contains(to)
                                   ? caf::sec::disconnect_during_handshake
                                   : caf::sec::cannot_connect_to_node);
        },
      };
    });
  }

  ~cluster_fixture() override {
    unanswered.clear();
    for (auto& [address, gate] : gates)
      stop(gate);
  }

  /// Starts a node, which knows those at `seeds`.
  caf::actor start(const member& who, std::vector<std::string> seeds = {},
                   cluster_options options = {}) {
    options.version = "1.0";
    options.seeds = std::move(seeds);
    options.random_seed = ++started;
    options.ready = [this, name = who.name] { ready.push_back(name); };
    options.log = [this, name = who.name](const cluster_note& x) {
      notes.push_back(name + ": " + std::string{to_string(x.what)} + ' '
                      + (x.members.empty() ? x.node : x.members)
                      + (x.why.empty() ? "" : ": " + x.why));
    };
    auto gate = sys.spawn<cluster_actor>(std::move(options), who, dialer);
    gates[who.address] = gate;
    sched.run();
    return gate;
  }

  /// Ends a node at once.
  void crash(const member& who) {
    stop(gates[who.address]);
    gates.erase(who.address);
  }

  /// Gives a node a shard, which writes down what it gets under `name`.
  caf::actor add_shard(const caf::actor& gate, shard_kind kind, uint32_t index,
                       const std::string& name) {
    auto shard = sys.spawn([this, name] {
      return caf::behavior{
        [this, name](cluster_atom, const peer_set_ptr& x) {
          sets[name] = x;
          got.push_back(name + " set " + words_of(*x));
        },
        [this, name](cluster_atom, const lighter_nodes_ptr& x) {
          elsewhere[name] = x;
        },
        [this, name](const shard_batch& x) {
          got.push_back(
            name + " batch " + std::to_string(x.slot) + ' '
            + std::string(reinterpret_cast<const char*>(x.frames.data()),
                          x.frames.size()));
        },
      };
    });
    caf::anon_send(gate, cluster_atom_v, static_cast<uint8_t>(kind), index,
                   shard);
    sched.run();
    return shard;
  }

  static std::string words_of(const peer_set& x) {
    auto result = std::to_string(x.number) + ':';
    for (auto& y : x.slots)
      result += y ? ' ' + y->who.name : " .";
    return result;
  }

  /// Returns what came since the last call.
  std::vector<std::string> take_got() {
    return std::exchange(got, {});
  }

  /// Returns the batch that a shard of the node with this set sends to the node
  /// at `slot`.
  static peer_batch batch_to(const peer_set_ptr& from, uint32_t slot,
                             const std::string& text) {
    peer_batch x;
    x.link = from->at(slot)->link;
    x.view = from->number;
    auto* bytes = reinterpret_cast<const caf::byte*>(text.data());
    x.frames.assign(bytes, bytes + text.size());
    return x;
  }

  void send(const caf::actor& to, peer_batch x) {
    caf::anon_send(to, std::move(x));
    sched.run();
  }

  cluster_facts facts(const caf::actor& gate) {
    cluster_facts result;
    auto answer = self->request(gate, caf::infinite, lookup_atom_v);
    sched.run();
    answer.receive([&](cluster_facts& x) { result = std::move(x); },
                   [&](const caf::error& x) { CAF_FAIL(to_string(x)); });
    return result;
  }

  /// Returns what a node knows of another one.
  node_facts facts(const caf::actor& gate, const std::string& name) {
    for (auto& x : facts(gate).nodes)
      if (x.who.name == name)
        return x;
    return {};
  }

  /// Returns the view of a node in words: "2 a: a b".
  std::string view_of(const caf::actor& gate) {
    auto x = facts(gate);
    auto result = std::to_string(x.view) + ' ' + x.coordinator + ':';
    for (auto& y : x.nodes)
      if (y.in_view)
        result += ' ' + y.who.name
                  + (y.who.state == member_state::leaving ? "!" : "");
    return result;
  }

  peer_welcome greet(const caf::actor& gate, const peer_hello& hello) {
    peer_welcome result;
    auto answer = self->request(gate, caf::infinite, hello);
    sched.run();
    answer.receive([&](peer_welcome& x) { result = std::move(x); },
                   [&](const caf::error& x) { CAF_FAIL(to_string(x)); });
    return result;
  }

  /// Returns the hello of a node whose gate takes everything.
  peer_hello hello_of(const member& who) {
    auto gate = sys.spawn([] {
      return caf::behavior{[](const peer_heartbeat&) {},
                           [](const std::string&, const cluster_view&) {},
                           [](const peer_batch&) {}};
    });
    return {peer_protocol, "1.1", "callboard", type_fingerprint(), who, gate};
  }

  /// Returns a counter of all nodes together.
  int64_t counted(caf::string_view name) {
    return sys.metrics()
      .counter_singleton("callboard", name, "", "1", true)
      ->value();
  }

  bool noted(const std::string& x) const {
    return std::ranges::find(notes, x) != notes.end();
  }

  caf::actor dialer;
  uint64_t started = 0;
  std::map<std::string, caf::actor> gates;
  std::map<std::string, int> dials;
  /// Addresses where somebody is who is no node of a cluster.
  std::set<std::string> refusing;
  /// Addresses whose dialing comes to no end.
  std::set<std::string> silent;
  std::vector<caf::typed_response_promise<caf::actor>> unanswered;
  std::map<std::string, peer_set_ptr> sets;
  /// Where each shard's loop sends clients.
  std::map<std::string, lighter_nodes_ptr> elsewhere;
  std::vector<std::string> got;
  std::vector<std::string> notes;
  /// The nodes that take clients, in the order in which they began to.
  std::vector<std::string> ready;
  member a = a_node("a");
  member b = a_node("b");
  member c = a_node("c");
};

/// The same with nodes `a` and `b` that go by a view of both. Each has one
/// broker shard, `a0` and `b0`.
struct pair_fixture : cluster_fixture {
  pair_fixture() {
    one = start(a);
    two = start(b, {"a:1"});
    add_shard(one, shard_kind::broker, 0, "a0");
    add_shard(two, shard_kind::broker, 0, "b0");
    pass(std::chrono::seconds{2});
    got.clear();
  }

  ~pair_fixture() override {
    sets.clear();
  }

  /// Returns the other node, as one of them knows it.
  const peer_node& b_at_a() {
    return first_of(*sets["a0"]);
  }

  const peer_node& a_at_b() {
    return first_of(*sets["b0"]);
  }

  static const peer_node& first_of(const peer_set& x) {
    for (auto& y : x.slots)
      if (y)
        return *y;
    CAF_FAIL("there is no other node");
  }

  caf::actor one;
  caf::actor two;
};

} // namespace callboard
