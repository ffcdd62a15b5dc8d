#include <callboard/actors/circuit_breaker.hpp>

#include "actors/circuit_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

BEGIN_FIXTURE_SCOPE(circuit_fixture)

// -- closed -------------------------------------------------------------------

CAF_TEST(too few requests open nothing) {
  end(3, verdict::bad);
  CHECK(is(state::closed));
  CHECK_EQ(wait(), 0ns);
  end(1, verdict::bad);
  CHECK(is(state::open));
}

CAF_TEST(it opens at its share of errors and not below) {
  end(3, verdict::good);
  end(2, verdict::bad);
  CHECK(is(state::closed));
  end(1, verdict::bad);
  CHECK(is(state::open));
  CHECK(circuit().cause() == (circuit_counts{6, 3, 0}));
}

CAF_TEST(a share whose product is no whole number is exact) {
  options.error_share = 0.07;
  options.requests_min = 100;
  end(93, verdict::good);
  end(6, verdict::bad);
  CHECK(is(state::closed));
  end(1, verdict::bad);
  CHECK(is(state::open));
  renew();
  end(94, verdict::good);
  end(6, verdict::bad);
  CHECK(is(state::closed));
}

CAF_TEST(shares of 1 and 0) {
  options.error_share = 1;
  end(1, verdict::good);
  end(20, verdict::bad);
  CHECK(is(state::closed));
  renew();
  end(4, verdict::bad);
  CHECK(is(state::open));
  renew();
  options.error_share = 0;
  options.latency = 1s;
  end(20, verdict::bad);
  CHECK(is(state::closed));
}

CAF_TEST(the smallest share takes one error) {
  options.error_share = 1e-12;
  end(20, verdict::good);
  CHECK(is(state::closed));
  end(1, verdict::bad);
  CHECK(is(state::open));
}

CAF_TEST(it opens above its latency and not at it) {
  options.latency = 100ms;
  end(20, verdict::good, 100ms);
  CHECK(is(state::closed));
  end(1, verdict::good, 100ms + 1ns);
  CHECK(is(state::open));
  CHECK(circuit().cause() == (circuit_counts{21, 0, 1}));
}

CAF_TEST(latency is that of the 99th percentile) {
  options.latency = 100ms;
  options.requests_min = 200;
  end(2, verdict::good, 1s);
  end(198, verdict::good);
  // The 198th of 200 is quick.
  CHECK(is(state::closed));
  end(1, verdict::good, 1s);
  // The 199th of 201 is slow.
  CHECK(is(state::open));
}

CAF_TEST(without a latency nothing is slow) {
  end(20, verdict::good, 300s);
  CHECK(is(state::closed));
  CHECK(circuit().counts(now) == (circuit_counts{20, 0, 0}));
}

CAF_TEST(what says nothing counts as nothing) {
  options.latency = 1ms;
  end(20, verdict::none, 300s);
  CHECK(circuit().counts(now) == circuit_counts{});
  CHECK(is(state::closed));
}

CAF_TEST(a request leaves the window with its slice) {
  end(3, verdict::bad);
  now += 10s - 1ns;
  CHECK_EQ(circuit().counts(now).failed, 3u);
  now += 1ns;
  CHECK_EQ(circuit().counts(now).failed, 0u);
  // One slice takes the place of another.
  end(3, verdict::bad);
  CHECK(is(state::closed));
  now += 10s - 1ns;
  end(1, verdict::bad);
  CHECK(is(state::open));
}

CAF_TEST(a long rest leaves nothing) {
  end(3, verdict::bad);
  now += 1000h;
  end(3, verdict::bad);
  CHECK(is(state::closed));
}

// -- open ---------------------------------------------------------------------

CAF_TEST(an open one tells how long) {
  end(4, verdict::bad);
  CHECK_EQ(wait(), 5s);
  CHECK(circuit().blocks(now));
  now += 5s - 1ns;
  CHECK_EQ(wait(), 1ns);
  CHECK(circuit().blocks(now));
  CHECK(is(state::open));
  now += 1ns;
  CHECK(!circuit().blocks(now));
  CHECK_EQ(wait(), 0ns);
  CHECK(is(state::half_open));
}

// -- half-open ----------------------------------------------------------------

CAF_TEST(so many probes pass and no more) {
  half_open();
  for (int i = 0; i < 3; ++i)
    begin();
  CHECK_EQ(wait(), 1s);
  CHECK(!circuit().blocks(now));
}

