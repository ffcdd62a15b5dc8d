// Who dials, on a network and with a transport that the test plays.

#include <callboard/net/cluster/dialer.hpp>

#include <algorithm>
#include <set>

#include <caf/exit_reason.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/send.hpp>

#include "net/fake_cluster_network.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

namespace {

using strings = std::vector<std::string>;

struct fixture : test_coordinator_fixture<> {
  // What is behind a place.
  struct remote {
    caf::node_id node;
    caf::strong_actor_ptr gate;
  };

  fixture() {
    // Another node's; it answers as long as `alive`.
    gate = sys.spawn([this](caf::event_based_actor* self) {
      return caf::behavior{
        [this, self](lookup_atom) {
          auto promise = self->make_response_promise<cluster_facts>();
          if (alive)
            promise.deliver(cluster_facts{});
          else
            unanswered.push_back(promise);
          return promise;
        },
      };
    });
    other = caf::make_node_id(7, "0102030405060708090A0B0C0D0E0F1011121314")
              .value_or(caf::node_id{});
    // CAF's actor for connections.
    transport = sys.spawn([this](caf::event_based_actor* self) {
      using reply = caf::result<caf::node_id, caf::strong_actor_ptr,
                                std::set<std::string>>;
      return caf::behavior{
        [this, self](caf::connect_atom, const std::string& ip,
                     uint16_t port) -> reply {
          auto place = ip + ' ' + std::to_string(port);
          connects.push_back(place);
          if (silent.contains(place)) {
            handshakes.push_back(self->make_response_promise());
            return handshakes.back();
          }
          auto i = nodes.find(place);
          if (i == nodes.end())
            return caf::make_error(caf::sec::cannot_connect_to_node);
          return {i->second.node, i->second.gate, std::set<std::string>{}};
        },
      };
    });
    start({});
  }

  ~fixture() override {
    handshakes.clear();
    unanswered.clear();
    for (auto& x : {uut, gate, transport})
      caf::anon_send_exit(x, caf::exit_reason::kill);
    run();
  }

  void start(cluster_settings settings) {
    if (uut)
      caf::anon_send_exit(uut, caf::exit_reason::kill);
    cluster_dialer::setup x;
    x.settings = std::move(settings);
    x.network = network;
    x.transport = caf::actor_cast<caf::io::middleman_actor>(
      caf::actor_cast<caf::strong_actor_ptr>(transport));
    x.give_up = [this](const std::string& ip, uint16_t port) {
      given_up.push_back(ip + ' ' + std::to_string(port));
    };
    x.hang_up = [this](const caf::node_id& node) {
      CHECK(node == other);
      ++hung_up;
    };
    x.random_seed = 1;
    uut = spawn_hosted<cluster_dialer>(sys, nullptr, std::move(x));
    run();
  }

  // Somebody listens, and behind it is the other node.
  void put_node(const std::string& place) {
    network->listening.insert(place);
    nodes[place] = remote{other, caf::actor_cast<caf::strong_actor_ptr>(gate)};
  }

  // Lets everything happen but time.
  void settle() {
    do
      sched.run();
    while (network->answer());
  }

  // Sends the question; `outcome` tells what became of it.
  void ask(const std::string& address) {
    outcome = "nothing";
    asker = sys.spawn([this, address](caf::event_based_actor* self) {
      self->request(uut, caf::infinite, dial_atom_v, address)
        .then(
          [this](const caf::actor& x) {
            outcome = x == gate ? "found" : "another";
          },
          [this](const caf::error& why) { outcome = to_string(why); });
    });
    settle();
  }

  bool failed_with(const std::string& words) const {
    return outcome.find(words) != std::string::npos;
  }

