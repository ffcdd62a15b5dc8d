#include <callboard/net/client_pool_lease.hpp>

#include <map>
#include <set>

#include <callboard/net/client_pool_tenure.hpp>

#include "net/client_pool_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

CAF_TEST_FIXTURE_SCOPE(client_pool_lease_tests, pool_fixture)

CAF_TEST(a lease is a leak after its time and not before) {
  options.lease_max = 10s;
  start();
  auto all = borrow_all(1);
  pass(10s);
  CAF_CHECK(leaks.empty());
  pass(1ns);
  CAF_REQUIRE_EQUAL(leaks.size(), 1u);
  CAF_CHECK_EQUAL(leaks[0].pool, "default");
  CAF_CHECK(leaks[0].held == 10s + 1ns);
  CAF_CHECK(leaks[0].taken_at == now - 10s - 1ns);
  CAF_CHECK(!leaks[0].reclaimed);
  CAF_CHECK(all[0]);
}

CAF_TEST(a leak is told once for each borrow) {
  options.lease_max = 10s;
  start();
  auto all = borrow_all(1);
  for (int i = 0; i < 3; ++i)
    pass(11s);
  CAF_CHECK_EQUAL(leaks.size(), 1u);
  all.clear();
  pass(11s);
  CAF_CHECK_EQUAL(leaks.size(), 1u);
  auto x = pool->try_borrow();
  CAF_REQUIRE(x);
  pass(11s);
  CAF_CHECK_EQUAL(leaks.size(), 2u);
  CAF_CHECK_EQUAL(pool->stats().leaks, 2u);
}

CAF_TEST(all of fifty leaks are told with where they come from) {
  options.lease_max = 10s;
  options.total_max = options.idle_max = 50;
  start();
  std::set<uint32_t> lines;
  auto take = [&](callboard::net::call_site where
                  = callboard::net::call_site::current()) {
    auto x = pool->try_borrow(where);
    if (!x) {
      sides.back()->become(state::ready);
      x = pool->try_borrow(where);
    }
    CAF_REQUIRE(x);
    leases.push_back(std::move(*x));
    lines.insert(where.line());
  };
  for (int i = 0; i < 10; ++i) {
    // Five lines, ten leaks each.
    take();
    take();
    take();
    take();
    take();
  }
  CAF_REQUIRE_EQUAL(lines.size(), 5u);
  pass(11s);
  CAF_REQUIRE_EQUAL(leaks.size(), 50u);
  std::map<uint32_t, size_t> told;
  for (auto& leak : leaks) {
    ++told[leak.line];
    CAF_CHECK(std::string{leak.file}.ends_with("client_pool_lease.cpp"));
    CAF_CHECK(std::string{leak.function} != "");
  }
  CAF_CHECK_EQUAL(told.size(), 5u);
  for (auto line : lines)
    CAF_CHECK_EQUAL(told[line], 10u);
  CAF_CHECK_EQUAL(pool->stats().leaks, 50u);
}

CAF_TEST(where a borrower waited is where it comes from) {
  options.lease_max = 10s;
  start();
  auto line = callboard::net::call_site::current().line() + 1;
  pool->borrow_later(1s, [this](caf::expected<lease> x) {
    leases.push_back(std::move(*x));
  });
  sides[0]->become(state::ready);
  pass(11s);
  CAF_REQUIRE_EQUAL(leaks.size(), 1u);
  CAF_CHECK(leaks[0].line >= line && leaks[0].line <= line + 2);
}

CAF_TEST(a reclaimed lease has nothing and does no harm) {
  options.lease_max = 10s;
  options.reclaim = true;
  options.total_max = options.idle_max = 1;
  start();
  auto all = borrow_all(1);
  wait_for(100s, "a");
  pass(11s);
  CAF_REQUIRE_EQUAL(leaks.size(), 1u);
  CAF_CHECK(leaks[0].reclaimed);
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
  CAF_CHECK(!all[0]);
  CAF_CHECK(all[0].get() == nullptr);
  CAF_CHECK(is_error(all[0].why(), net::pool_errc::lease_reclaimed));
  CAF_CHECK(!net::details(all[0].why()).temporary);
  // Its place is free for another one.
  CAF_REQUIRE_EQUAL(sides.size(), 2u);
  sides[1]->become(state::ready);
  CAF_CHECK_EQUAL(heard, (words_list{"a: lease"}));
  all[0].mark_broken();
  all.clear();
  CAF_CHECK_EQUAL(pool->stats().leased, 1u);
  CAF_CHECK(leases[0]);
  give_back();
  CAF_CHECK_EQUAL(pool->stats().idle, 1u);
  CAF_CHECK_EQUAL(pool->stats().closed_by(net::close_cause::reclaimed), 1u);
}

CAF_TEST(a reclaimed lease may outlive its pool) {
  options.lease_max = 10s;
  options.reclaim = true;
  start();
  auto all = borrow_all(2);
  pass(11s);
  all.pop_back();
  pool.reset();
  CAF_CHECK(is_error(all[0].why(), net::pool_errc::lease_reclaimed));
  all.clear();
}

CAF_TEST(a lease is taken away only from the borrower that was meant) {
  using net::tenure_state;
  net::tenure_stage uut;
  CAF_CHECK(uut.state() == tenure_state::opening);
  uut.lend(1);
  // It comes back and is lent again while somebody looks at the first one.
  CAF_CHECK(uut.change(1, tenure_state::leased, tenure_state::returning));
  uut.set(tenure_state::idle);
  uut.lend(2);
  CAF_CHECK(!uut.change(1, tenure_state::leased, tenure_state::reclaimed));
  CAF_CHECK(uut.state() == tenure_state::leased);
  CAF_CHECK_EQUAL(uut.borrow(), 2u);
  CAF_CHECK(uut.change(2, tenure_state::leased, tenure_state::reclaimed));
  CAF_CHECK(!uut.change(2, tenure_state::leased, tenure_state::returning));
}

CAF_TEST(a lease without a connection has no reason) {
  lease x;
  CAF_CHECK(!x.why());
  start();
  add_idle();
  auto y = pool->try_borrow();
  CAF_REQUIRE(y);
  CAF_CHECK(!y->why());
  y->give_back();
  CAF_CHECK(!y->why());
}

CAF_TEST_FIXTURE_SCOPE_END()
