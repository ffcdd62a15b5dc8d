#include <callboard/net/backoff.hpp>

#include <vector>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture {
  net::backoff make(caf::timespan base, caf::timespan cap) {
    return net::backoff{[this] { return drawn; }, base, cap};
  }

  double drawn = 0.5;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(backoff_tests, fixture)

CAF_TEST(the bound of the wait doubles up to the cap) {
  auto uut = make(1s, 60s);
  std::vector<caf::timespan> waits;
  for (int i = 0; i < 8; ++i)
    waits.push_back(uut.next());
  std::vector<caf::timespan> expected{500ms, 1s, 2s, 4s, 8s, 16s, 30s, 30s};
  CAF_CHECK_EQUAL(waits, expected);
  CAF_CHECK_EQUAL(uut.attempts(), 8u);
}

CAF_TEST(the jitter is full) {
  auto uut = make(1s, 60s);
  drawn = 0;
  CAF_CHECK_EQUAL(uut.next(), 0s);
  drawn = 0.999;
  CAF_CHECK_EQUAL(uut.next(), 1998ms);
}

CAF_TEST(a reset begins with the first bound) {
  auto uut = make(1s, 60s);
  uut.next();
  uut.next();
  uut.reset();
  CAF_CHECK_EQUAL(uut.attempts(), 0u);
  CAF_CHECK_EQUAL(uut.next(), 500ms);
}

CAF_TEST(a cap that is no power of the base holds) {
  auto uut = make(2s, 3s);
  CAF_CHECK_EQUAL(uut.next(), 1s);
  CAF_CHECK_EQUAL(uut.next(), 1500ms);
  CAF_CHECK_EQUAL(uut.next(), 1500ms);
}

CAF_TEST(the largest cap does not overflow) {
  drawn = 0.25;
  auto uut = make(1s, caf::timespan::max());
  caf::timespan last{0};
  for (int i = 0; i < 100; ++i) {
    auto wait = uut.next();
    CAF_REQUIRE(wait >= last);
    last = wait;
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
