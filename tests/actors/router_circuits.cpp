// How a router keeps requests from responders that fail.

#include <callboard/actors/router.hpp>

#include <memory>
#include <utility>
#include <vector>

#include "actors/rule_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

/// An embedded responder's behavior, and what it has kept.
struct moody {
  bool fails = true;
  bool keeps = false;
  std::vector<action_request> kept;
};

} // namespace

BEGIN_FIXTURE_SCOPE(rule_fixture)

// -- a circuit's life ---------------------------------------------------------

CAF_TEST(a circuit opens and tells askers when to come back) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  for (int i = 0; i < 3; ++i) {
    CHECK_EQ(ask_and_wait(alice, "sum"), "");
    fail(bob);
    CHECK_EQ(answers(alice), "1 responder_failed");
  }
  CHECK_EQ(circuits(circuit_state::open), 0);
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  fail(bob);
  CHECK_EQ(answers(alice), "1 responder_failed");
  CHECK_EQ(circuits(circuit_state::open), 1);
  CHECK_EQ(openings(), 1);
  CHECK_EQ(ask_and_wait(alice, "sum"), "circuit_open 5000");
  pass(4999ms);
  CHECK_EQ(ask_and_wait(alice, "sum"), "circuit_open 1");
  // No responder has heard of these.
  CHECK_EQ(bob->served.size(), 4u);
  CHECK_EQ(kept_by_circuits(), 2);
  CHECK_EQ(ctx.metrics.requests_failed->value(), 4);
}

CAF_TEST(probes close a circuit) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  open_circuit(alice, bob, "sum");
  pass(5s);
  CHECK_EQ(circuits(circuit_state::open), 1);
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(circuits(circuit_state::open), 0);
  CHECK_EQ(circuits(circuit_state::half_open), 1);
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "circuit_open 1000");
  REQUIRE_EQ(bob->served.size(), 6u);
  answer(bob, bob->served[4].first);
  CHECK_EQ(answers(alice), "1 ok");
  CHECK_EQ(ask_and_wait(alice, "sum"), "circuit_open 1000");
  CHECK_EQ(circuits(circuit_state::half_open), 1);
  answer(bob, bob->served[5].first);
  CHECK_EQ(circuits(circuit_state::half_open), 0);
  CHECK_EQ(openings(), 1);
  answers(alice);
  for (int i = 0; i < 10; ++i)
    CHECK_EQ(ask_and_wait(alice, "sum"), "");
}

CAF_TEST(a bad probe opens a circuit for twice as long) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  open_circuit(alice, bob, "sum");
  pass(5s);
  ask(alice, "sum", 1);
  fail(bob);
  answers(alice);
  CHECK_EQ(ask_and_wait(alice, "sum"), "circuit_open 10000");
  CHECK_EQ(openings(), 2);
  CHECK_EQ(circuits(circuit_state::open), 1);
  CHECK_EQ(circuits(circuit_state::half_open), 0);
}

CAF_TEST(slow answers open a circuit) {
  auto x = breaker();
  x.circuit.latency = 100ms;
  hold("#", x);
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  for (auto took : {100ms, 100ms, 100ms, 100ms, 101ms}) {
    CHECK_EQ(circuits(circuit_state::open), 0);
    ask(alice, "sum", 1);
    pass(took);
    answer(bob);
    CHECK_EQ(answers(alice), "1 ok");
  }
  CHECK_EQ(circuits(circuit_state::open), 1);
}

CAF_TEST(every change is logged) {
  hold("#", breaker());
  std::string log;
  ctx.log_circuit = [&log](std::string_view action, const circuit_breaker& x) {
    log += std::string{action} + ' ' + std::string{to_string(x.state())} + ' '
           + std::to_string(x.cause().failed) + ", ";
  };
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  open_circuit(alice, bob, "sum");
  CHECK_EQ(log, "sum open 4, ");
  log.clear();
  pass(5s);
  for (int i = 0; i < 2; ++i) {
    ask(alice, "sum", 1);
    answer(bob);
  }
  CHECK_EQ(log, "sum half_open 4, sum closed 4, ");
}

// -- what counts --------------------------------------------------------------

