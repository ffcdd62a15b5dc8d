// Tokens of a client, and log-ins that run out.

#include <callboard/net/client_link.hpp>

#include "net/client_link_fixture.hpp"

using namespace callboard;
using namespace callboard::net;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(client_link_tokens_tests, client_link_fixture)

CAF_TEST(a refused token ends a client that has no other) {
  options.token = "T";
  start();
  tell(frame_type::error, "\"no\"", "unauthenticated", 0, 200);
  lose(4500);
  CAF_CHECK_EQUAL(log.back(), "ended unauthenticated");
}

CAF_TEST(each connection has a token of its own) {
  give_tokens();
  start();
  CAF_CHECK_EQUAL(take_log(), (lines{"connecting", "token 0", "open T1"}));
  welcome();
  lose();
  take_log();
  pass(500ms);
  CAF_CHECK_EQUAL(take_log(), (lines{"connecting", "token 0", "open T2"}));
}

CAF_TEST(so many tokens may be refused in a row) {
  give_tokens();
  options.token_refusals_max = 3;
  start();
  for (auto i = 0; i < 2; ++i) {
    tell(frame_type::error, "\"no\"", "token_expired", 0, 201);
    lose(4500);
    CAF_CHECK_EQUAL(uut->state(), client_state::retry_pending);
    take_log();
    pass(2s);
    CAF_CHECK_EQUAL(take_log()[1], "token 2");
  }
  // One that is taken makes up for them.
  welcome();
  for (auto i = 0; i < 2; ++i) {
    lose(4500);
    pass(5s);
  }
  CAF_CHECK_EQUAL(uut->state(), client_state::connecting);
  lose(4500, caf::make_error(errc::unauthenticated));
  CAF_CHECK_EQUAL(log.back(), "ended unauthenticated");
}

CAF_TEST(other refusals are not about the token) {
  give_tokens();
  start();
  lose(4504);
  CAF_CHECK_EQUAL(log.back(), "ended connection_closed");
}

CAF_TEST(without a token there is another try) {
  give_tokens();
  no_tokens = true;
  start();
  CAF_CHECK_EQUAL(take_log(), (lines{"connecting", "token 0", "retry_pending",
                                     "retry 500"}));
  no_tokens = false;
  pass(500ms);
  CAF_CHECK_EQUAL(take_log(), (lines{"connecting", "token 0", "open T1"}));
}

CAF_TEST(a token that comes too late counts for nothing) {
  give_tokens();
  holds_tokens = true;
  start();
  pass(10s);
  CAF_CHECK_EQUAL(log.back(), "retry 500");
  take_log();
  held[0]("late");
  CAF_CHECK_EQUAL(take_log(), lines{});
  pass(500ms);
  CAF_REQUIRE_EQUAL(held.size(), 2u);
  take_log();
  held[0]("late");
  CAF_CHECK_EQUAL(take_log(), lines{});
  held[1]("good");
  held[1]("twice");
  CAF_CHECK_EQUAL(take_log(), lines{"open good"});
}

CAF_TEST(a log - in is made longer in its last tenth) {
  give_tokens();
  start();
  welcome(100'000);
  take_log();
  pass(89'999ms);
  CAF_CHECK_EQUAL(take_log(), lines{});
  pass(1ms);
  CAF_CHECK_EQUAL(take_log(), (lines{"token 1", "connect"}));
  // The answer says how long this one lasts.
  welcome(10'000, transport->last_seq_id);
  CAF_CHECK_EQUAL(take_log(), lines{});
  pass(8'999ms);
  CAF_CHECK_EQUAL(take_log(), lines{});
  pass(1ms);
  CAF_CHECK_EQUAL(take_log(), (lines{"token 1", "connect"}));
}

CAF_TEST(a long log - in is made longer a minute before its end) {
  give_tokens();
  start();
  welcome(3'600'000);
  take_log();
  pass(3'539'999ms);
  CAF_CHECK_EQUAL(take_log(), lines{});
  pass(1ms);
  CAF_CHECK_EQUAL(take_log(), (lines{"token 1", "connect"}));
}

CAF_TEST(a log - in may last longer than clocks can hold) {
  give_tokens();
  start();
  // The year 9999.
  welcome(253'402'300'799'000);
  take_log();
  pass(364 * 24h);
  CAF_CHECK_EQUAL(take_log(), lines{});
  pass(24h);
  CAF_CHECK_EQUAL(take_log(), (lines{"token 1", "connect"}));
}

CAF_TEST(a refresh that fails is tried again twice) {
  give_tokens();
  start();
  welcome(600'000);
  take_log();
  pass(540s);
  CAF_CHECK_EQUAL(take_log(), (lines{"token 1", "connect"}));
  tell(frame_type::error, "\"no\"", "unauthenticated", transport->last_seq_id,
       200);
  CAF_CHECK_EQUAL(take_log(), lines{"error unauthenticated"});
  pass(4'999ms);
  CAF_CHECK_EQUAL(take_log(), lines{});
  no_tokens = true;
  pass(1ms);
  CAF_CHECK_EQUAL(take_log(), (lines{"token 1", "error overloaded"}));
  pass(5s);
  CAF_CHECK_EQUAL(take_log(), (lines{"token 1", "error overloaded"}));
  pass(50s);
  CAF_CHECK_EQUAL(take_log(), lines{});
  CAF_CHECK_EQUAL(uut->state(), client_state::connected);
}

CAF_TEST(without more tokens a log - in just runs out) {
  options.token = "T";
  start();
  welcome(10'000);
  CAF_CHECK(!uut->next_deadline());
}

CAF_TEST(a refresh ends with its connection) {
  give_tokens();
  holds_tokens = true;
  start();
  held.back()("first");
  welcome(10'000);
  pass(9s);
  CAF_REQUIRE_EQUAL(held.size(), 2u);
  lose();
  take_log();
  held[1]("second");
  CAF_CHECK_EQUAL(take_log(), lines{});
}

CAF_TEST_FIXTURE_SCOPE_END()
