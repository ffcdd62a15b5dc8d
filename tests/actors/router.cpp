#include <callboard/actors/router.hpp>

#include "actors/router_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

BEGIN_FIXTURE_SCOPE(router_fixture)

// -- answers ------------------------------------------------------------------

CAF_TEST(a request goes to the responder and its answer to the asker) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  CHECK_EQ(bob->registered, std::vector<uint32_t>{1000});
  ask(alice, "sum", 7, 10s, "1+1");
  REQUIRE_EQ(bob->served.size(), 1u);
  auto& [ticket, request] = bob->served[0];
  CHECK_EQ(ticket.shard, 0u);
  CHECK_NE(ticket.number, 0u);
  CHECK_EQ(text_of(request->content.payload), "1+1");
  CHECK_EQ(answers(alice), "");
  answer(bob, "2");
  CHECK_EQ(answers(alice), "7 2");
  CHECK_EQ(ctx.metrics.requests_answered->value(), 1);
}

CAF_TEST(nobody serves an action that was never registered) {
  auto alice = connect();
  ask(alice, "sum", 7);
  REQUIRE_EQ(alice->answers.size(), 1u);
  CHECK_EQ(alice->answers[0].second.code, wire_number(errc::no_responder));
  CHECK(alice->answers[0].second.temporary);
  CHECK_EQ(answers(alice), "7 no_responder");
  CHECK_EQ(ctx.metrics.requests_failed->value(), 1);
}

CAF_TEST(an error of a client passes through as it is) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  ask(alice, "sum", 7);
  request_outcome outcome;
  outcome.code = 1234;
  outcome.name = "too_hard";
  outcome.temporary = true;
  outcome.retry_after_ms = 50;
  outcome.payload = payload::pack("ask somebody else");
  say(bob, resolve_atom_v, bob->served[0].first, outcome);
  REQUIRE_EQ(alice->answers.size(), 1u);
  auto& [call_id, got] = alice->answers[0];
  CHECK_EQ(call_id, 7u);
  CHECK_EQ(got.code, 1234u);
  CHECK_EQ(got.name, "too_hard");
  CHECK(got.temporary);
  CHECK_EQ(got.retry_after_ms, 50u);
  CHECK_EQ(text_of(got.payload), "ask somebody else");
  CHECK_EQ(ctx.metrics.requests_failed->value(), 1);
}

CAF_TEST(nothing is answered twice) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  ask(alice, "sum", 7);
  answer(bob);
  answer(bob);
  CHECK_EQ(answers(alice), "7 ok");
  CHECK_EQ(strays(), 1);
  // The same place in the router's table, and another ticket.
  auto old = bob->served.back().first;
  ask(alice, "sum", 8);
  CHECK_NE(bob->served.back().first.number, old.number);
  answer(bob, old);
  CHECK_EQ(answers(alice), "");
  answer(bob);
  CHECK_EQ(answers(alice), "8 ok");
}

CAF_TEST(only who was given a request may answer it) {
  auto alice = connect();
  auto bob = connect();
  auto mallory = connect();
  serve(bob, "sum");
  serve(mallory, "other");
  ask(alice, "sum", 7);
  auto ticket = bob->served[0].first;
  answer(mallory, ticket);
  caf::anon_send(hub, resolve_atom_v, ticket, request_outcome{});
  sched.run();
  auto elsewhere = ticket;
  elsewhere.shard = 1;
  answer(bob, elsewhere);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(strays(), 3);
  answer(bob);
  CHECK_EQ(answers(alice), "7 ok");
}

CAF_TEST(a connection may ask itself) {
  auto alice = connect();
  serve(alice, "sum");
  ask(alice, "sum", 7);
  answer(alice);
  CHECK_EQ(answers(alice), "7 ok");
  ask(alice, "sum", 8);
  kill(alice);
  auto bob = connect();
  ask(bob, "sum", 1);
  CHECK_EQ(answers(bob), "1 no_responder");
}

// -- deadlines ----------------------------------------------------------------

CAF_TEST(a request that is not answered in time fails to the millisecond) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  ask(alice, "sum", 7, 10s);
  pass(9999ms);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(bob->cancelled.size(), 0u);
  pass(1ms);
  CHECK_EQ(answers(alice), "7 timeout");
  REQUIRE_EQ(bob->cancelled.size(), 1u);
  CHECK_EQ(bob->cancelled[0], bob->served[0].first);
  answer(bob);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(strays(), 1);
  CHECK_EQ(ctx.metrics.requests_timed_out->value(), 1);
  CHECK_EQ(ctx.metrics.requests_answered->value(), 0);
}

CAF_TEST(an answer in the last millisecond is in time) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  ask(alice, "sum", 7, 10s);
  pass(9999ms);
  answer(bob);
  pass(1ms);
  CHECK_EQ(answers(alice), "7 ok");
  CHECK_EQ(bob->cancelled.size(), 0u);
}