CAF_TEST(who comes too late for a probe waits no longer than it was open) {
  options.open_time = 100ms;
  half_open();
  for (int i = 0; i < 3; ++i)
    begin();
  CHECK_EQ(wait(), 100ms);
}

CAF_TEST(it closes when all probes are good) {
  half_open();
  auto first = begin();
  auto second = begin();
  auto third = begin();
  finish(second, verdict::good);
  finish(third, verdict::good);
  CHECK(is(state::half_open));
  // A place is taken once for all.
  CHECK_EQ(wait(), 1s);
  finish(first, verdict::good);
  CHECK(is(state::closed));
  // With nothing of what was before.
  end(3, verdict::bad);
  CHECK(is(state::closed));
}

CAF_TEST(one bad probe opens it for twice as long up to a bound) {
  half_open();
  for (auto time : {10s, 20s, 40s, 60s, 60s}) {
    end(2, verdict::good);
    end(1, verdict::bad);
    CHECK(is(state::open));
    CHECK_EQ(wait(), time);
    CHECK(circuit().cause() == (circuit_counts{3, 1, 0}));
    now += time;
  }
  end(3, verdict::good);
  CHECK(is(state::closed));
  end(4, verdict::bad);
  CHECK_EQ(wait(), 5s);
}

CAF_TEST(it is never open for less than at first) {
  options.open_time = 2min;
  half_open();
  end(1, verdict::bad);
  CHECK_EQ(wait(), 2min);
}

CAF_TEST(a slow probe is bad) {
  options.latency = 100ms;
  half_open();
  end(1, verdict::good, 100ms);
  CHECK(is(state::half_open));
  end(1, verdict::good, 100ms + 1ns);
  CHECK(is(state::open));
  CHECK(circuit().cause() == (circuit_counts{2, 0, 1}));
}

CAF_TEST(a probe that says nothing leaves its place) {
  half_open();
  auto first = begin();
  begin();
  begin();
  finish(first, verdict::none);
  begin();
  CHECK_EQ(wait(), 1s);
}

// -- rounds -------------------------------------------------------------------

CAF_TEST(what began before a change counts as nothing after it) {
  auto old = begin();
  half_open();
  auto probe = begin();
  finish(old, verdict::bad);
  CHECK(is(state::half_open));
  for (int i = 0; i < 3; ++i)
    finish(old, verdict::good);
  CHECK(is(state::half_open));
  // Nor does it leave a place that it never had.
  finish(old, verdict::none);
  end(1, verdict::good);
  begin();
  CHECK_EQ(wait(), 1s);
  finish(probe, verdict::bad);
  CHECK(is(state::open));
  finish(probe, verdict::good);
  CHECK_EQ(wait(), 10s);
  now += 10s;
  end(3, verdict::good);
  for (int i = 0; i < 4; ++i)
    finish(old, verdict::bad);
  CHECK(is(state::closed));
}

// -- other options ------------------------------------------------------------

CAF_TEST(the same options change nothing) {
  end(3, verdict::bad);
  circuit().change(options, now);
  end(1, verdict::bad);
  CHECK(is(state::open));
}

CAF_TEST(other options begin the counts anew) {
  end(3, verdict::bad);
  auto early = begin();
  options.requests_min = 2;
  circuit().change(options, now);
  CHECK(circuit().counts(now) == circuit_counts{});
  end(1, verdict::bad);
  finish(early, verdict::bad);
  CHECK(is(state::closed));
  end(1, verdict::bad);
  CHECK(is(state::open));
}

CAF_TEST(other options leave it open as long as it would be) {
  end(4, verdict::bad);
  options.open_time = 1h;
  options.open_time_max = 2h;
  circuit().change(options, now + 1s);
  now += 1s;
  CHECK_EQ(wait(), 4s);
}

CAF_TEST(other options leave it open no longer than they would) {
  end(4, verdict::bad);
  options.open_time = 1s;
  options.open_time_max = 2s;
  circuit().change(options, now);
  CHECK_EQ(circuit().open_time(), 2s);
  CHECK_EQ(wait(), 2s);
  now += 2s;
  CHECK_EQ(wait(), 0ns);
  CHECK(is(state::half_open));
}

CAF_TEST(other options let other probes through) {
  options.probes = 3;
  half_open();
  auto early = begin();
  finish(begin(), verdict::good);
  options.probes = 1;
  circuit().change(options, now);
  CHECK(is(state::half_open));
  finish(early, verdict::good);
  CHECK(is(state::half_open));
  end(1, verdict::good);
  CHECK(is(state::closed));
}

END_FIXTURE_SCOPE()