  std::shared_ptr<fake_cluster_network> network
    = std::make_shared<fake_cluster_network>();
  caf::actor transport;
  caf::actor gate;
  caf::actor uut;
  caf::actor asker;
  caf::node_id other;
  std::map<std::string, remote> nodes;
  std::set<std::string> silent;
  std::vector<caf::response_promise> handshakes;
  std::vector<caf::typed_response_promise<cluster_facts>> unanswered;
  bool alive = true;
  strings connects;
  strings given_up;
  int hung_up = 0;
  std::string outcome;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a node is found by its address) {
  network->names["127.0.0.1"] = {"127.0.0.1"};
  network->names["::1"] = {"::1"};
  put_node("127.0.0.1 8180");
  put_node("::1 8181");
  ask("127.0.0.1:8180");
  CHECK_EQ(outcome, "found");
  ask("[::1]:8181");
  CHECK_EQ(outcome, "found");
  CHECK_EQ(connects, (strings{"127.0.0.1 8180", "::1 8181"}));
}

CAF_TEST(what is no address is told at once) {
  for (auto* x : {"", "a", "a:0", "a:65536", "::1:80", "[::1]", "a b:1"}) {
    ask(x);
    CHECK(failed_with("is no HOST:PORT"));
  }
  CHECK_EQ(network->looks, 0);
}

CAF_TEST(the transport is asked only for places where somebody listens) {
  network->names["127.0.0.1"] = {"127.0.0.1"};
  ask("127.0.0.1:8180");
  CHECK(failed_with("nobody listens at 127.0.0.1"));
  CHECK(connects.empty());
  ask("nowhere:8180");
  CHECK(failed_with("nobody knows this name"));
  CHECK(network->probes == strings{"127.0.0.1 8180"});
}

CAF_TEST(of a name each address gets its turn) {
  network->names["nodes"] = {"127.0.0.1", "127.0.0.2", "127.0.0.3",
                             "127.0.0.4"};
  for (auto i = 0; i < 40; ++i)
    ask("nodes:8180");
  std::set<std::string> tried{network->probes.begin(), network->probes.end()};
  CHECK_EQ(tried.size(), 4u);
  CHECK_EQ(network->probes.size(), 40 * cluster_dialer::addresses_max);
  CHECK_EQ(network->looks, 40);
}

CAF_TEST(after an address that does not do comes the next one) {
  network->names["nodes"] = {"127.0.0.1", "127.0.0.2"};
  put_node("127.0.0.2 8180");
  // This node itself does not.
  network->listening.insert("127.0.0.1 8180");
  nodes["127.0.0.1 8180"]
    = remote{sys.node(), caf::actor_cast<caf::strong_actor_ptr>(gate)};
  for (auto i = 0; i < 10; ++i) {
    ask("nodes:8180");
    CHECK_EQ(outcome, "found");
  }
  CHECK(std::ranges::count(connects, "127.0.0.1 8180") > 0);
  network->names["127.0.0.1"] = {"127.0.0.1"};
  ask("127.0.0.1:8180");
  CHECK(failed_with("it is this node"));
}

CAF_TEST(without certificates no other machine is dialled) {
  network->names["nodes"] = {"192.0.2.1"};
  put_node("192.0.2.1 8180");
  ask("nodes:8180");
  CHECK(failed_with("is not on loopback"));
  CHECK(network->probes.empty());
  cluster_settings insecure;
  insecure.insecure = true;
  start(insecure);
  ask("nodes:8180");
  CHECK_EQ(outcome, "found");
}

CAF_TEST(who takes a connection and says nothing is given up) {
  network->names["127.0.0.1"] = {"127.0.0.1"};
  network->listening.insert("127.0.0.1 8180");
  silent.insert("127.0.0.1 8180");
  ask("127.0.0.1:8180");
  CHECK_EQ(outcome, "nothing");
  CHECK(given_up.empty());
  advance_time(1s);
  settle();
  CHECK(failed_with("is no node of a cluster"));
  CHECK_EQ(given_up, strings{"127.0.0.1 8180"});
}

CAF_TEST(that somebody is there is told from that nobody is) {
  network->names["nodes"] = {"127.0.0.1", "127.0.0.2"};
  ask("nodes:8180");
  CHECK(failed_with("cannot_connect_to_node"));
  CHECK(!failed_with("disconnect_during_handshake"));
  network->listening.insert("127.0.0.1 8180");
  silent.insert("127.0.0.1 8180");
  // Whichever of them comes last.
  for (auto i = 0; i < 10; ++i) {
    ask("nodes:8180");
    advance_time(1s);
    settle();
    CHECK(failed_with("disconnect_during_handshake"));
  }
  // Nobody who knows what to say.
  silent.clear();
  ask("nodes:8180");
  CHECK(failed_with("disconnect_during_handshake"));
  put_node("127.0.0.1 8180");
  alive = false;
  ask("nodes:8180");
  advance_time(1s);
  settle();
  CHECK(failed_with("disconnect_during_handshake"));
}

CAF_TEST(a connection on which nothing comes is ended after the timeout) {
  network->names["127.0.0.1"] = {"127.0.0.1"};
  put_node("127.0.0.1 8180");
  alive = false;
  // Each attempt takes a second; the timeout is 5.
  for (auto i = 0; i < 6; ++i) {
    CHECK_EQ(hung_up, 0);
    ask("127.0.0.1:8180");
    CHECK_EQ(outcome, "nothing");
    advance_time(1s);
    settle();
    CHECK(failed_with("it does not answer"));
  }
  CHECK_EQ(hung_up, 1);
  // That counts from the beginning then, and an answer does so too.
  for (auto i = 0; i < 4; ++i) {
    ask("127.0.0.1:8180");
    advance_time(1s);
    settle();
  }
  alive = true;
  ask("127.0.0.1:8180");
  CHECK_EQ(outcome, "found");
  alive = false;
  for (auto i = 0; i < 5; ++i) {
    ask("127.0.0.1:8180");
    advance_time(1s);
    settle();
  }
  CHECK_EQ(hung_up, 1);
}

CAF_TEST(attempts at once are bounded) {
  for (size_t i = 0; i < cluster_dialer::dials_max; ++i)
    caf::anon_send(uut, dial_atom_v, std::string{"a:1"});
  run();
  CHECK_EQ(network->looks, static_cast<int>(cluster_dialer::dials_max));
  caf::scoped_actor self{sys};
  self->send(uut, dial_atom_v, std::string{"a:1"});
  run();
  CHECK_EQ(network->looks, static_cast<int>(cluster_dialer::dials_max));
  // Those that failed leave their places.
  settle();
  ask("a:1");
  CHECK(failed_with("nobody knows this name"));
}

END_FIXTURE_SCOPE()
