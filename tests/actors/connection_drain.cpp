// How connections end with their node.

#include <callboard/actors/connection.hpp>

#include <string>
#include <vector>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/lighter_nodes.hpp>

#include "actors/member_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

const std::string goaway = "goaway {\"reason\":\"draining\",\"reconnect\":"
                           "\"backoff\",\"afterMs\":0,\"spreadMs\":1000}";

struct fixture : member_fixture {
  void drain(client& x) {
    caf::anon_send(x.handle, drain_atom_v);
    turn();
  }

  /// Has the shard of the first loop told of nodes that take clients.
  void offer(const std::vector<std::string>& names) {
    std::vector<node_offer> offers;
    for (auto& x : names)
      offers.push_back({{}, {"ws://" + x}, 0});
    lighter_nodes_ptr nodes = caf::make_counted<lighter_nodes>(offers, 0, 1);
    caf::anon_send(loops[0]->brokers[0].actor, cluster_atom_v, nodes);
    turn();
  }

  int64_t sent_elsewhere() const {
    return loops[0]->metrics.redirects_sent_away->value();
  }

  /// Lets `x` ask and returns the seqId with which `y` has to answer.
  uint32_t ask_of(client& x, client& y, uint32_t seq_id = 1) {
    x.say(type::request, seq_id, "sum");
    turn();
    auto frames = y.take();
    CAF_REQUIRE_EQUAL(frames.size(), 1u);
    return frames[0].seq_id;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(who waits for nothing is closed at once) {
  start();
  auto& x = connect(0, "ann");
  say(x, type::subscribe, 1, "a");
  drain(x);
  CHECK_EQ(x.heard(), goaway);
  CHECK_EQ(x.close_code(), 4004);
  CHECK_EQ(x.socket.close_reason, "draining");
  CHECK(x->state() == connection_state::disconnected);
}

CAF_TEST(who waits for an answer gets it first) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  say(alice, type::subscribe, 2, "a");
  auto seq_id = ask_of(alice, bob);
  drain(alice);
  CHECK_EQ(alice.heard(), goaway);
  CHECK(alice.alive());
  // It is told once.
  drain(alice);
  CHECK_EQ(alice.heard(), "");
  // Events go on, new work does not begin.
  bob.publish("a", "x");
  turn();
  CHECK_EQ(alice.heard(), "event a @1 \"x\"");
  CHECK_EQ(say(alice, type::request, 3, "sum"), "error 3 shutting_down");
  alice.publish("a", "x", 4);
  turn();
  CHECK_EQ(alice.heard(), "error 4 shutting_down");
  CHECK_EQ(say(alice, type::ping, 5), "pong 5");
  CHECK(alice.alive());
  say(bob, type::response, seq_id, "", text("three"));
  CHECK_EQ(alice.heard(), "response 1 \"three\"");
  CHECK_EQ(alice.close_code(), 4004);
  CHECK(bob.alive());
}

CAF_TEST(the last answer is the one that counts) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  ask_of(alice, bob, 1);
  auto second = ask_of(alice, bob, 2);
  drain(alice);
  say(bob, type::response, second);
  CHECK(alice.alive());
  // A client that no longer wants the other one need not wait for it.
  CHECK_EQ(say(alice, type::cancel, 1),
           goaway + "; response 2; error 1 cancelled");
  CHECK_EQ(alice.close_code(), 4004);
}

CAF_TEST(who has to answer does so first and gets no more to do) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  auto seq_id = ask_of(alice, bob);
  drain(bob);
  CHECK(bob.alive());
  CHECK_EQ(say(alice, type::request, 2, "sum"), "error 2 no_responder");
  say(bob, type::response, seq_id, "", text("three"));
  CHECK_EQ(bob.close_code(), 4004);
  CHECK_EQ(alice.heard(), "response 1 \"three\"");
}

CAF_TEST(who has to answer what nobody wants any more does not wait) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  ask_of(alice, bob);
  drain(bob);
  CHECK(bob.alive());
  say(alice, type::cancel, 1);
  CHECK_EQ(bob.close_code(), 4004);
}

CAF_TEST(who has to confirm events does so first and gets no more) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  join(bob, "kept/a");
  publish(alice, "kept/a", 2);
  CHECK_EQ(bob.take().size(), 2u);
  drain(bob);
  CHECK_EQ(bob.heard(), goaway);
  publish(alice, "kept/a");
  CHECK_EQ(bob.heard(), "");
  auto& carol = connect();
  CHECK(join(carol, "kept/a").ends_with("; event 1 kept/a @3 of g \"x\""));
  say(bob, type::ack, 1);
  CHECK(bob.alive());
  say(bob, type::ack, 2);
  CHECK_EQ(bob.close_code(), 4004);
  CHECK_EQ(count(&group_metrics::confirmations), 2);
  CHECK_EQ(count(&group_metrics::deliveries), 3);
  CHECK_EQ(carol.heard(), "");
}

CAF_TEST(an event that was on its way goes to another one) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  join(bob, "kept/a");
  publish(alice, "kept/a");
  CHECK_EQ(bob.take().size(), 1u);
  alice.publish("kept/a", "x");
  drain(bob);
  CHECK_EQ(bob.heard(), goaway);
  auto& carol = connect();
  // Nobody has had it yet.
  CHECK(join(carol, "kept/a").ends_with("; event 1 kept/a @2 of g \"x\""));
  CHECK(bob.alive());
}

