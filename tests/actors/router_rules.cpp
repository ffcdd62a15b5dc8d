// How a router holds requests to the rules of their actions.

#include <callboard/actors/router.hpp>

#include <cstddef>
#include <memory>

#include <callboard/actors/responder_error.hpp>
#include <callboard/actors/tenant_space.hpp>

#include "actors/rule_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

BEGIN_FIXTURE_SCOPE(rule_fixture)

// -- rates --------------------------------------------------------------------

CAF_TEST(a rate lets a burst pass and then one at a time) {
  hold("#", {.rate = {10, 3}});
  auto alice = connect();
  auto bob = connect();
  auto carol = connect();
  serve(bob, "sum");
  // Over all who ask.
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(carol, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(carol, "sum"), "rate_limited 100");
  pass(99ms);
  CHECK_EQ(ask_and_wait(alice, "sum"), "rate_limited 1");
  pass(1ms);
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "rate_limited 100");
  CHECK_EQ(bob->served.size(), 4u);
  CHECK_EQ(kept_by_rates(), 3);
  CHECK_EQ(ctx.metrics.requests_failed->value(), 0);
}

CAF_TEST(a notify counts and is dropped without a word) {
  hold("#", {.rate = {2}});
  auto alice = connect();
  auto bob = connect();
  serve(bob, "log");
  ask(alice, "log", 0);
  CHECK_EQ(ask_and_wait(alice, "log"), "");
  ask(alice, "log", 0);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(bob->served.size(), 2u);
  CHECK_EQ(kept_by_rates(), 1);
  CHECK_EQ(ask_and_wait(alice, "log"), "rate_limited 500");
}

CAF_TEST(an open circuit drops notifies) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "log");
  open_circuit(alice, bob, "log");
  ask(alice, "log", 0);
  CHECK_EQ(bob->served.size(), 4u);
  CHECK_EQ(kept_by_circuits(), 1);
  pass(5s);
  ask(alice, "log", 0);
  CHECK_EQ(bob->served.size(), 5u);
  CHECK_EQ(kept_by_circuits(), 1);
}

CAF_TEST(who is refused takes no turn of a responder) {
  hold("#", {.rate = {1, 2}});
  auto alice = connect();
  auto bob = connect();
  auto carol = connect();
  serve(bob, "sum");
  serve(carol, "sum");
  ask(alice, "sum", 1);
  answer(bob);
  ask(alice, "sum", 2);
  answer(carol);
  ask(alice, "sum", 3);
  CHECK_EQ(answers(alice), "1 ok, 2 ok, 3 rate_limited");
  pass(1s);
  ask(alice, "sum", 4);
  CHECK_EQ(bob->served.size(), 2u);
}

// -- rules and bounds ---------------------------------------------------------

CAF_TEST(a rule is for the actions that it matches) {
  hold("bank/+", {.rate = {1}});
  auto alice = connect();
  auto bob = connect();
  for (auto* action : {"bank/pay", "bank/ask", "sum"})
    serve(bob, action);
  CHECK_EQ(ask_and_wait(alice, "bank/pay"), "");
  CHECK_EQ(ask_and_wait(alice, "bank/pay"), "rate_limited 1000");
  CHECK_EQ(ask_and_wait(alice, "bank/ask"), "");
  for (int i = 0; i < 10; ++i)
    CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(guarded(), 2);
}

CAF_TEST(what nobody serves has no state) {
  hold("#", {.rate = {1}});
  auto alice = connect();
  for (int i = 0; i < 10; ++i)
    CHECK_EQ(ask_and_wait(alice, "x" + std::to_string(i)), "no_responder");
  CHECK_EQ(guarded(), 0);
}

CAF_TEST(as many actions have a state as may and one more takes the oldest) {
  node.options.guarded_actions_max = 2;
  hold("#", {.rate = {1}});
  auto alice = connect();
  auto bob = connect();
  for (auto* action : {"a", "b", "c"})
    serve(bob, action);
  CHECK_EQ(ask_and_wait(alice, "a"), "");
  CHECK_EQ(ask_and_wait(alice, "b"), "");
  CHECK_EQ(ask_and_wait(alice, "a"), "rate_limited 1000");
  CHECK_EQ(guarded(), 2);
  CHECK_EQ(evictions(), 0);
  CHECK_EQ(ask_and_wait(alice, "c"), "");
  CHECK_EQ(guarded(), 2);
  CHECK_EQ(evictions(), 1);
  CHECK_EQ(ask_and_wait(alice, "a"), "rate_limited 1000");
  CHECK_EQ(ask_and_wait(alice, "b"), "");
  CHECK_EQ(evictions(), 2);
}

CAF_TEST(a circuit that gives way is counted no longer) {
  node.options.guarded_actions_max = 1;
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "a");
  serve(bob, "b");
  ask(alice, "a", 9);
  auto late = bob->served.back().first;
  open_circuit(alice, bob, "a");
  CHECK_EQ(circuits(circuit_state::open), 1);
  CHECK_EQ(ask_and_wait(alice, "b"), "");
  CHECK_EQ(circuits(circuit_state::open), 0);
  // What is in flight is answered all the same.
  answer(bob, late);
  CHECK_EQ(answers(alice), "9 ok");
  CHECK_EQ(ask_and_wait(alice, "a"), "");
}

