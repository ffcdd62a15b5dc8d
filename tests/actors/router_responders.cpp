#include <callboard/actors/router.hpp>

#include "actors/router_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

BEGIN_FIXTURE_SCOPE(router_fixture)

// -- registering --------------------------------------------------------------

CAF_TEST(registering twice is registering once) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  serve(bob, "sum");
  CHECK_EQ(bob->registered.size(), 2u);
  say(bob, unregister_atom_v, std::string{"sum"}, uint32_t{1001});
  CHECK_EQ(bob->registered.size(), 3u);
  ask(alice, "sum", 7);
  CHECK_EQ(answers(alice), "7 no_responder");
}

CAF_TEST(whoever unregisters still answers what it has) {
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  ask(alice, "sum", 1);
  ask(alice, "sum", 2);
  say(bob, unregister_atom_v, std::string{"sum"}, uint32_t{1001});
  CHECK_EQ(bob->registered.back(), 1001u);
  ask(alice, "sum", 3);
  CHECK_EQ(answers(alice), "3 no_responder");
  answer(bob, bob->served[0].first);
  CHECK_EQ(answers(alice), "1 ok");
  // Served anew beside what is left from before.
  serve(bob, "sum");
  ask(alice, "sum", 4);
  answer(bob, bob->served[2].first);
  CHECK_EQ(answers(alice), "4 ok");
  kill(bob);
  CHECK_EQ(answers(alice), "2 responder_failed");
}

CAF_TEST(unregistering what is not registered is answered as well) {
  auto bob = connect();
  say(bob, unregister_atom_v, std::string{"sum"}, uint32_t{5});
  CHECK_EQ(bob->registered, std::vector<uint32_t>{5});
}

CAF_TEST(a register without a seqId is not answered) {
  auto alice = connect();
  auto bob = connect();
  say(bob, register_atom_v, std::string{"sum"}, uint32_t{0});
  CHECK_EQ(bob->registered.size(), 0u);
  ask(alice, "sum", 7);
  CHECK_EQ(bob->served.size(), 1u);
}

// -- sharing the load ---------------------------------------------------------

CAF_TEST(responders with as much to do take turns) {
  auto alice = connect();
  std::vector<fake_client> all{connect(), connect(), connect()};
  for (auto& x : all)
    serve(x, "sum");
  for (uint32_t i = 0; i < 9; ++i) {
    ask(alice, "sum", i + 1);
    answer(all[i % 3], "by " + std::to_string(i % 3));
    CHECK_EQ(answers(alice),
             std::to_string(i + 1) + " by " + std::to_string(i % 3));
  }
}

CAF_TEST(whoever has the fewest requests in flight gets the next) {
  auto alice = connect();
  auto fast = connect();
  auto slow = connect();
  serve(fast, "sum");
  serve(slow, "sum");
  uint32_t call_id = 0;
  for (int i = 0; i < 6; ++i)
    ask(alice, "sum", ++call_id);
  CHECK_EQ(fast->served.size(), 3u);
  CHECK_EQ(slow->served.size(), 3u);
  for (auto& [ticket, request] : fast->served)
    answer(fast, ticket);
  for (int i = 0; i < 3; ++i)
    ask(alice, "sum", ++call_id);
  CHECK_EQ(fast->served.size(), 6u);
  CHECK_EQ(slow->served.size(), 3u);
  // With three each, turns decide; nobody gets two more than the other.
  for (int i = 0; i < 2; ++i)
    ask(alice, "sum", ++call_id);
  CHECK_EQ(fast->served.size(), 7u);
  CHECK_EQ(slow->served.size(), 4u);
}

// -- notify -------------------------------------------------------------------

CAF_TEST(a notify goes to one responder and leaves nothing behind) {
  auto alice = connect();
  auto bob = connect();
  auto carol = connect();
  serve(bob, "log");
  serve(carol, "log");
  ask(alice, "log", 0);
  ask(alice, "log", 0);
  CHECK_EQ(bob->served.size(), 1u);
  CHECK_EQ(carol->served.size(), 1u);
  CHECK_EQ(bob->served[0].first.number, 0u);
  CHECK_EQ(pending_timers(), 0u);
  answer(bob);
  CHECK_EQ(strays(), 1);
  kill(bob);
  CHECK_EQ(answers(alice), "");
}

CAF_TEST(a notify that nobody serves is dropped) {
  auto alice = connect();
  ask(alice, "log", 0);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(ctx.metrics.requests_failed->value(), 0);
}

// -- bounds -------------------------------------------------------------------

CAF_TEST(as many requests wait as may and the next is told to come again) {
  node.options.requests_max = 3;
  restart();
  auto alice = connect();
  auto bob = connect();
  serve(bob, "sum");
  for (uint32_t i = 1; i <= 3; ++i)
    ask(alice, "sum", i);
  CHECK_EQ(answers(alice), "");
  ask(alice, "sum", 4);
  REQUIRE_EQ(alice->answers.size(), 1u);
  CHECK(alice->answers[0].second.retry_after_ms > 0);
  CHECK_EQ(answers(alice), "4 overloaded");
  CHECK_EQ(ctx.metrics.requests_overloaded->value(), 1);
  CHECK_EQ(bob->served.size(), 3u);
  answer(bob);
  answers(alice);
  ask(alice, "sum", 5);
  CHECK_EQ(answers(alice), "");
  CHECK_EQ(bob->served.size(), 4u);
}

CAF_TEST(as many serve an action as may and the next is refused) {
  node.options.responders_max = 2;
  restart();
  auto alice = connect();
  auto bob = connect();
  auto carol = connect();
  serve(alice, "sum");
  serve(bob, "sum");
  CHECK_EQ(bob->registered.size(), 1u);
  serve(carol, "sum");
  CHECK_EQ(carol->registered.size(), 0u);
  CHECK_EQ(answers(carol), "1000 overloaded");
  // Not counted twice, and per action.
  serve(bob, "sum");
  CHECK_EQ(bob->registered.size(), 2u);
  serve(carol, "product");
  CHECK_EQ(carol->registered.size(), 1u);
  kill(alice);
  serve(carol, "sum");
  CHECK_EQ(carol->registered.size(), 2u);
}

END_FIXTURE_SCOPE()