CAF_TEST(an event that is taken back does not hold it up) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  join(bob, "kept/a");
  publish(alice, "kept/a");
  bob.take();
  drain(bob);
  CHECK_EQ(bob.heard(), goaway);
  pass(9s);
  CHECK(bob.alive());
  pass(2s);
  CHECK_EQ(bob.heard(), "cancel 1");
  CHECK_EQ(bob.close_code(), 4004);
}

CAF_TEST(events of a shard that fails do not hold it up) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  join(bob, "kept/a");
  publish(alice, "kept/a");
  bob.take();
  drain(bob);
  CHECK(bob.alive());
  replace_broker(0);
  CHECK_EQ(bob.close_code(), 4004);
}

CAF_TEST(a subscribe that waits is answered first) {
  start(2);
  auto& x = connect(0);
  // Its owner is on the other loop, and has not answered yet.
  x.say(type::subscribe, 1, name_on(1, 2));
  caf::anon_send(x.handle, drain_atom_v);
  turn();
  auto heard = x.heard();
  CHECK(heard.find(goaway) != std::string::npos);
  CHECK(heard.find("response 1 {") != std::string::npos);
  CHECK_EQ(x.close_code(), 4004);
  CHECK_EQ(loops[0]->topics.subscriptions(), 0u);
}

CAF_TEST(a subscribe that is taken back does not hold it up) {
  start(2);
  auto& x = connect(0);
  // Nobody answers.
  kill(loops[0]->brokers[1].actor);
  CHECK_EQ(say(x, type::subscribe, 1, name_on(1, 2)), "");
  drain(x);
  CHECK_EQ(x.heard(), goaway);
  CHECK(x.alive());
  CHECK_EQ(say(x, type::unsubscribe, 2, name_on(1, 2)),
           "error 1 cancelled; response 2");
  CHECK_EQ(x.close_code(), 4004);
}

CAF_TEST(a part that fails ends the wait) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  ask_of(alice, bob);
  drain(alice);
  kill(loops[0]->routers[0].actor);
  install(0, make_router(0));
  turn();
  CHECK_EQ(alice.heard(), goaway + "; error 1 internal");
  CHECK_EQ(alice.close_code(), 4004);
}

CAF_TEST(a close by the application does not wait) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  ask_of(alice, bob);
  drain(alice);
  caf::anon_send(alice.handle, callboard::close_atom_v, uint16_t{4004},
                 std::string{"draining"});
  turn();
  CHECK_EQ(alice.heard(), goaway);
  CHECK_EQ(alice.close_code(), 4004);
}

// -- logging in ---------------------------------------------------------------

CAF_TEST(who is not logged in waits for nothing) {
  start();
  auto& x = open(0, {}, true);
  drain(x);
  CHECK_EQ(x.heard(), goaway);
  CHECK_EQ(x.close_code(), 4004);
}

CAF_TEST(nobody is let in any more) {
  auto asked = 0;
  node.rights.authenticate
    = [&asked](const credentials&) -> caf::expected<identity> {
    ++asked;
    return identity{"ann"};
  };
  start();
  auto token = *payload::from_json("{\"token\":\"t\"}");
  auto& in = open(0, {}, true);
  CHECK(say(in, type::connect, 1, "", token).starts_with("welcome 1"));
  auto& late = open(0, {}, true);
  node.draining = true;
  CHECK_EQ(say(late, type::connect, 1, "", token),
           "error 1 shutting_down; " + goaway);
  CHECK_EQ(late.close_code(), 4004);
  CHECK_EQ(asked, 1);
  // Who is in is served until its turn has come.
  CHECK(say(in, type::connect, 2, "", token).starts_with("welcome 2"));
  CHECK(in.alive());
  CHECK_EQ(asked, 2);
}

// -- where else to go ---------------------------------------------------------

CAF_TEST(clients are told of other nodes by turns) {
  start();
  auto& first = connect();
  auto& second = connect();
  offer({"b", "c"});
  // The turn that a loop begins with is any.
  drain(first);
  drain(second);
  auto told = [](const std::string& urls) {
    return "goaway {\"reason\":\"draining\",\"reconnect\":\"now\","
           "\"afterMs\":0,\"spreadMs\":1000,\"urls\":["
           + urls + "]}";
  };
  auto one = told(R"("ws://b","ws://c")");
  auto other = told(R"("ws://c","ws://b")");
  auto heard = first.heard();
  CHECK(heard == one || heard == other);
  CHECK_EQ(second.heard(), heard == one ? other : one);
  CHECK_EQ(first.close_code(), 4004);
  CHECK_EQ(sent_elsewhere(), 2);
}

CAF_TEST(who is closed because the node ends is told of them as well) {
  start();
  auto& x = connect();
  auto& kicked = connect();
  offer({"b"});
  caf::anon_send(kicked.handle, close_atom_v, uint16_t{4503},
                 std::string{"kicked"});
  caf::anon_send(x.handle, close_atom_v, uint16_t{4004},
                 std::string{"draining"});
  turn();
  CHECK_EQ(x.heard(), "goaway {\"reason\":\"draining\",\"reconnect\":\"now\","
                      "\"afterMs\":0,\"spreadMs\":1000,\"urls\":[\"ws://b\"]}");
  // An end for another reason is no matter of the load.
  CHECK(kicked.heard().find("urls") == std::string::npos);
  CHECK_EQ(sent_elsewhere(), 1);
}

CAF_TEST(where no other node takes clients they come back as ever) {
  start();
  auto& x = connect();
  offer({"b"});
  offer({});
  drain(x);
  CHECK_EQ(x.heard(), goaway);
  CHECK_EQ(sent_elsewhere(), 0);
}

END_FIXTURE_SCOPE()
