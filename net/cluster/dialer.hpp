#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_clock.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/io/middleman_actor.hpp>
#include <caf/node_id.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/hosted.hpp>
#include <callboard/actors/type_ids.hpp>
#include <callboard/net/cluster/network.hpp>
#include <callboard/net/cluster/options.hpp>

namespace callboard::net {

/// Finds the cluster actors of other nodes, for a cluster actor: see there. A
/// name is looked up each time, and of several addresses any come first, so
/// that all get their turn where somebody dials again and again. This node
/// itself is nobody to talk to and is passed over.
///
/// Three things that CAF leaves open are seen to here. Its own actor for
/// connections blocks until somebody takes one or the system gives up after
/// minutes, and all others wait for it: so it is asked only for places where
/// somebody did just now. Who takes a connection and then says nothing is given
/// up. And a connection that is there already may be dead for long: the other
/// node has to answer once before it counts as found.
///
/// Where nobody was there, the error is `cannot_connect_to_node`; where
/// somebody took a connection and that was all, `disconnect_during_handshake`.
class cluster_dialer : public hosted<caf::event_based_actor> {
public:
  using super = hosted<caf::event_based_actor>;

  /// Attempts at once; a further one is answered `overloaded`.
  static constexpr size_t dials_max = 256;

  /// Addresses of one name that one attempt tries; more would take too long.
  static constexpr size_t addresses_max = 2;

  /// What it goes by.
  struct setup {
    cluster_settings settings;
    std::shared_ptr<cluster_network> network;
    /// CAF's actor for connections, with TLS or without.
    caf::io::middleman_actor transport;
    /// See `end_handshakes`.
    std::function<void(const std::string& ip, uint16_t port)> give_up;
    /// See `end_connection`.
    std::function<void(const caf::node_id& node)> hang_up;
    /// For a node to shake hands, and then to answer.
    caf::timespan timeout = std::chrono::seconds{1};
    uint64_t random_seed = 0;
  };

  cluster_dialer(caf::actor_config& cfg, caf::execution_unit* loop, setup x);

  const char* name() const override {
    return "callboard.cluster-dialer";
  }

  caf::behavior make_behavior() override;

  void on_exit() override;

private:
  struct attempt {
    caf::typed_response_promise<caf::actor> answer;
    std::string address;
    uint16_t port = 0;
    std::vector<std::string> ips;
    size_t next = 0;
    /// What was wrong with the last one.
    std::string wrong;
    /// Whether somebody took a connection and was not to be talked to.
    bool taken = false;
  };

  using attempt_ptr = std::shared_ptr<attempt>;

  /// When a node that says nothing was found first, and last.
  struct silence {
    caf::actor_clock::time_point first;
    caf::actor_clock::time_point last;
  };

  caf::result<caf::actor> dial(const std::string& address);

  // Goes on with the next of the addresses.
  void go_on(const attempt_ptr& x);

  void connect(const attempt_ptr& x, const std::string& ip);

  // Waits for a sign of life.
  void test(const attempt_ptr& x, const caf::node_id& node,
            const caf::actor& found);

  // Notes that a node said nothing, and ends the connection to it if it has
  // not done so for as long as makes a node down.
  void note_silence(const caf::node_id& node);

  void fail(const attempt_ptr& x);

  // Returns `f` as something that is called in the actor's context, as long as
  // it lives.
  template <class... Ts, class F>
  std::function<void(Ts...)> back(F f);

  setup setup_;
  std::minstd_rand random_;
  size_t dials_ = 0;
  std::unordered_map<caf::node_id, silence> silent_;
};

} // namespace callboard::net
