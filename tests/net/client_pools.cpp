#include <callboard/net/client_pools.hpp>

#include <set>
#include <string>

#include <callboard/messages/errc.hpp>

#include "net/client_pool_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture : pool_fixture {
  fixture() {
    all.targets = {"ws://one/ws", "ws://two/ws"};
    all.pool = options;
    all.pool.total_max = all.pool.idle_max = 1;
    all.pool.circuit.requests_min = 2;
    all.idle_time = 10s;
  }

  void start_all() {
    CAF_REQUIRE_EQUAL(check(all), "");
    pools = std::make_unique<net::client_pools>(
      all,
      [this](const std::string& target, const std::string& authority) {
        return make(target, authority);
      },
      around());
  }

  /// Borrows what has to be opened first.
  lease borrow(const std::string& authority, std::string_view key = {}) {
    auto x = pools->try_borrow(authority, key);
    if (!x) {
      sides.back()->become(state::ready);
      x = pools->try_borrow(authority, key);
    }
    CAF_REQUIRE(x);
    return std::move(*x);
  }

  std::string try_all(const std::string& authority, std::string_view key = {}) {
    return words(pools->try_borrow(authority, key));
  }

  net::client_pools_options all;
  std::unique_ptr<net::client_pools> pools;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_pools_tests, fixture)

CAF_TEST(authorities have their own connections) {
  all.targets.resize(1);
  start_all();
  auto x = borrow("acme");
  auto y = borrow("ajax");
  CAF_CHECK_EQUAL(side_of(x)->authority, "acme");
  CAF_CHECK_EQUAL(side_of(y)->authority, "ajax");
  CAF_CHECK_EQUAL(side_of(x)->target, "ws://one/ws");
  CAF_CHECK_EQUAL(pools->size(), 2u);
}

CAF_TEST(an authority that is exhausted is alone with that) {
  all.targets.resize(1);
  start_all();
  auto x = borrow("acme");
  CAF_CHECK_EQUAL(try_all("acme"), "pool_exhausted");
  auto y = borrow("ajax");
  CAF_CHECK_EQUAL(try_all("ajax"), "pool_exhausted");
  x.give_back();
  CAF_CHECK_EQUAL(try_all("acme"), "lease");
  CAF_CHECK_EQUAL(try_all("ajax"), "pool_exhausted");
}

CAF_TEST(an authority that is refused is alone with that) {
  all.ejection.failures = 2;
  start_all();
  for (int i = 0; i < 4; ++i) {
    try_all("acme");
    sides.back()->become(state::broken, caf::make_error(errc::unauthenticated));
  }
  CAF_CHECK_EQUAL(try_all("acme"), "target_unavailable");
  auto before = sides.size();
  auto x = borrow("ajax");
  auto y = borrow("ajax");
  CAF_CHECK(side_of(x)->target != side_of(y)->target);
  CAF_CHECK_EQUAL(sides.size(), before + 2);
}

CAF_TEST(the target with the least in flight is borrowed from) {
  all.pool.total_max = all.pool.idle_max = 2;
  start_all();
  auto a = borrow("acme");
  auto b = borrow("acme");
  CAF_CHECK(side_of(a)->target != side_of(b)->target);
  auto target = side_of(a)->target;
  a.give_back();
  auto c = borrow("acme");
  CAF_CHECK_EQUAL(side_of(c)->target, target);
}

CAF_TEST(neither authorities nor processes all begin with the same target) {
  start_all();
  std::set<std::string> targets;
  for (int i = 0; i < 20; ++i)
    targets.insert(side_of(borrow(std::to_string(i)))->target);
  CAF_CHECK_EQUAL(targets.size(), 2u);
  targets.clear();
  for (int i = 0; i < 20; ++i) {
    drawn = i / 20.0;
    start_all();
    targets.insert(side_of(borrow("acme"))->target);
  }
  CAF_CHECK_EQUAL(targets.size(), 2u);
}

CAF_TEST(a key keeps its target) {
  all.pool.total_max = all.pool.idle_max = 4;
  start_all();
  auto first = borrow("acme", "room/1");
  auto target = side_of(first)->target;
  for (int i = 0; i < 3; ++i) {
    leases.push_back(borrow("acme", "room/1"));
    CAF_CHECK_EQUAL(side_of(leases.back())->target, target);
  }
  // Exhausted is not unavailable.
  CAF_CHECK_EQUAL(try_all("acme", "room/1"), "pool_exhausted");
  CAF_CHECK_EQUAL(pools->size(), 1u);
}

