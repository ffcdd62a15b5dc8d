// How requests that other nodes serve end without an answer, and what they are
// held to.

#include <callboard/actors/router.hpp>

#include <callboard/actors/responder_error.hpp>

#include "actors/router_peers_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture : router_peers_fixture {
  /// Starts two nodes, of which the second one holds requests to a rule.
  void begin_with(action_options x) {
    add_sites({1, 1});
    sites[1]->node.options.action_rules.push_back({"#", x});
    restart_site(1);
    introduce();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- deadlines and cancelling -------------------------------------------------

CAF_TEST(a cancelled request is withdrawn from the responder) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 7);
  ask(0, alice, "sum", 8);
  cancel(0, alice, "sum", 7);
  REQUIRE_EQ(bob->cancelled.size(), 1u);
  CHECK_EQ(bob->cancelled[0], bob->served[0].first);
  answer(1, bob);
  CHECK_EQ(answers(alice), "8 ok");
  wait(20s);
  CHECK_EQ(answers(alice), "");
}

CAF_TEST(what a dead asker wanted is withdrawn) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 7);
  end(alice);
  CHECK_EQ(counts(bob), "1 served, 1 cancelled");
}

CAF_TEST(an answer that crosses its cancelling is dropped and counted) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 7);
  cut(0);
  answer(1, bob);
  cancel(0, alice, "sum", 7);
  cut(0, false);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(metrics(0).stray_answers->value(), 1);
  CHECK_EQ(counts(bob), "1 served, 0 cancelled");
}

CAF_TEST(a request that is not answered in time fails to the millisecond) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 7, 10s);
  wait(9999ms);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(counts(bob), "1 served, 0 cancelled");
  wait(1ms);
  CHECK_EQ(answers(alice), "7 timeout");
  CHECK_EQ(counts(bob), "1 served, 1 cancelled");
  answer(1, bob);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(metrics(0).requests_timed_out->value(), 1);
  CHECK_EQ(metrics(0).stray_answers->value(), 0);
  CHECK_EQ(metrics(1).stray_answers->value(), 1);
  CHECK_EQ(pending_timers(), 0u);
}

CAF_TEST(the node that serves has a deadline of its own) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 7, 10s);
  // Nothing of the asker's node comes any more.
  cut(1);
  wait(10s);
  CHECK_EQ(counts(bob), "1 served, 1 cancelled");
  CHECK_EQ(metrics(1).requests_timed_out->value(), 1);
  CHECK_EQ(answers(alice), "7 timeout");
  cut(1, false);
  CHECK_EQ(counts(bob), "1 served, 1 cancelled");
  CHECK_EQ(metrics(0).stray_answers->value(), 0);
}

// -- rules and bounds ---------------------------------------------------------

CAF_TEST(the rules of the node that serves hold) {
  begin_with({.rate = {2, 1}});
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 1);
  ask(0, alice, "sum", 2);
  REQUIRE_EQ(alice->answers.size(), 1u);
  CHECK_EQ(alice->answers[0].second.retry_after_ms, 500u);
  CHECK_EQ(answers(alice), "2 rate_limited");
  CHECK_EQ(metrics(1).requests_rate_limited->value(), 1);
  CHECK_EQ(metrics(0).requests_rate_limited->value(), 0);
  auto refused = request(0, "sum");
  refused.receive([](const payload&) { CAF_FAIL("not refused"); },
                  [](const caf::error& x) {
                    CHECK_EQ(x, errc::rate_limited);
                    CHECK_EQ(retry_after_of(x), 500ms);
                  });
  answer(1, bob);
  CHECK_EQ(answers(alice), "1 ok");
}

CAF_TEST(a responder that is too late for askers elsewhere opens its circuit) {
  begin_with({.breaker = true, .circuit = {.requests_min = 2}});
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  // So long on the way that the asker's time is over first.
  cut(1);
  ask(0, alice, "sum", 1, 5s);
  ask(0, alice, "sum", 2, 5s);
  wait(1s);
  cut(1, false);
  wait(4s);
  CHECK_EQ(alice->answers.size(), 2u);
  answers(alice);
  CHECK_EQ(counts(bob), "2 served, 2 cancelled");
  CHECK_EQ(metrics(1).requests_timed_out->value(), 2);
  ask(0, alice, "sum", 3, 5s);
  CHECK_EQ(answers(alice), "3 circuit_open");
  CHECK_EQ(bob->served.size(), 2u);
}

CAF_TEST(a node that takes nothing is asked nothing) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  auto& traffic = *sites[0]->traffic[1];
  traffic.sent = traffic.acknowledged + 32 * 1024 * 1024 + 1;
  ask(0, alice, "sum", 1);
  ask(0, alice, "sum", 0);
  CHECK_EQ(answers(alice), "1 overloaded");
  CHECK_EQ(counts(bob), "0 served, 0 cancelled");
  CHECK_EQ(metrics(0).requests_overloaded->value(), 2);
  traffic.acknowledged = traffic.sent.load();
  ask(0, alice, "sum", 2);
  answer(1, bob);
  CHECK_EQ(answers(alice), "2 ok");
}

CAF_TEST(what waits at another node is bounded in bytes) {
  begin(2);
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  std::string text(1000, 'x');
  auto cost = make_request("sum", 1, 1s, text)->cost();
  sites[0]->node.options.shard_bytes_max = static_cast<size_t>(2 * cost);
  for (uint32_t i = 1; i <= 4; ++i)
    ask(0, alice, "sum", i, 10s, text);
  CHECK_EQ(answers(alice), "4 overloaded");
  answer(1, bob);
  CHECK_EQ(answers(alice), "3 ok");
  ask(0, alice, "sum", 5, 10s, text);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(bob->served.size(), 4u);
}

CAF_TEST(a node that serves as much as it may refuses) {
  begin(2);
  sites[1]->node.options.requests_max = 1;
  restart_site(1);
  introduce();
  auto alice = connect();
  auto bob = responder_at(1, "sum");
  ask(0, alice, "sum", 1);
  ask(0, alice, "sum", 2);
  CHECK_EQ(answers(alice), "2 overloaded");
  answer(1, bob);
  CHECK_EQ(answers(alice), "1 ok");
}

END_FIXTURE_SCOPE()