CAF_TEST(a timeout is clamped to 1 ms and 300 s) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  ask(alice, "sum", 1, 0s);
  ask(alice, "sum", 2, -5s);
  ask(alice, "sum", 3, 1ns);
  CHECK_EQ(answers(alice), "");
  pass(1ms);
  CHECK_EQ(alice->answers.size(), 3u);
  alice->answers.clear();
  ask(alice, "sum", 4, 24h * 365);
  ask(alice, "sum", 5, caf::infinite);
  pass(299'999ms);
  CHECK_EQ(answers(alice), "");
  pass(1ms);
  CHECK_EQ(alice->answers.size(), 2u);
}

CAF_TEST(between milliseconds no deadline comes early) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  pass(900us);
  ask(alice, "sum", 1, 1ms);
  pass(999us);
  CHECK_EQ(answers(alice), "");
  pass(1ms);
  CHECK_EQ(answers(alice), "1 timeout");
}

CAF_TEST(requests share a few timers and none is under way without requests) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  CHECK_EQ(pending_timers(), 0u);
  // Each of these is due before all others.
  for (uint32_t i = 0; i < 2000; ++i)
    ask(alice, "sum", i + 1, 300s - i * 140ms);
  CHECK(pending_timers() < 200);
  for (uint32_t round = 0; round < 100; ++round) {
    ask(alice, "sum", 3000 + round, 5ms);
    pass(5ms);
  }
  CHECK(pending_timers() < 200);
  pass(301s);
  CHECK_EQ(alice->answers.size(), 2100u);
  CHECK_EQ(pending_timers(), 0u);
}

// -- cancelling ---------------------------------------------------------------

CAF_TEST(a cancelled request is withdrawn from the responder) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  ask(alice, "sum", 7);
  ask(alice, "sum", 8);
  say(alice, cancel_atom_v, uint32_t{7});
  REQUIRE_EQ(bob->cancelled.size(), 1u);
  CHECK_EQ(bob->cancelled[0], bob->served[0].first);
  answer(bob, bob->served[0].first);
  CHECK_EQ(strays(), 1);
  answer(bob, bob->served[1].first);
  CHECK_EQ(answers(alice), "8 ok");
  pass(20s);
  CHECK_EQ(answers(alice), "");
}

CAF_TEST(cancelling what is not in flight does nothing) {
  auto alice = connect();
  auto bob = connect();
  auto carol = connect();
  serve(bob, "sum");
  say(alice, cancel_atom_v, uint32_t{7});
  ask(alice, "sum", 7);
  say(alice, cancel_atom_v, uint32_t{8});
  say(carol, cancel_atom_v, uint32_t{7});
  say(bob, cancel_atom_v, uint32_t{7});
  CHECK_EQ(bob->cancelled.size(), 0u);
  answer(bob);
  CHECK_EQ(answers(alice), "7 ok");
}

// -- deaths -------------------------------------------------------------------

CAF_TEST(what a dead responder had is answered at once) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  serve(bob, "product");
  ask(alice, "sum", 7);
  ask(alice, "sum", 8);
  ask(alice, "product", 9);
  kill(bob);
  REQUIRE_EQ(alice->answers.size(), 3u);
  for (auto& [call_id, outcome] : alice->answers)
    CHECK_EQ(outcome.code, wire_number(errc::responder_failed));
  answers(alice);
  ask(alice, "sum", 10);
  CHECK_EQ(answers(alice), "10 no_responder");
  pass(20s);
  CHECK_EQ(answers(alice), "");
}

CAF_TEST(what a dead asker wanted is withdrawn) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  ask(alice, "sum", 7);
  ask(alice, "sum", 8);
  kill(alice);
  CHECK_EQ(bob->cancelled.size(), 2u);
  CHECK_EQ(ctx.metrics.requests_cancelled->value(), 2);
  pass(20s);
  CHECK_EQ(bob->cancelled.size(), 2u);
  CHECK_EQ(ctx.metrics.requests_timed_out->value(), 0);
}

CAF_TEST(a connection is let go when nothing of it is in flight) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  auto references = [](const fake_client& x) {
    return caf::actor_cast<caf::actor_control_block*>(x.handle)
      ->strong_refs.load();
  };
  auto before = references(alice);
  ask(alice, "sum", 7);
  CHECK(references(alice) > before);
  answer(bob);
  CHECK_EQ(references(alice), before);
  say(bob, unregister_atom_v, std::string{"sum"}, uint32_t{0});
  bob->served.clear();
  CHECK_EQ(references(bob), before);
}

CAF_TEST(a router after another accepts no ticket of the one before) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  ask(alice, "sum", 7);
  auto old = bob->served[0].first;
  restart();
  serve(bob, "sum");
  ask(alice, "sum", 7);
  CHECK_NE(bob->served.back().first.number, old.number);
  answer(bob, old, "old");
  CHECK_EQ(answers(alice), "");
  answer(bob, "new");
  CHECK_EQ(answers(alice), "7 new");
}

END_FIXTURE_SCOPE()
