#include <callboard/net/client_pool.hpp>

#include "net/client_pool_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(client_pool_tests, pool_fixture)

CAF_TEST(what is given back is lent again) {
  start();
  add_idle();
  auto x = pool->try_borrow();
  CAF_REQUIRE(x);
  CAF_CHECK(side_of(*x) == sides[0].get());
  CAF_CHECK_EQUAL(pool->stats().leased, 1u);
  CAF_CHECK_EQUAL(pool->stats().idle, 0u);
  x->give_back();
  CAF_CHECK(!*x);
  CAF_CHECK_EQUAL(pool->stats().idle, 1u);
  x->give_back();
  CAF_CHECK_EQUAL(pool->stats().idle, 1u);
  CAF_CHECK_EQUAL(try_words(), "lease");
  CAF_CHECK_EQUAL(sides.size(), 1u);
  CAF_CHECK_EQUAL(pool->stats().borrows, 2u);
}

CAF_TEST(leases can be moved) {
  start();
  add_idle();
  auto x = pool->try_borrow();
  CAF_REQUIRE(x);
  lease y{std::move(*x)};
  CAF_CHECK(!*x);
  CAF_CHECK(y);
  lease z;
  CAF_CHECK(!z);
  z = std::move(y);
  CAF_CHECK_EQUAL(pool->stats().leased, 1u);
  z = lease{};
  CAF_CHECK_EQUAL(pool->stats().idle, 1u);
}

CAF_TEST(the last one in is the first one out) {
  start();
  auto all = borrow_all(3);
  all.clear();
  auto x = pool->try_borrow();
  CAF_REQUIRE(x);
  CAF_CHECK(side_of(*x) == sides[2].get());
}

CAF_TEST(there are never more connections than total_max) {
  start();
  auto all = borrow_all(4);
  CAF_CHECK_EQUAL(pool->stats().total, 4u);
  CAF_CHECK_EQUAL(try_words(), "pool_exhausted");
  CAF_CHECK_EQUAL(sides.size(), 4u);
  all.pop_back();
  CAF_CHECK_EQUAL(try_words(), "lease");
  CAF_CHECK_EQUAL(pool->stats().exhausted, 5u);
}

CAF_TEST(an exhausted pool is an error that passes) {
  options.total_max = options.idle_max = 1;
  start();
  auto all = borrow_all(1);
  auto x = pool->try_borrow();
  CAF_REQUIRE(!x);
  CAF_CHECK(is_error(x.error(), net::pool_errc::pool_exhausted));
  CAF_CHECK(!is_error(x.error(), net::pool_errc::pool_closed));
  auto what = net::details(x.error());
  CAF_CHECK_EQUAL(what.code, 0u);
  CAF_CHECK(what.temporary);
}

CAF_TEST(one opens for each borrower that waits) {
  start();
  for (auto name : {"a", "b", "c"})
    wait_for(1s, name);
  CAF_CHECK_EQUAL(sides.size(), 3u);
  CAF_CHECK_EQUAL(pool->stats().waiting, 3u);
  sides[1]->become(state::ready);
  CAF_CHECK_EQUAL(heard, (words_list{"a: lease"}));
  sides[0]->become(state::ready);
  sides[2]->become(state::ready);
  CAF_CHECK_EQUAL(heard, (words_list{"a: lease", "b: lease", "c: lease"}));
  CAF_CHECK_EQUAL(pool->stats().waiting, 0u);
  CAF_CHECK_EQUAL(pool->stats().waits, 3u);
}

CAF_TEST(borrowers that wait are served in their order) {
  options.total_max = options.idle_max = 1;
  start();
  auto all = borrow_all(1);
  for (auto name : {"a", "b"})
    wait_for(1s, name);
  CAF_CHECK_EQUAL(try_words(), "pool_exhausted");
  all.clear();
  CAF_CHECK_EQUAL(heard, (words_list{"a: lease"}));
  CAF_CHECK_EQUAL(try_words(), "pool_exhausted");
  give_back();
  CAF_CHECK_EQUAL(heard, (words_list{"a: lease", "b: lease"}));
}

CAF_TEST(a wait ends at its time and not before) {
  options.total_max = options.idle_max = 1;
  start();
  auto all = borrow_all(1);
  wait_for(1s, "a");
  wait_for(2s, "b");
  pass(1s - 1ns);
  CAF_CHECK(heard.empty());
  pass(1ns);
  CAF_CHECK_EQUAL(heard, (words_list{"a: pool_exhausted"}));
  pass(1s);
  CAF_CHECK_EQUAL(heard,
                  (words_list{"a: pool_exhausted", "b: pool_exhausted"}));
  CAF_CHECK_EQUAL(pool->stats().waiting, 0u);
  all.clear();
  CAF_CHECK_EQUAL(pool->stats().idle, 1u);
}

CAF_TEST(as many wait as may) {
  options.total_max = options.idle_max = 1;
  options.waiters_max = 2;
  start();
  auto all = borrow_all(1);
  wait_for(1s, "a");
  wait_for(1s, "b");
  CAF_CHECK(heard.empty());
  wait_for(1s, "c");
  CAF_CHECK_EQUAL(heard, (words_list{"c: pool_exhausted"}));
  all.clear();
  wait_for(1s, "d");
  CAF_CHECK_EQUAL(heard, (words_list{"c: pool_exhausted", "a: lease"}));
}

