#include <callboard/net/time_slice.hpp>

#include <chrono>

#include "support/test.hpp"

using callboard::net::time_slice;
using namespace std::chrono_literals;

namespace {

struct fixture {
  fixture() : slice{now} {
  }

  /// Rests, begins, and returns whether the slice is over after `used`.
  bool over_after(time_slice::clock::duration rest,
                  time_slice::clock::duration used) {
    now += rest;
    slice.begin(now);
    now += used;
    return slice.over(now);
  }

  time_slice::clock::time_point now{1h};
  time_slice slice;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(time_slice_tests, fixture)

CAF_TEST(a quarter of the rest is a fifth of the time) {
  CAF_CHECK(!over_after(40ms, 10ms - 1ns));
  CAF_CHECK(over_after(40ms, 10ms));
}

CAF_TEST(a slice goes on until it is over) {
  slice.begin(now += 4ms);
  CAF_CHECK(!slice.over(now += 500us));
  CAF_CHECK(!slice.over(now += 499us));
  CAF_CHECK(slice.over(now += 1us));
}

CAF_TEST(the shortest) {
  CAF_CHECK(!over_after(0ms, time_slice::shortest - 1ns));
  CAF_CHECK(over_after(0ms, time_slice::shortest));
}

CAF_TEST(the longest) {
  CAF_CHECK(!over_after(1h, time_slice::longest - 1ns));
  CAF_CHECK(over_after(1h, time_slice::longest));
}

CAF_TEST(the rest is counted from the last look) {
  CAF_CHECK(over_after(400us, 4ms));
  CAF_CHECK(!over_after(400us, 100us - 1ns));
  CAF_CHECK(over_after(400us, 100us));
}

CAF_TEST_FIXTURE_SCOPE_END()
