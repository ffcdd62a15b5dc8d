// When the connections of a node that ends are sent away.

#include <callboard/actors/drain_plan.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

CAF_TEST(many are spread evenly over three quarters of the time) {
  drain_plan plan{1000, 4s};
  CHECK_EQ(plan.due(0ms), 0u);
  size_t before = 0;
  for (auto t = 10ms; t <= 3000ms; t += 10ms) {
    auto due = plan.due(t);
    CHECK_EQ(due, static_cast<size_t>(t.count()) / 3);
    CHECK(due - before >= 3 && due - before <= 4);
    before = due;
  }
  CHECK_EQ(plan.due(2999ms), 999u);
  CHECK_EQ(plan.due(3000ms), 1000u);
  CHECK_EQ(plan.due(1h), 1000u);
}

CAF_TEST(a few do not take longer than they must) {
  drain_plan plan{3, 10s};
  CHECK_EQ(plan.due(0ms), 0u);
  CHECK_EQ(plan.due(9999us), 0u);
  CHECK_EQ(plan.due(10ms), 1u);
  CHECK_EQ(plan.due(20ms), 2u);
  CHECK_EQ(plan.due(29999us), 2u);
  CHECK_EQ(plan.due(30ms), 3u);
}

CAF_TEST(those that wait are closed at nine tenths of the time) {
  drain_plan plan{3, 10s};
  CHECK(!plan.over(0ms));
  CHECK(!plan.over(8999ms));
  CHECK(plan.over(9s));
}

CAF_TEST(without time all are sent away at once) {
  drain_plan plan{3, 0s};
  CHECK_EQ(plan.due(0ms), 3u);
  CHECK(plan.over(0ms));
}

CAF_TEST(nobody is sent away where nobody is) {
  drain_plan plan{0, 10s};
  CHECK_EQ(plan.due(0ms), 0u);
  CHECK_EQ(plan.due(10s), 0u);
}