CAF_TEST(a wait of nothing ends at once) {
  start();
  wait_for(0s, "a");
  CAF_CHECK_EQUAL(heard, (words_list{"a: pool_exhausted"}));
  CAF_CHECK_EQUAL(words(pool->borrow(0s)), "pool_exhausted");
  sides[0]->become(state::ready);
  CAF_CHECK_EQUAL(words(pool->borrow(0s)), "lease");
}

CAF_TEST(one that broke while it was unused is replaced) {
  start();
  add_idle();
  sides[0]->state = state::broken;
  CAF_CHECK_EQUAL(try_words(), "pool_exhausted");
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
  CAF_REQUIRE_EQUAL(sides.size(), 2u);
  sides[1]->become(state::ready);
  CAF_CHECK_EQUAL(try_words(), "lease");
  CAF_CHECK_EQUAL(pool->stats().closed_by(net::close_cause::broken), 1u);
}

CAF_TEST(one that comes back broken is replaced) {
  options.total_max = options.idle_max = 1;
  start();
  auto all = borrow_all(1);
  wait_for(1s, "a");
  CAF_CHECK_EQUAL(sides.size(), 1u);
  sides[0]->state = state::broken;
  all.clear();
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
  CAF_REQUIRE_EQUAL(sides.size(), 2u);
  sides[1]->become(state::ready);
  CAF_CHECK_EQUAL(heard, (words_list{"a: lease"}));
  CAF_CHECK(side_of(leases[0]) == sides[1].get());
}

CAF_TEST(a borrower can say that one is broken) {
  start();
  auto all = borrow_all(1);
  all[0].mark_broken();
  all.clear();
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
  CAF_CHECK_EQUAL(pool->stats().total, 0u);
  CAF_CHECK_EQUAL(tried, (std::vector<bool>{true, false}));
}

CAF_TEST(the warm up keeps its pace) {
  options.idle_min = options.idle_max = 3;
  options.openings_max = 2;
  start();
  CAF_CHECK_EQUAL(sides.size(), 0u);
  pool->tick();
  CAF_CHECK_EQUAL(sides.size(), 2u);
  pool->tick();
  CAF_CHECK_EQUAL(sides.size(), 2u);
  sides[0]->become(state::ready);
  CAF_CHECK_EQUAL(sides.size(), 3u);
  sides[1]->become(state::ready);
  sides[2]->become(state::ready);
  pool->tick();
  CAF_CHECK_EQUAL(sides.size(), 3u);
  CAF_CHECK_EQUAL(pool->stats().idle, 3u);
}

CAF_TEST(as many are kept ready beyond those lent) {
  options.idle_min = 1;
  start();
  pool->tick();
  sides[0]->become(state::ready);
  auto x = pool->try_borrow();
  CAF_REQUIRE(x);
  pool->tick();
  CAF_CHECK_EQUAL(sides.size(), 2u);
}

CAF_TEST(an opening has its time) {
  options.open_timeout = 1s;
  start();
  wait_for(10s, "a");
  pass(1s - 1ns);
  CAF_CHECK_EQUAL(sides[0]->closings, 0u);
  pass(1ns);
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
  CAF_CHECK_EQUAL(pool->stats().open_failures, 1u);
  CAF_REQUIRE_EQUAL(sides.size(), 2u);
  // It is too late for the first one.
  sides[0]->become(state::ready);
  CAF_CHECK(heard.empty());
  sides[1]->become(state::ready);
  CAF_CHECK_EQUAL(heard, (words_list{"a: lease"}));
}

CAF_TEST(one that is broken before it could say so is given up) {
  start();
  wait_for(10s, "a");
  sides[0]->state = state::broken;
  pool->tick();
  CAF_CHECK_EQUAL(pool->stats().open_failures, 1u);
  CAF_CHECK_EQUAL(sides.size(), 2u);
}

CAF_TEST(a closed pool lends nothing) {
  options.total_max = options.idle_max = 2;
  start();
  auto all = borrow_all(1);
  add_idle();
  auto x = pool->try_borrow();
  wait_for(1s, "a");
  pool->close();
  CAF_CHECK_EQUAL(heard, (words_list{"a: pool_closed"}));
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
  CAF_CHECK_EQUAL(sides[1]->closings, 1u);
  CAF_CHECK(!all[0]);
  CAF_CHECK(is_error(all[0].why(), net::pool_errc::pool_closed));
  CAF_CHECK_EQUAL(try_words(), "pool_closed");
  CAF_CHECK_EQUAL(words(pool->borrow(1s)), "pool_closed");
  pool->close();
  pool->tick();
  CAF_CHECK_EQUAL(pool->stats().total, 0u);
}

CAF_TEST(leases may outlive their pool) {
  start();
  auto all = borrow_all(2);
  add_idle();
  pool.reset();
  CAF_CHECK_EQUAL(sides[2]->closings, 1u);
  CAF_CHECK(!all[0]);
  all.clear();
  // So may connections that are late.
  sides[0]->become(state::ready);
}

CAF_TEST(a handler may close the pool) {
  options.total_max = options.idle_max = 1;
  start();
  auto all = borrow_all(1);
  pool->borrow_later(1s, [this](caf::expected<lease> x) {
    pool->close();
    heard.push_back(x && !*x ? "closed" : "open");
  });
  all.clear();
  CAF_CHECK_EQUAL(heard, (words_list{"closed"}));
}

CAF_TEST_FIXTURE_SCOPE_END()
