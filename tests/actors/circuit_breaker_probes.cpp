// Probes that are not answered.

#include "actors/circuit_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

BEGIN_FIXTURE_SCOPE(circuit_fixture)

CAF_TEST(probes that are never answered open it again) {
  half_open();
  auto late = begin();
  begin();
  begin();
  now += 5s - 1ns;
  CHECK_EQ(wait(), 1s);
  CHECK(is(state::half_open));
  now += 1ns;
  CHECK_EQ(wait(), 10s);
  CHECK(is(state::open));
  CHECK(circuit().cause() == (circuit_counts{1, 1, 0}));
  now += 10s;
  begin();
  // What comes late is no answer of a later probe.
  for (auto x : {verdict::bad, verdict::none, verdict::good})
    for (int i = 0; i < 3; ++i)
      finish(late, x);
  CHECK(is(state::half_open));
  begin();
  begin();
  CHECK_EQ(wait(), 1s);
}

CAF_TEST(probes have as long as it was open before) {
  half_open();
  end(1, verdict::bad);
  now += 10s;
  for (int i = 0; i < 3; ++i)
    begin();
  now += 10s - 1ns;
  CHECK_EQ(wait(), 1s);
  now += 1ns;
  CHECK_EQ(wait(), 20s);
}

CAF_TEST(what may still say something else is waited for) {
  for (auto* longest : {&options.latency, &options.timeout_min}) {
    auto before = std::exchange(*longest, 7s);
    renew();
    half_open();
    for (int i = 0; i < 3; ++i)
      begin();
    now += 7s - 1ns;
    CHECK_EQ(wait(), 1s);
    now += 1ns;
    CHECK_EQ(wait(), 10s);
    *longest = before;
  }
}

CAF_TEST(an answer gives the others their time anew) {
  half_open();
  auto first = begin();
  begin();
  begin();
  now += 4s;
  finish(first, verdict::good);
  now += 5s - 1ns;
  CHECK_EQ(wait(), 1s);
  now += 1ns;
  CHECK_EQ(wait(), 10s);
  CHECK(circuit().cause() == (circuit_counts{2, 1, 0}));
}

CAF_TEST(a rest between probes is not theirs) {
  half_open();
  end(2, verdict::good);
  now += 1h;
  begin();
  CHECK_EQ(wait(), 1s);
  now += 5s - 1ns;
  CHECK_EQ(wait(), 1s);
  now += 1ns;
  CHECK_EQ(wait(), 10s);
}

CAF_TEST(another probe in a place that was left gives no more time) {
  half_open();
  begin();
  begin();
  auto left = begin();
  now += 3s;
  finish(left, verdict::none);
  begin();
  now += 2s;
  CHECK_EQ(wait(), 10s);
}

CAF_TEST(when all places were left the time begins anew) {
  half_open();
  uint32_t round = 0;
  for (int i = 0; i < 3; ++i)
    round = begin();
  now += 4s;
  for (int i = 0; i < 3; ++i)
    finish(round, verdict::none);
  for (int i = 0; i < 3; ++i)
    begin();
  now += 5s - 1ns;
  CHECK_EQ(wait(), 1s);
}

END_FIXTURE_SCOPE()