CAF_TEST(a router after another begins anew) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "a");
  serve(bob, "b");
  open_circuit(alice, bob, "a");
  open_circuit(alice, bob, "b");
  pass(5s);
  CHECK_EQ(ask_and_wait(alice, "b"), "");
  CHECK_EQ(circuits(circuit_state::open), 1);
  CHECK_EQ(circuits(circuit_state::half_open), 1);
  CHECK_EQ(guarded(), 2);
  restart();
  CHECK_EQ(circuits(circuit_state::open), 0);
  CHECK_EQ(circuits(circuit_state::half_open), 0);
  CHECK_EQ(guarded(), 0);
  serve(bob, "a");
  CHECK_EQ(ask_and_wait(alice, "a"), "");
}

CAF_TEST(a pattern with quotes makes a label that can be read) {
  hold("a\"b\\c", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "a\"b\\c");
  open_circuit(alice, bob, "a\"b\\c");
  CHECK_EQ(circuits(circuit_state::open, "a\"b\\c"), 1);
  auto found = false;
  auto look = [&found](auto*, auto* metric, auto*) {
    for (auto& label : metric->labels())
      found = found || to_string(label.value()) == "a\\\"b\\\\c";
  };
  sys.metrics().collect(look);
  CHECK(found);
}

// -- tenants ------------------------------------------------------------------

CAF_TEST(each tenant has a rate of its own where the application answers) {
  hold("sum", {.rate = {1}});
  auto alice = connect();
  auto acme = tenant_action("acme", "sum");
  auto other = tenant_action("other", "sum");
  auto served = std::make_shared<size_t>(0);
  embed("sum", responder([served](const action_request& x) {
          CHECK_EQ(x.action, "sum");
          ++*served;
          return payload::pack("ok");
        }));
  ask(alice, acme, 1);
  CHECK_EQ(answers(alice), "1 ok");
  CHECK_EQ(ask_and_wait(alice, acme), "rate_limited 1000");
  ask(alice, other, 2);
  CHECK_EQ(answers(alice), "2 ok");
  CHECK_EQ(ask_and_wait(alice, other), "rate_limited 1000");
  // Clients without a tenant have a space of their own, and so has who asks in
  // the application.
  ask(alice, tenant_action("", "sum"), 3);
  ask(alice, "sum", 4);
  CHECK_EQ(answers(alice), "3 ok, 4 ok");
  CHECK_EQ(*served, 4u);
  CHECK_EQ(guarded(), 4);
}

CAF_TEST(what a tenant notifies uses up its own rate) {
  hold("log", {.rate = {1}});
  auto alice = connect();
  auto acme = tenant_action("acme", "log");
  auto other = tenant_action("other", "log");
  auto served = std::make_shared<size_t>(0);
  embed("log", responder([served](const action_request&) {
          ++*served;
          return payload::pack("ok");
        }));
  ask(alice, acme, 0);
  ask(alice, acme, 0);
  CHECK_EQ(*served, 1u);
  CHECK_EQ(kept_by_rates(), 1);
  ask(alice, other, 0);
  CHECK_EQ(*served, 2u);
  CHECK_EQ(kept_by_rates(), 1);
}

CAF_TEST(each tenant has a circuit of its own where the application answers) {
  hold("sum", breaker());
  auto alice = connect();
  auto acme = tenant_action("acme", "sum");
  auto other = tenant_action("other", "sum");
  auto fails = std::make_shared<bool>(true);
  embed("sum",
        responder([fails](const action_request&) -> caf::result<payload> {
          if (*fails)
            return caf::make_error(errc::internal);
          return payload::pack("ok");
        }));
  for (int i = 0; i < 4; ++i)
    CHECK_EQ(ask_and_wait(alice, acme), "internal");
  *fails = false;
  CHECK_EQ(ask_and_wait(alice, acme), "circuit_open 5000");
  CHECK_EQ(circuits(circuit_state::open, "sum"), 1);
  ask(alice, other, 1);
  CHECK_EQ(answers(alice), "1 ok");
  CHECK_EQ(circuits(circuit_state::open, "sum"), 1);
}

CAF_TEST(the states of all tenants share a bound) {
  node.options.guarded_actions_max = 2;
  hold("sum", {.rate = {1}});
  auto alice = connect();
  embed("sum",
        responder([](const action_request&) { return payload::pack("ok"); }));
  CHECK_EQ(ask_and_wait(alice, tenant_action("a", "sum")), "");
  CHECK_EQ(ask_and_wait(alice, tenant_action("b", "sum")), "");
  CHECK_EQ(evictions(), 0);
  CHECK_EQ(ask_and_wait(alice, tenant_action("c", "sum")), "");
  CHECK_EQ(evictions(), 1);
  CHECK_EQ(guarded(), 2);
}

// -- embedded askers ----------------------------------------------------------

CAF_TEST(an embedded asker is told when to come back) {
  hold("#", {.rate = {4, 1}});
  auto bob = connect();
  serve(bob, "a");
  auto first = request("a");
  auto second = request("a");
  second.receive([](const payload&) { CAF_FAIL("not refused"); },
                 [](const caf::error& x) {
                   CHECK(x == errc::rate_limited);
                   CHECK_EQ(retry_after_of(x), 250ms);
                 });
  answer(bob);
  CHECK_EQ(result_of(first), "ok");
}

END_FIXTURE_SCOPE()