CAF_TEST(a death counts and outlives the registration) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  for (uint32_t i = 1; i <= 4; ++i)
    ask(alice, "sum", i);
  kill(bob);
  CHECK_EQ(alice->answers.size(), 4u);
  answers(alice);
  CHECK_EQ(circuits(circuit_state::open), 1);
  CHECK_EQ(ask_and_wait(alice, "sum"), "no_responder");
  auto carol = connect();
  serve(carol, "sum");
  CHECK_EQ(ask_and_wait(alice, "sum"), "circuit_open 5000");
  CHECK_EQ(carol->served.size(), 0u);
}

CAF_TEST(a timeout counts unless its asker was impatient) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  for (uint32_t i = 1; i <= 20; ++i)
    ask(alice, "sum", i, 999ms);
  pass(999ms);
  CHECK_EQ(alice->answers.size(), 20u);
  CHECK_EQ(circuits(circuit_state::open), 0);
  for (uint32_t i = 1; i <= 4; ++i)
    ask(alice, "sum", i, 1s);
  pass(1s);
  CHECK_EQ(circuits(circuit_state::open), 1);
}

CAF_TEST(what is cancelled counts as nothing) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  for (uint32_t i = 1; i <= 10; ++i) {
    ask(alice, "sum", i);
    say(alice, cancel_atom_v, i);
  }
  auto carol = connect();
  for (uint32_t i = 1; i <= 10; ++i)
    ask(carol, "sum", i);
  kill(carol);
  CHECK_EQ(bob->served.size(), 20u);
  CHECK_EQ(circuits(circuit_state::open), 0);
  // Had they been good, these would be too few.
  open_circuit(alice, bob, "sum");
  CHECK_EQ(circuits(circuit_state::open), 1);
  pass(5s);
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(ask_and_wait(alice, "sum"), "circuit_open 1000");
  // Both probes have this number.
  say(alice, cancel_atom_v, uint32_t{1});
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  CHECK_EQ(circuits(circuit_state::half_open), 1);
}

CAF_TEST(errors that an application has of its own are answers) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  request_outcome own;
  own.code = 1001;
  own.name = "too_hard";
  own.temporary = true;
  for (int i = 0; i < 20; ++i) {
    ask(alice, "sum", 1);
    say(bob, resolve_atom_v, bob->served.back().first, own);
  }
  CHECK_EQ(circuits(circuit_state::open), 0);
  answers(alice);
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
}

CAF_TEST(what began before a circuit opened does not close it) {
  hold("#", breaker());
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  for (uint32_t i = 1; i <= 6; ++i)
    ask(alice, "sum", i);
  for (size_t i = 0; i < 4; ++i)
    say(bob, resolve_atom_v, bob->served[i].first,
        request_outcome::failure(errc::responder_failed));
  pass(5s);
  answers(alice);
  CHECK_EQ(ask_and_wait(alice, "sum"), "");
  answer(bob, bob->served[4].first);
  answer(bob, bob->served[5].first);
  CHECK_EQ(circuits(circuit_state::half_open), 1);
}

CAF_TEST(a request that found no room is no probe) {
  hold("#", breaker());
  auto alice = connect();
  auto mood = std::make_shared<moody>();
  embed("a", responder([mood](const action_request& x) -> caf::result<payload> {
          if (mood->fails)
            return caf::make_error(errc::internal);
          if (mood->keeps)
            mood->kept.push_back(x);
          return payload::pack("ok");
        }));
  for (int i = 0; i < 4; ++i)
    CHECK_EQ(ask_and_wait(alice, "a"), "internal");
  CHECK_EQ(ask_and_wait(alice, "a"), "circuit_open 5000");
  pass(5s);
  mood->fails = false;
  mood->keeps = true;
  ask(alice, "a", 0);
  CHECK_EQ(mood->kept.size(), 1u);
  auto bytes_max = std::exchange(node.options.shard_bytes_max, size_t{0});
  for (int i = 0; i < 5; ++i)
    CHECK_EQ(ask_and_wait(alice, "a"), "overloaded 1000");
  CHECK_EQ(circuits(circuit_state::half_open), 1);
  node.options.shard_bytes_max = bytes_max;
  ask(alice, "a", 2);
  ask(alice, "a", 3);
  CHECK_EQ(answers(alice), "2 ok, 3 ok");
  CHECK_EQ(circuits(circuit_state::half_open), 0);
}

END_FIXTURE_SCOPE()
