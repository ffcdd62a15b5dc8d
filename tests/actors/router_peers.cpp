// Requests whose responder is at another node.

#include <callboard/actors/router.hpp>

#include "actors/router_peers_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

BEGIN_FIXTURE_SCOPE(router_peers_fixture)

// -- answers ------------------------------------------------------------------

CAF_TEST(a request finds a responder at another node) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  auto x = make_request("sum", 7, 3s, "1+1");
  x->content.sender = "alice";
  x->content.trace = "00-1-2-01";
  x->content.connection = 5;
  say(hub_at(0, "sum"), alice, route_atom_v, x);
  REQUIRE_EQ(bob->served.size(), 1u);
  auto& got = *bob->served[0].second;
  CHECK_EQ(got.content.action, "sum");
  CHECK_EQ(text_of(got.content.payload), "1+1");
  CHECK_EQ(got.content.sender, "alice");
  CHECK_EQ(got.content.trace, "00-1-2-01");
  CHECK_EQ(got.content.connection, 5u);
  CHECK_EQ(got.timeout, caf::timespan{3s});
  CHECK_EQ(answers(alice), "");
  answer(1, bob, "2");
  CHECK_EQ(answers(alice), "7 2");
  CHECK_EQ(metrics(0).cluster_requests_sent->value(), 1);
  CHECK_EQ(metrics(0).cluster_requests_served->value(), 0);
  CHECK_EQ(metrics(1).cluster_requests_served->value(), 1);
  CHECK_EQ(metrics(0).requests_answered->value(), 1);
  wait(20s);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(counts(bob), "1 served, 0 cancelled");
}

CAF_TEST(an error of a responder passes through as it is) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 7);
  request_outcome outcome;
  outcome.code = 1234;
  outcome.name = "too_hard";
  outcome.temporary = true;
  outcome.retry_after_ms = 50;
  outcome.payload = payload::pack("ask somebody else");
  answer(1, bob, bob->served[0].first, outcome);
  REQUIRE_EQ(alice->answers.size(), 1u);
  auto& [call_id, got] = alice->answers[0];
  CHECK_EQ(call_id, 7u);
  CHECK_EQ(got.code, 1234u);
  CHECK_EQ(got.name, "too_hard");
  CHECK(got.temporary);
  CHECK_EQ(got.retry_after_ms, 50u);
  CHECK_EQ(text_of(got.payload), "ask somebody else");
  CHECK_EQ(metrics(0).requests_failed->value(), 1);
}

CAF_TEST(that a responder says no_responder is its answer) {
  begin(3);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 7);
  auto carol = responder_at(2, "sum");
  answer(1, bob, bob->served[0].first,
         request_outcome::failure(errc::no_responder));
  CHECK_EQ(answers(alice), "7 no_responder");
  CHECK_EQ(carol->served.size(), 0u);
}

CAF_TEST(a notify goes one way) {
  begin(3);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 0, 10s, "hello");
  REQUIRE_EQ(bob->served.size(), 1u);
  CHECK_EQ(bob->served[0].first.number, 0u);
  CHECK_EQ(text_of(bob->served[0].second->content.payload), "hello");
  CHECK_EQ(pending_timers(), 0u);
  // To nobody, if there is none any more: not even to a third node.
  cut(0);
  unserve(1, bob, "sum");
  auto carol = responder_at(2, "sum");
  ask(0, alice, "sum", 0);
  CHECK_EQ(metrics(1).cluster_requests_served->value(), 2);
  cut(0, false);
  CHECK_EQ(carol->served.size(), 0u);
  CHECK_EQ(answers(alice), "");
}

CAF_TEST(nothing is answered twice) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 7);
  answer(1, bob);
  answer(1, bob);
  CHECK_EQ(answers(alice), "7 ok");
  CHECK_EQ(metrics(1).stray_answers->value(), 1);
}

CAF_TEST(only the node that was asked may answer) {
  begin(3);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 7);
  peer_outcome forged;
  forged.ticket.number = first_number();
  deliver(0, 2, frames_of(forged));
  // An actor that says nothing of itself is no node.
  caf::anon_send(hub_at(0, "sum"), resolve_atom_v, forged.ticket,
                 request_outcome{});
  turn();
  forged.ticket.shard = 1;
  deliver(0, 1, frames_of(forged));
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(metrics(0).stray_answers->value(), 3);
  // It is the right number.
  forged.ticket.shard = 0;
  deliver(0, 1, frames_of(forged));
  CHECK_EQ(alice->answers.size(), 1u);
}

// -- whom to ask --------------------------------------------------------------

CAF_TEST(who is here comes before others) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  auto carol = responder_at(0, "sum");
  for (uint32_t i = 1; i <= 3; ++i)
    ask(0, alice, "sum", i);
  CHECK_EQ(carol->served.size(), 3u);
  CHECK_EQ(bob->served.size(), 0u);
  unserve(0, carol, "sum");
  ask(0, alice, "sum", 4);
  CHECK_EQ(bob->served.size(), 1u);
}