CAF_TEST(a target that fails is ejected for who has seen it) {
  all.ejection.failures = 2;
  all.ejection.time = 5s;
  all.pool.circuit.requests_min = 100;
  start_all();
  auto first = pools->pool(0, "acme");
  CAF_REQUIRE(first);
  for (int i = 0; i < 2; ++i) {
    CAF_CHECK(!(*first)->try_borrow());
    sides.back()->become(state::broken);
  }
  for (int i = 0; i < 3; ++i) {
    auto x = borrow("acme");
    CAF_CHECK_EQUAL(side_of(x)->target, "ws://two/ws");
  }
  now += 5s;
  auto x = borrow("acme");
  auto y = borrow("acme");
  CAF_CHECK(side_of(x)->target != side_of(y)->target);
}

CAF_TEST(there are as many pools as may be) {
  all.targets.resize(1);
  all.pools_max = 2;
  start_all();
  auto x = borrow("acme");
  auto y = borrow("ajax");
  CAF_CHECK_EQUAL(try_all("third"), "too_many_pools");
  CAF_CHECK(
    is_error(pools->pool(0, "third").error(), net::pool_errc::too_many_pools));
  CAF_CHECK_EQUAL(pools->size(), 2u);
  // One that is unused for long gives way.
  x.give_back();
  now += 10s - 1ns;
  CAF_CHECK_EQUAL(try_all("third"), "too_many_pools");
  now += 1ns;
  CAF_CHECK_EQUAL(try_all("third"), "pool_exhausted");
  CAF_CHECK_EQUAL(sides[0]->closings, 1u);
  CAF_CHECK_EQUAL(sides[1]->closings, 0u);
  CAF_CHECK(y);
}

CAF_TEST(an unused pool is removed but none that is in use) {
  all.targets.resize(1);
  start_all();
  auto x = borrow("acme");
  borrow("ajax");
  auto held = pools->pool(0, "held");
  CAF_REQUIRE(held);
  now += 10s - 1ns;
  pools->tick();
  CAF_CHECK_EQUAL(pools->size(), 3u);
  now += 1ns;
  pools->tick();
  CAF_CHECK_EQUAL(pools->size(), 2u);
  CAF_CHECK(x);
  CAF_CHECK_EQUAL(sides[1]->closings, 1u);
  x.give_back();
  held->reset();
  now += 10s;
  pools->tick();
  CAF_CHECK_EQUAL(pools->size(), 0u);
}

CAF_TEST(closed pools lend nothing) {
  start_all();
  auto x = borrow("acme");
  pools->close();
  CAF_CHECK(!x);
  CAF_CHECK_EQUAL(try_all("acme"), "pool_closed");
  CAF_CHECK_EQUAL(words(pools->borrow("acme", "key", 0s)), "pool_closed");
  CAF_CHECK_EQUAL(pools->size(), 0u);
}

CAF_TEST(each bound is checked) {
  CAF_CHECK_EQUAL(check(all), "");
  auto wrong = [this](auto change) {
    auto x = all;
    change(x);
    return check(x) != "";
  };
  using options_type = net::client_pools_options;
  CAF_CHECK(wrong([](options_type& x) { x.targets.clear(); }));
  CAF_CHECK(wrong([](options_type& x) { x.targets[1] = x.targets[0]; }));
  CAF_CHECK(wrong([](options_type& x) { x.pools_max = 0; }));
  CAF_CHECK(!wrong([](options_type& x) { x.pools_max = 65'536; }));
  CAF_CHECK(wrong([](options_type& x) { x.pools_max = 65'537; }));
  CAF_CHECK(wrong([](options_type& x) { x.idle_time = 1s - 1ns; }));
  CAF_CHECK(wrong([](options_type& x) { x.ejection.failures = 0; }));
  CAF_CHECK(wrong([](options_type& x) { x.ejection.share_max = 1.1; }));
  CAF_CHECK(wrong([](options_type& x) { x.pool.total_max = 0; }));
  auto of = [this](size_t n) {
    auto x = all;
    x.targets.clear();
    for (size_t i = 0; i < n; ++i)
      x.targets.push_back(std::to_string(i));
    return check(x);
  };
  CAF_CHECK_EQUAL(of(64), "");
  CAF_CHECK(of(65) != "");
}

CAF_TEST_FIXTURE_SCOPE_END()
