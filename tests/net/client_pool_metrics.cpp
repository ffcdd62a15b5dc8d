#include <callboard/net/client_pool_metrics.hpp>

#include <caf/telemetry/metric_registry.hpp>

#include "net/client_pool_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture : pool_fixture {
  int64_t gauge(caf::string_view name) {
    return registry.gauge_family("callboard", name, {"pool"}, "")
      ->get_or_add({{"pool", "chat"}})
      ->value();
  }

  int64_t connections(caf::string_view state) {
    return registry
      .gauge_family("callboard", "pool-connections", {"pool", "state"}, "")
      ->get_or_add({{"pool", "chat"}, {"state", state}})
      ->value();
  }

  int64_t counter(caf::string_view name) {
    return registry.counter_family("callboard", name, {"pool"}, "", "1", true)
      ->get_or_add({{"pool", "chat"}})
      ->value();
  }

  int64_t counter_by(caf::string_view name, caf::string_view label,
                     caf::string_view value) {
    return registry
      .counter_family("callboard", name, {"pool", label}, "", "1", true)
      ->get_or_add({{"pool", "chat"}, {label, value}})
      ->value();
  }

  caf::telemetry::metric_registry registry;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_pool_metrics_tests, fixture)

CAF_TEST(what has changed is shown and pools of one name add up) {
  net::client_pool_metrics one{registry, "chat"};
  stats x;
  x.idle = 3;
  x.leased = 2;
  x.opening = 1;
  x.waiting = 4;
  x.wanted = 5;
  x.circuit = circuit_state::half_open;
  x.borrows = 10;
  x.waits = 6;
  x.exhausted = 7;
  x.unavailable = 8;
  x.opened = 9;
  x.open_failures = 11;
  x.closed[static_cast<size_t>(net::close_cause::lifetime)] = 12;
  x.ping_failures = 13;
  x.leaks = 14;
  x.circuit_openings = 15;
  one.show(x);
  {
    net::client_pool_metrics two{registry, "chat"};
    two.show(x);
    CAF_CHECK_EQUAL(connections("idle"), 6);
    CAF_CHECK_EQUAL(gauge("pool-circuits-open"), 2);
    CAF_CHECK_EQUAL(counter("pool-borrows"), 20);
  }
  // Counters stay, gauges do not.
  CAF_CHECK_EQUAL(counter("pool-borrows"), 20);
  CAF_CHECK_EQUAL(connections("idle"), 3);
  CAF_CHECK_EQUAL(connections("leased"), 2);
  CAF_CHECK_EQUAL(connections("opening"), 1);
  CAF_CHECK_EQUAL(gauge("pool-waiting"), 4);
  CAF_CHECK_EQUAL(gauge("pool-wanted"), 5);
  CAF_CHECK_EQUAL(gauge("pool-circuits-open"), 1);
  CAF_CHECK_EQUAL(counter("pool-waits"), 12);
  CAF_CHECK_EQUAL(counter_by("pool-refusals", "reason", "pool_exhausted"), 14);
  CAF_CHECK_EQUAL(counter_by("pool-refusals", "reason", "target_unavailable"),
                  16);
  CAF_CHECK_EQUAL(counter("pool-opened"), 18);
  CAF_CHECK_EQUAL(counter("pool-open-failures"), 22);
  CAF_CHECK_EQUAL(counter_by("pool-closed", "cause", "lifetime"), 24);
  CAF_CHECK_EQUAL(counter_by("pool-closed", "cause", "broken"), 0);
  CAF_CHECK_EQUAL(counter("pool-ping-failures"), 26);
  CAF_CHECK_EQUAL(counter("pool-leaks"), 28);
  CAF_CHECK_EQUAL(counter("pool-circuit-openings"), 30);
  one.show({});
  CAF_CHECK_EQUAL(connections("idle"), 0);
}

CAF_TEST(a pool shows what it has with each tick) {
  options.name = "chat";
  auto outside = around();
  outside.metrics = &registry;
  pool = std::make_unique<net::client_pool>(
    options, [this] { return make(); }, outside);
  auto all = borrow_all(2);
  all.pop_back();
  pool->tick();
  CAF_CHECK_EQUAL(connections("idle"), 1);
  CAF_CHECK_EQUAL(connections("leased"), 1);
  CAF_CHECK_EQUAL(counter("pool-borrows"), 2);
  pool.reset();
  CAF_CHECK_EQUAL(connections("idle"), 0);
  CAF_CHECK_EQUAL(connections("leased"), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
