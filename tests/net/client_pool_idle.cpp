#include <callboard/net/client_pool.hpp>

#include "net/client_pool_fixture.hpp"
#include "support/test.hpp"

// What a pool does with connections that nobody has borrowed.

using namespace callboard;
using namespace std::chrono_literals;
using net::close_cause;

CAF_TEST_FIXTURE_SCOPE(client_pool_idle_tests, pool_fixture)

CAF_TEST(more than idle_max are closed and the oldest go) {
  options.idle_max = 2;
  start();
  auto all = borrow_all(3);
  for (auto i : {1u, 2u, 0u}) {
    all[i].give_back();
    pass(1s);
    if (i == 2)
      CAF_CHECK_EQUAL(pool->stats().idle, 2u);
  }
  CAF_CHECK_EQUAL(pool->stats().idle, 2u);
  CAF_CHECK_EQUAL(sides[1]->closings, 1u);
  CAF_CHECK_EQUAL(pool->stats().closed_by(close_cause::surplus), 1u);
}

CAF_TEST(what is unused for long is closed down to idle_min) {
  options.idle_min = 1;
  options.idle_time = 10s;
  start();
  auto all = borrow_all(3);
  all.clear();
  pass(10s - 1ns);
  CAF_CHECK_EQUAL(pool->stats().idle, 3u);
  pass(1ns);
  CAF_CHECK_EQUAL(pool->stats().idle, 1u);
  CAF_CHECK_EQUAL(pool->stats().closed_by(close_cause::idle), 2u);
  pass(100s);
  CAF_CHECK_EQUAL(pool->stats().idle, 1u);
}

CAF_TEST(what waits for answers is not unused) {
  options.idle_time = 10s;
  start();
  add_idle();
  sides[0]->in_flight = 1;
  pass(11s);
  CAF_CHECK_EQUAL(pool->stats().idle, 1u);
  sides[0]->in_flight = 0;
  pass(1ns);
  CAF_CHECK_EQUAL(pool->stats().idle, 0u);
}

CAF_TEST(a life ends at its time less the jitter) {
  options.lifetime = 100s;
  options.lifetime_jitter = 0.5;
  drawn = 0.5;
  start();
  add_idle();
  pass(75s - 1us);
  CAF_CHECK_EQUAL(pool->stats().idle, 1u);
  pass(2us);
  CAF_CHECK_EQUAL(pool->stats().idle, 0u);
  CAF_CHECK_EQUAL(pool->stats().closed_by(close_cause::lifetime), 1u);
  CAF_CHECK_EQUAL(pool->stats().closed_by(close_cause::broken), 0u);
}

CAF_TEST(an old one that is lent ends when it comes back) {
  options.lifetime = 100s;
  start();
  auto all = borrow_all(1);
  pass(100s);
  CAF_CHECK_EQUAL(sides[0]->closings, 0u);
  all.clear();
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
  CAF_CHECK_EQUAL(pool->stats().closed_by(close_cause::lifetime), 1u);
  CAF_CHECK_EQUAL(tried, (std::vector<bool>{true}));
}

CAF_TEST(a ping is sent each interval) {
  options.ping_interval = 10s;
  options.ping_timeout = 2s;
  start();
  add_idle();
  pass(10s - 1ns);
  CAF_CHECK_EQUAL(sides[0]->pings.size(), 0u);
  pass(1ns);
  CAF_REQUIRE_EQUAL(sides[0]->pings.size(), 1u);
  sides[0]->pings[0](true);
  pass(10s - 1ns);
  CAF_CHECK_EQUAL(sides[0]->pings.size(), 1u);
  pass(1ns);
  CAF_CHECK_EQUAL(sides[0]->pings.size(), 2u);
  CAF_CHECK_EQUAL(pool->stats().idle, 1u);
}

CAF_TEST(a ping without an answer ends the connection at its deadline) {
  options.idle_min = 1;
  options.ping_interval = 10s;
  options.ping_timeout = 2s;
  start();
  add_idle();
  pass(10s);
  pass(2s - 1ns);
  CAF_CHECK_EQUAL(sides[0]->closings, 0u);
  pass(1ns);
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
  CAF_CHECK_EQUAL(pool->stats().ping_failures, 1u);
  CAF_CHECK_EQUAL(pool->stats().closed_by(close_cause::broken), 1u);
  // It is replaced, and the answer is too late.
  CAF_CHECK_EQUAL(sides.size(), 2u);
  sides[0]->pings[0](true);
  CAF_CHECK_EQUAL(pool->stats().ping_failures, 1u);
}

CAF_TEST(a connection is not lent after a ping has failed) {
  options.ping_interval = 10s;
  start();
  add_idle();
  pass(10s);
  CAF_REQUIRE_EQUAL(sides[0]->pings.size(), 1u);
  sides[0]->pings[0](false);
  CAF_CHECK_EQUAL(try_words(), "pool_exhausted");
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
}

CAF_TEST(an answer to an earlier ping counts for nothing) {
  options.ping_interval = 10s;
  options.ping_timeout = 2s;
  start();
  add_idle();
  pass(10s);
  sides[0]->pings[0](true);
  pass(10s);
  sides[0]->pings[0](false);
  CAF_CHECK_EQUAL(try_words(), "lease");
  sides[0]->pings[1](true);
  CAF_CHECK_EQUAL(try_words(), "lease");
}

CAF_TEST(a ping may be under way while its connection is lent) {
  options.ping_interval = 10s;
  start();
  add_idle();
  pass(10s);
  auto x = pool->try_borrow();
  CAF_REQUIRE(x);
  sides[0]->pings[0](false);
  CAF_CHECK(*x);
  x->give_back();
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
}

CAF_TEST(the size follows the load) {
  options.sized_by_load = true;
  options.sizer.half_life = 100ms;
  options.sizer.shrink_after = 10s;
  options.sizer.targets.utilisation_max = 0.5;
  options.openings_max = 4;
  start();
  pool->tick();
  CAF_CHECK_EQUAL(pool->stats().wanted, 1u);
  auto all = borrow_all(2);
  pass(10s);
  pass(10s);
  // Two are borrowed all the time, at a half of it for each.
  CAF_CHECK_EQUAL(pool->stats().wanted, 4u);
  CAF_CHECK_EQUAL(pool->stats().total, 4u);
  for (auto& side : sides)
    if (side->state == state::opening)
      side->become(state::ready);
  all.clear();
  for (int i = 0; i < 10; ++i)
    pass(10s);
  CAF_CHECK_EQUAL(pool->stats().wanted, 1u);
  CAF_CHECK_EQUAL(pool->stats().total, 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
