#include <callboard/net/client_pool.hpp>

#include <callboard/messages/errc.hpp>

#include "net/client_pool_fixture.hpp"
#include "support/test.hpp"

// What a pool does about a target that is not there, or does not want it.

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture : pool_fixture {
  fixture() {
    options.circuit.requests_min = 2;
    options.circuit.open_time = 1s;
    options.circuit.open_time_max = 2s;
  }

  void fail_last() {
    sides.back()->become(state::broken,
                         caf::make_error(caf::sec::cannot_connect_to_node,
                                         "nobody is there"));
  }

  /// Tries in vain, twice.
  void open_circuit() {
    for (int i = 0; i < 2; ++i) {
      try_words();
      fail_last();
    }
    CAF_REQUIRE(pool->stats().circuit == circuit_state::open);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_pool_circuit_tests, fixture)

CAF_TEST(failures open the circuit and borrowers are told at once) {
  start();
  CAF_CHECK_EQUAL(try_words(), "pool_exhausted");
  fail_last();
  CAF_CHECK(pool->stats().circuit == circuit_state::closed);
  CAF_CHECK_EQUAL(try_words(), "pool_exhausted");
  fail_last();
  CAF_CHECK(pool->stats().circuit == circuit_state::open);
  auto x = pool->try_borrow();
  CAF_REQUIRE(!x);
  CAF_CHECK(is_error(x.error(), net::pool_errc::target_unavailable));
  auto what = net::details(x.error());
  CAF_CHECK(what.retry_after == 1s);
  CAF_CHECK(what.sentence.ends_with("nobody is there"));
  wait_for(10s, "a");
  CAF_CHECK_EQUAL(heard, (words_list{"a: target_unavailable"}));
  CAF_CHECK_EQUAL(sides.size(), 2u);
  CAF_CHECK_EQUAL(pool->stats().unavailable, 2u);
  CAF_CHECK_EQUAL(pool->stats().circuit_openings, 1u);
  CAF_CHECK_EQUAL(tried, (std::vector<bool>{false, false}));
}

CAF_TEST(a borrower waits through failures until the circuit opens) {
  start();
  wait_for(10s, "a");
  fail_last();
  CAF_CHECK(heard.empty());
  CAF_REQUIRE_EQUAL(sides.size(), 2u);
  fail_last();
  CAF_CHECK_EQUAL(heard, (words_list{"a: target_unavailable"}));
}

CAF_TEST(one try closes the circuit after its time and not before) {
  start();
  open_circuit();
  now += 1s - 1ns;
  CAF_CHECK_EQUAL(try_words(), "target_unavailable");
  CAF_CHECK_EQUAL(sides.size(), 2u);
  now += 1ns;
  CAF_CHECK_EQUAL(try_words(), "pool_exhausted");
  CAF_CHECK(pool->stats().circuit == circuit_state::half_open);
  CAF_CHECK_EQUAL(sides.size(), 3u);
  // One try at a time.
  wait_for(10s, "a");
  wait_for(10s, "b");
  CAF_CHECK_EQUAL(sides.size(), 3u);
  sides[2]->become(state::ready);
  CAF_CHECK(pool->stats().circuit == circuit_state::closed);
  CAF_CHECK_EQUAL(heard, (words_list{"a: lease"}));
  CAF_CHECK_EQUAL(sides.size(), 4u);
}

CAF_TEST(a try that fails opens the circuit for longer) {
  start();
  open_circuit();
  now += 1s;
  try_words();
  fail_last();
  CAF_CHECK(pool->stats().circuit == circuit_state::open);
  now += 2s - 1ns;
  CAF_CHECK_EQUAL(try_words(), "target_unavailable");
  now += 1ns;
  CAF_CHECK_EQUAL(try_words(), "pool_exhausted");
  CAF_CHECK_EQUAL(pool->stats().circuit_openings, 2u);
}

CAF_TEST(what is there is lent while the circuit is open) {
  start();
  add_idle();
  auto x = pool->try_borrow();
  CAF_REQUIRE(x);
  for (int i = 0; i < 2; ++i) {
    try_words();
    fail_last();
  }
  CAF_CHECK(pool->stats().circuit == circuit_state::open);
  // It may come back, so that it is worth waiting for.
  CAF_CHECK_EQUAL(try_words(), "pool_exhausted");
  wait_for(10s, "a");
  x->give_back();
  CAF_CHECK_EQUAL(heard, (words_list{"a: lease"}));
}

CAF_TEST(no warm up while the circuit is open) {
  options.idle_min = 1;
  start();
  open_circuit();
  auto before = sides.size();
  pool->tick();
  CAF_CHECK_EQUAL(sides.size(), before);
  pass(1s);
  CAF_CHECK_EQUAL(sides.size(), before + 1);
}

CAF_TEST(one that is lost soon has failed) {
  options.idle_min = 1;
  start();
  pool->tick();
  sides[0]->become(state::ready);
  CAF_CHECK(pool->stats().circuit == circuit_state::closed);
  sides[0]->state = state::broken;
  pool->tick();
  CAF_CHECK(pool->stats().circuit == circuit_state::open);
  CAF_CHECK_EQUAL(sides.size(), 1u);
  CAF_CHECK_EQUAL(tried, (std::vector<bool>{true, false}));
  pass(1s);
  CAF_REQUIRE_EQUAL(sides.size(), 2u);
  sides[1]->become(state::ready);
  pass(10s);
  // One that was good for so long is just replaced.
  sides[1]->state = state::broken;
  pool->tick();
  CAF_CHECK(pool->stats().circuit == circuit_state::closed);
  CAF_CHECK_EQUAL(sides.size(), 3u);
}

CAF_TEST(who is refused for good is told so) {
  start();
  wait_for(10s, "a");
  wait_for(10s, "b");
  sides[0]->become(state::broken, caf::make_error(errc::unauthenticated));
  CAF_CHECK_EQUAL(heard,
                  (words_list{"a: unauthenticated", "b: unauthenticated"}));
  CAF_CHECK_EQUAL(pool->stats().waiting, 0u);
}

CAF_TEST(a factory that makes nothing counts as a failure) {
  start();
  none_to_be_had = true;
  wait_for(1s, "a");
  CAF_CHECK(heard.empty());
  pool->tick();
  CAF_CHECK_EQUAL(pool->stats().open_failures, 2u);
  CAF_CHECK_EQUAL(heard, (words_list{"a: target_unavailable"}));
}

CAF_TEST_FIXTURE_SCOPE_END()
