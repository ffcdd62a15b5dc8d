// Rules for actions that change while these are asked for.

#include <callboard/actors/router.hpp>

#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>

#include "actors/rule_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture : rule_fixture {
  /// Lets the router go by other rules; what follows in steps is still to come.
  void change(std::vector<action_rule> x) {
    auto rules = caf::make_counted<rule_set>(std::vector<topic_rule>{},
                                             std::move(x));
    auto done = self->request(hub, caf::infinite, reload_atom_v, rules);
    sched.run();
    done.receive([] {}, [](const caf::error& why) { CAF_FAIL(why); });
  }

  /// Returns rules for actions that nobody asks for.
  static std::vector<action_rule> many(size_t n) {
    std::vector<action_rule> result;
    for (size_t i = 0; i < n; ++i)
      result.push_back({"other/" + std::to_string(i), {}});
    return result;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- rates --------------------------------------------------------------------

CAF_TEST(a higher rate counts at once and brings no burst) {
  hold("#", {.rate = {10, 3}});
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  for (int i = 0; i < 3; ++i)
    CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "rate_limited 100");
  change({{"#", {.rate = {1000, 100}}}});
  CHECK_EQ(ask_and_wait(alice, "sum"), "rate_limited 1");
  pass(1ms);
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "rate_limited 1");
}

CAF_TEST(a lower rate counts at once) {
  hold("#", {.rate = {100, 50}});
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  change({{"#", {.rate = {1, 2}}}});
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "rate_limited 1000");
}

CAF_TEST(what is there already gets the rule that it had none of) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  for (int i = 0; i < 5; ++i)
    CHECK_EQ(ask_and_wait(alice, "sum"), "");
  change({{"sum", {.rate = {1}}}});
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "rate_limited 1000");
  // A notify as well.
  ask(alice, "sum", 0);
  CHECK_EQ(bob->served.size(), 6u);
  CHECK_EQ(guarded(), 1);
  change({});
  CHECK_EQ(guarded(), 0);
  for (int i = 0; i < 5; ++i)
    CHECK_EQ(ask_and_wait(alice, "sum"), "");
  ask(alice, "sum", 0);
  CHECK_EQ(bob->served.size(), 12u);
}

// -- circuits -----------------------------------------------------------------

CAF_TEST(the same options leave a circuit as it is) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  open_circuit(alice, bob, "sum");
  change({{"new", {}}, {"#", breaker()}});
  CHECK_EQ(ask_and_wait(alice, "sum"), "circuit_open 5000");
  CHECK_EQ(circuits(circuit_state::open), 1);
  CHECK_EQ(openings(), 1);
  CHECK_EQ(guarded(), 1);
  pass(5s);
  for (int i = 0; i < 2; ++i) {
    ask(alice, "sum", 1);
    answer(bob);
  }
  CHECK_EQ(answers(alice), "1 ok, 1 ok");
  CHECK_EQ(circuits(circuit_state::open), 0);
  CHECK_EQ(circuits(circuit_state::half_open), 0);
}

CAF_TEST(other options leave a circuit open) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  open_circuit(alice, bob, "sum");
  auto options = breaker();
  options.circuit.open_time = 1s;
  options.circuit.open_time_max = 2s;
  options.circuit.probes = 1;
  change({{"#", options}});
  CHECK_EQ(circuits(circuit_state::open), 1);
  CHECK_EQ(ask_and_wait(alice, "sum"), "circuit_open 2000");
  pass(2s);
  ask(alice, "sum", 1);
  CHECK_EQ(circuits(circuit_state::half_open), 1);
  answer(bob);
  CHECK_EQ(answers(alice), "1 ok");
  CHECK_EQ(circuits(circuit_state::half_open), 0);
}

CAF_TEST(a circuit without a section is forgotten and its requests go on) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  ask(alice, "sum", 9);
  auto late = bob->served.back().first;
  open_circuit(alice, bob, "sum");
  change({});
  CHECK_EQ(circuits(circuit_state::open), 0);
  CHECK_EQ(guarded(), 0);
  answer(bob, late);
  CHECK_EQ(answers(alice), "9 ok");
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  // One that comes again begins anew.
  change({{"#", breaker()}});
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(circuits(circuit_state::open), 0);
}

CAF_TEST(a circuit without a breaker is closed) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  open_circuit(alice, bob, "sum");
  change({{"#", {.rate = {1}}}});
  CHECK_EQ(circuits(circuit_state::open), 0);
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "rate_limited 1000");
  CHECK_EQ(guarded(), 1);
}

CAF_TEST(a circuit is counted by the pattern that it has now) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  open_circuit(alice, bob, "sum");
  change({{"sum", breaker()}, {"#", {}}});
  CHECK_EQ(circuits(circuit_state::open), 0);
  CHECK_EQ(circuits(circuit_state::open, "sum"), 1);
  CHECK_EQ(openings("sum"), 0);
  CHECK_EQ(ask_and_wait(alice, "sum"), "circuit_open 5000");
  pass(5s);
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(circuits(circuit_state::half_open, "sum"), 1);
  restart();
  CHECK_EQ(circuits(circuit_state::half_open, "sum"), 0);
}

// -- in steps -----------------------------------------------------------------

CAF_TEST(many rules are gone through in steps) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  for (auto* action : {"a", "b", "c", "d"}) {
    serve(bob, action);
    open_circuit(alice, bob, action);
  }
  // One action a step; none of them has a rule any more.
  change(many(20'000));
  CHECK_EQ(guarded(), 3);
  // What is asked for goes by the new rules at once.
  for (auto* action : {"a", "b", "c", "d"})
    CHECK_EQ(ask_and_wait(alice, action), "");
  pass(1ms);
  CHECK_EQ(guarded(), 2);
  CHECK_EQ(circuits(circuit_state::open), 2);
  pass(2ms);
  CHECK_EQ(guarded(), 0);
  CHECK_EQ(circuits(circuit_state::open), 0);
}

CAF_TEST(a reload within another one counts) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  for (auto* action : {"a", "b", "c", "d"}) {
    serve(bob, action);
    open_circuit(alice, bob, action);
  }
  change(many(20'000));
  CHECK_EQ(guarded(), 3);
  change({{"+", breaker()}});
  pass(10ms);
  CHECK_EQ(guarded(), 3);
  CHECK_EQ(circuits(circuit_state::open), 0);
  CHECK_EQ(circuits(circuit_state::open, "+"), 3);
}

CAF_TEST(one that gives way meanwhile is gone for good) {
  node.options.guarded_actions_max = 2;
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  for (auto* action : {"a", "b", "c"})
    serve(bob, action);
  open_circuit(alice, bob, "a");
  open_circuit(alice, bob, "b");
  auto rules = many(20'000);
  rules.push_back({"#", breaker()});
  change(std::move(rules));
  CHECK_EQ(guarded(), 2);
  CHECK_EQ(ask_and_wait(alice, "c"), "");
  CHECK_EQ(guarded(), 2);
  pass(10ms);
  CHECK_EQ(guarded(), 2);
  CHECK_EQ(circuits(circuit_state::open), 1);
}

END_FIXTURE_SCOPE()
