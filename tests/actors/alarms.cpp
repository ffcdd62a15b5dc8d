#include <callboard/actors/alarms.hpp>

#include "support/test.hpp"

using namespace callboard;

using caf::actor_clock;
using std::chrono::nanoseconds;

CAF_TEST(a timer is started only where none fires before) {
  alarms x;
  CHECK(x.arm(100));
  CHECK(!x.arm(100));
  CHECK(!x.arm(200));
  CHECK(x.arm(50));
  CHECK(!x.arm(99));
}

CAF_TEST(timers that are under way are known when an earlier one has fired) {
  alarms x;
  CHECK(x.arm(100));
  CHECK(x.arm(50));
  x.fired(49);
  CHECK(!x.arm(50));
  x.fired(50);
  CHECK(!x.arm(100));
  CHECK(x.arm(60));
  x.fired(1000);
  CHECK(x.arm(1001));
}

CAF_TEST(times are rounded so that nothing comes early) {
  auto at = [](int64_t ns) { return actor_clock::time_point{nanoseconds{ns}}; };
  CHECK_EQ(past_ms(at(1'000'000)), 1);
  CHECK_EQ(coming_ms(at(1'000'000)), 1);
  CHECK_EQ(past_ms(at(1'999'999)), 1);
  CHECK_EQ(coming_ms(at(1'000'001)), 2);
}
