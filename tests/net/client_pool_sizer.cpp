#include <callboard/net/client_pool_sizer.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture {
  fixture() {
    options.targets.utilisation_max = 0.5;
    options.targets.size_max = 20;
    options.half_life = 100ms;
    options.shrink_below = 0.8;
    options.shrink_after = 60s;
    options.shrink_step = 0.25;
  }

  /// Begins anew, with a first measurement.
  void start() {
    uut.emplace(options);
    CAF_REQUIRE_EQUAL(measure(0), options.targets.size_min);
  }

  /// Measures 10 s later, in which so many connections were borrowed. That is a
  /// hundred half-lives, so that nothing older counts.
  size_t measure(size_t borrowed) {
    now += 10s;
    borrows += 100 * borrowed;
    return uut->measure(borrows, borrowed, now);
  }

  net::pool_sizer_options options;
  std::optional<net::pool_sizer> uut;
  uint64_t borrows = 0;
  std::chrono::steady_clock::time_point now{1h};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_pool_sizer_tests, fixture)

CAF_TEST(it grows at once) {
  start();
  CAF_CHECK_EQUAL(measure(5), 10u);
  CAF_CHECK_EQUAL(uut->size(), 10u);
  CAF_CHECK(uut->rate() > 49.9 && uut->rate() < 50.1);
  CAF_CHECK(uut->erlangs() > 4.99 && uut->erlangs() < 5.01);
}

CAF_TEST(it stays within its bounds) {
  options.targets.size_min = 3;
  start();
  CAF_CHECK_EQUAL(measure(10), 20u);
  CAF_CHECK_EQUAL(measure(11), 20u);
  for (int i = 0; i < 100; ++i)
    measure(0);
  CAF_CHECK_EQUAL(uut->size(), 3u);
}

CAF_TEST(a little less changes nothing) {
  start();
  CAF_REQUIRE_EQUAL(measure(5), 10u);
  for (int i = 0; i < 100; ++i)
    CAF_CHECK_EQUAL(measure(4), 10u);
}

CAF_TEST(it shrinks after its time by a step) {
  start();
  CAF_REQUIRE_EQUAL(measure(10), 20u);
  for (int i = 0; i < 6; ++i)
    CAF_CHECK_EQUAL(measure(5), 20u);
  CAF_CHECK_EQUAL(measure(5), 15u);
  for (int i = 0; i < 6; ++i)
    CAF_CHECK_EQUAL(measure(5), 15u);
  CAF_CHECK_EQUAL(measure(5), 12u);
  // Ten are not less than 0.8 of twelve.
  for (int i = 0; i < 20; ++i)
    CAF_CHECK_EQUAL(measure(5), 12u);
}

CAF_TEST(a step does not go below what was wanted meanwhile) {
  start();
  CAF_REQUIRE_EQUAL(measure(10), 20u);
  options.shrink_step = 1;
  uut.emplace(options);
  measure(10);
  CAF_REQUIRE_EQUAL(measure(10), 20u);
  measure(1);
  measure(3);
  for (int i = 0; i < 4; ++i)
    CAF_CHECK_EQUAL(measure(1), 20u);
  CAF_CHECK_EQUAL(measure(1), 6u);
}

CAF_TEST(a load that comes back lets it wait anew) {
  start();
  CAF_REQUIRE_EQUAL(measure(10), 20u);
  for (int i = 0; i < 6; ++i)
    measure(5);
  CAF_CHECK_EQUAL(measure(9), 20u);
  for (int i = 0; i < 6; ++i)
    CAF_CHECK_EQUAL(measure(5), 20u);
  CAF_CHECK_EQUAL(measure(5), 15u);
}

CAF_TEST(it neither grows nor shrinks while the load goes up and down) {
  start();
  CAF_REQUIRE_EQUAL(measure(5), 10u);
  for (int i = 0; i < 100; ++i)
    CAF_REQUIRE_EQUAL(measure(i % 2 == 0 ? 1 : 5), 10u);
}

CAF_TEST(long borrows count without any that begin) {
  start();
  now += 10s;
  CAF_CHECK_EQUAL(uut->measure(borrows, 5, now), 10u);
}

CAF_TEST(a moment is no measurement) {
  start();
  CAF_CHECK_EQUAL(uut->measure(1000, 10, now), 1u);
}

CAF_TEST_FIXTURE_SCOPE_END()
