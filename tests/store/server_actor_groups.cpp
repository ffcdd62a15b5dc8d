// Actors of the application as members of groups at a node of a cluster, whose
// shards die.

#include <callboard/actors/server_actor.hpp>

#include <string>
#include <utility>

#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "store/durable_sites_fixture.hpp"

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

caf::behavior member_of_group(caf::event_based_actor*, std::string* told) {
  return {
    [=](const callboard::event& x) {
      *told += x.group + '@' + std::to_string(x.offset) + ' ';
    },
    [=](const std::string&, const position& x) {
      *told += "position " + std::to_string(x.offset) + ' ';
    },
    [=](unsubscribe_atom, const std::string&, const position&) {
      *told += "no longer ";
    },
  };
}

struct fixture : durable_sites {
  fixture() {
    // It makes its own.
    node().kill(node().loops[0]->brokers[0].actor);
    server = node().sys.spawn<server_actor>(static_cast<shard_host&>(node()),
                                            node().node, node().pool);
    node().turn();
    // By a view that the new ones are told of.
    view({0, 1, 2});
    who = node().sys.spawn(member_of_group, &told);
  }

  ~fixture() {
    node().kill(server);
  }

  node_fixture& node() {
    return sites[2].node;
  }

  // Lets the actor be a member of a group.
  void join(const std::string& topic) {
    auto asked = node().ask(server, subscribe_atom_v, who, topic,
                            group_options{"g", {}});
    settle();
    auto joined = false;
    asked.receive([&](const position&, bool) { joined = true; },
                  [](const caf::error&) {});
    CHECK(joined);
  }

  void leave(const std::string& topic) {
    caf::anon_send(server, unsubscribe_atom_v, who, topic, std::string{"g"});
    settle();
  }

  // Lets the shard of `c` die, which is told of the nodes as any new one is.
  void lose_shard() {
    node().kill(node().loops[0]->brokers[0].actor);
    caf::anon_send(node().loops[0]->brokers[0].actor, cluster_atom_v,
                   sites[2].nodes);
    settle();
  }

  // Lets there be no others who vote.
  void lose_majority() {
    crash(0);
    crash(1);
    view({2});
    heard();
  }

  // Lets a while pass at all nodes.
  void wait() {
    for (int i = 0; i < 3; ++i) {
      for (auto& x : sites)
        x.node.pass(1s);
      settle();
    }
  }

  // Returns what the actor was told since the last call.
  std::string heard() {
    return std::exchange(told, {});
  }

  server_handle server;
  caf::actor who;
  std::string told;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(an actor is a member again however much is on its way to the owner) {
  auto topic = topic_of(0);
  join(topic);
  sites[2].nodes->at(0)->traffic->sent += outbox_bytes_max;
  lose_shard();
  CHECK_EQ(heard(), "position 0 ");
  publish(connect(1), topic, "1");
  CHECK_EQ(heard(), "g@1 ");
}

CAF_TEST(an actor is a member again when somebody can serve its topic) {
  auto topic = topic_of(2, 0, "copies3/");
  join(topic);
  lose_majority();
  lose_shard();
  wait();
  CHECK_EQ(heard(), "");
  view({2, next_run(0)});
  wait();
  CHECK_EQ(heard(), "position 0 ");
  publish(connect(2), topic, "1");
  CHECK_EQ(heard(), "g@1 ");
}

CAF_TEST(an actor that has left meanwhile is a member no more) {
  auto topic = topic_of(2, 0, "copies3/");
  join(topic);
  lose_majority();
  lose_shard();
  leave(topic);
  view({2, next_run(0)});
  wait();
  publish(connect(2), topic, "1");
  CHECK_EQ(heard(), "");
}

END_FIXTURE_SCOPE()