CAF_TEST(of other nodes the one with the fewest in flight is asked) {
  begin(3);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  auto carol = responder_at(2, "sum");
  for (uint32_t i = 1; i <= 4; ++i)
    ask(0, alice, "sum", i);
  CHECK_EQ(bob->served.size(), 2u);
  CHECK_EQ(carol->served.size(), 2u);
  for (auto& [ticket, request] : std::vector{bob->served})
    answer(1, bob, ticket, {});
  ask(0, alice, "sum", 5);
  ask(0, alice, "sum", 6);
  CHECK_EQ(bob->served.size(), 4u);
  CHECK_EQ(carol->served.size(), 2u);
  // In turn where these are equal.
  ask(0, alice, "sum", 7);
  ask(0, alice, "sum", 8);
  CHECK_EQ(bob->served.size(), 5u);
  CHECK_EQ(carol->served.size(), 3u);
}

CAF_TEST(what came from another node goes no further) {
  begin(3);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  // Node 0 does not hear that there is nobody at node 1 any more.
  cut(0);
  unserve(1, bob, "sum");
  auto carol = responder_at(2, "sum");
  ask(0, alice, "sum", 7);
  CHECK_EQ(metrics(1).cluster_requests_served->value(), 1);
  CHECK_EQ(metrics(1).cluster_requests_sent->value(), 0);
  CHECK_EQ(carol->served.size(), 0u);
  // It asks the other one itself, once it has heard.
  auto before = metrics(0).cluster_requests_sent->value();
  cut(0, false);
  CHECK_EQ(metrics(0).cluster_requests_sent->value(), before + 1);
  REQUIRE_EQ(carol->served.size(), 1u);
  answer(2, carol);
  CHECK_EQ(answers(alice), "7 ok");
}

CAF_TEST(a second node is asked for the rest of the time) {
  begin(3);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  cut(0);
  unserve(1, bob, "sum");
  auto carol = responder_at(2, "sum");
  ask(0, alice, "sum", 7, 10s);
  wait(4s);
  CHECK_EQ(carol->served.size(), 0u);
  cut(0, false);
  REQUIRE_EQ(carol->served.size(), 1u);
  CHECK_EQ(carol->served[0].second->timeout, caf::timespan{6s});
  wait(6s - 1ms);
  CHECK_EQ(answers(alice), "");
  wait(1ms);
  CHECK_EQ(answers(alice), "7 timeout");
  CHECK_EQ(counts(carol), "1 served, 1 cancelled");
}

CAF_TEST(a third node is not asked) {
  begin(3);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  auto carol = connect();
  cut(0);
  unserve(1, bob, "sum");
  serve(2, carol, "sum");
  ask(0, alice, "sum", 7);
  cut(2);
  cut(0, false);
  // The second one serves it no longer either, and the first one does again.
  unserve(2, carol, "sum");
  serve(1, bob, "sum");
  cut(2, false);
  CHECK_EQ(answers(alice), "7 no_responder");
  CHECK_EQ(counts(bob), "0 served, 0 cancelled");
  CHECK_EQ(counts(carol), "0 served, 0 cancelled");
}

CAF_TEST(without a second node there is no responder) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  cut(0);
  unserve(1, bob, "sum");
  ask(0, alice, "sum", 7);
  CHECK_EQ(answers(alice), "");
  cut(0, false);
  CHECK_EQ(answers(alice), "7 no_responder");
  ask(0, alice, "sum", 8);
  CHECK_EQ(answers(alice), "8 no_responder");
  CHECK_EQ(metrics(0).cluster_requests_sent->value(), 1);
}

CAF_TEST(tenants ask the application or each their own) {
  begin(3);
  auto alice = connect();
  auto own = tenant_action("acme", "sum");
  auto bob = responder_at(1, own);
  auto foreign = responder_at(1, tenant_action("other", "sum"));
  ask(0, alice, own, 1);
  CHECK_EQ(bob->served.size(), 1u);
  answer(1, bob);
  CHECK_EQ(answers(alice), "1 ok");
  // Those of the application come first, wherever they are.
  auto local = responder_at(0, own);
  embed(2, "sum", responder([](const action_request& x) {
          return payload::pack("embedded " + x.action);
        }));
  ask(0, alice, own, 2);
  CHECK_EQ(answers(alice), "2 embedded sum");
  CHECK_EQ(local->served.size(), 0u);
  CHECK_EQ(foreign->served.size(), 0u);
}

// -- embedded actors ----------------------------------------------------------

CAF_TEST(embedded actors ask and answer across nodes) {
  begin(2);
  embed(1, "upper", responder([](const action_request& x) {
          return payload::pack(x.action + '!');
        }));
  auto alice = connect();
  ask(0, alice, "upper", 7);
  CHECK_EQ(answers(alice), "7 upper!");
  CHECK_EQ(result_of(request(0, "upper")), "upper!");
  auto bob = responder_at(1, "sum");
  auto answered = request(0, "sum");
  answer(1, bob, "hello");
  CHECK_EQ(result_of(answered), "hello");
  auto late = request(0, "sum", 1s);
  wait(1s);
  CHECK_EQ(result_of(late), to_string(caf::error{errc::timeout}));
  auto lost = request(0, "sum");
  end(bob);
  CHECK_EQ(result_of(lost), to_string(caf::error{errc::responder_failed}));
  CHECK_EQ(result_of(request(0, "sum")),
           to_string(caf::error{errc::no_responder}));
}

END_FIXTURE_SCOPE()
