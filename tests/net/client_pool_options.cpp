#include <callboard/net/client_pool_options.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;
using options = net::client_pool_options;

namespace {

template <class F>
bool good_with(F change) {
  options x;
  x.total_max = 20;
  change(x);
  return check(x).empty();
}

} // namespace

CAF_TEST(what is standard is good) {
  CAF_CHECK_EQUAL(check(options{}), "");
  options x;
  x.sized_by_load = true;
  CAF_CHECK_EQUAL(check(x), "");
}

CAF_TEST(numbers have bounds) {
  CAF_CHECK(good_with([](options& x) { x.total_max = 4096; }));
  CAF_CHECK(!good_with([](options& x) { x.total_max = 4097; }));
  CAF_CHECK(good_with([](options& x) { x.idle_max = 20; }));
  CAF_CHECK(!good_with([](options& x) { x.idle_max = 21; }));
  CAF_CHECK(!good_with([](options& x) { x.idle_max = 0; }));
  CAF_CHECK(good_with([](options& x) { x.idle_min = 16; }));
  CAF_CHECK(!good_with([](options& x) { x.idle_min = 17; }));
  CAF_CHECK(good_with([](options& x) { x.waiters_max = 1'000'000; }));
  CAF_CHECK(!good_with([](options& x) { x.waiters_max = 1'000'001; }));
  CAF_CHECK(good_with([](options& x) { x.openings_max = 64; }));
  CAF_CHECK(!good_with([](options& x) { x.openings_max = 65; }));
  CAF_CHECK(!good_with([](options& x) { x.openings_max = 0; }));
  CAF_CHECK(good_with([](options& x) { x.lifetime_jitter = 1; }));
  CAF_CHECK(!good_with([](options& x) { x.lifetime_jitter = 1.01; }));
  CAF_CHECK(!good_with([](options& x) { x.lifetime_jitter = -0.01; }));
}

CAF_TEST(times have bounds) {
  CAF_CHECK(good_with([](options& x) { x.wait_max = 5min; }));
  CAF_CHECK(!good_with([](options& x) { x.wait_max = 5min + 1ns; }));
  CAF_CHECK(!good_with([](options& x) { x.wait_max = -1ns; }));
  CAF_CHECK(good_with([](options& x) { x.open_timeout = 1ms; }));
  CAF_CHECK(!good_with([](options& x) { x.open_timeout = 1ms - 1ns; }));
  CAF_CHECK(good_with([](options& x) { x.ping_interval = 0ms; }));
  CAF_CHECK(!good_with([](options& x) { x.ping_interval = 1h + 1ns; }));
  CAF_CHECK(!good_with([](options& x) { x.ping_timeout = 0ms; }));
  CAF_CHECK(!good_with([](options& x) { x.lease_max = 24h + 1ns; }));
  CAF_CHECK(!good_with([](options& x) { x.idle_time = 24h + 1ns; }));
  CAF_CHECK(good_with([](options& x) { x.lifetime = 168h; }));
  CAF_CHECK(!good_with([](options& x) { x.lifetime = 168h + 1ns; }));
  CAF_CHECK(!good_with([](options& x) { x.sizer.half_life = 99ms; }));
  CAF_CHECK(!good_with([](options& x) { x.sizer.shrink_after = 999ms; }));
}

CAF_TEST(a circuit has bounds) {
  CAF_CHECK(!good_with([](options& x) { x.circuit.error_share = 0; }));
  CAF_CHECK(good_with([](options& x) { x.circuit.error_share = 1; }));
  CAF_CHECK(!good_with([](options& x) { x.circuit.window = 999ms; }));
  CAF_CHECK(!good_with([](options& x) { x.circuit.requests_min = 0; }));
  CAF_CHECK(!good_with([](options& x) { x.circuit.open_time = 99ms; }));
  CAF_CHECK(!good_with([](options& x) { x.circuit.open_time_max = 25h; }));
  CAF_CHECK(!good_with([](options& x) { x.circuit.probes = 101; }));
}

CAF_TEST(what is measured has bounds only where it counts) {
  auto wrong = [](options& x) { x.sizer.targets.utilisation_max = 1; };
  CAF_CHECK(good_with(wrong));
  CAF_CHECK(!good_with([&](options& x) {
    x.sized_by_load = true;
    wrong(x);
  }));
  CAF_CHECK(!good_with([](options& x) {
    x.sized_by_load = true;
    x.sizer.shrink_step = 2;
  }));
}
