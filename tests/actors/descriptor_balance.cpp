#include <callboard/actors/descriptor_balance.hpp>

#include "support/test.hpp"

using namespace callboard;

namespace {

constexpr auto slack = descriptor_balance::slack;

/// 20 descriptors are in use beside the sockets, as three audits have seen.
struct fixture {
  fixture() {
    for (int i = 0; i < 3; ++i)
      CHECK_EQ(x.observe(20, 0), 0);
  }

  // Returns what the last of `n` counts tells; those before tell nothing.
  int64_t observe(int64_t open, int64_t sockets, int n = 3) {
    for (int i = 1; i < n; ++i)
      CHECK_EQ(x.observe(open, sockets), 0);
    return x.observe(open, sockets);
  }

  descriptor_balance x;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(sockets of clients are no leak) {
  CHECK_EQ(observe(10'020, 10'000), 0);
  CHECK_EQ(observe(20, 0), 0);
}

CAF_TEST(what grows by more than the slack and stays is a leak) {
  CHECK_EQ(observe(120 + slack, 100), 0);
  CHECK_EQ(observe(121 + slack, 100), slack + 1);
}

CAF_TEST(it is told of once) {
  CHECK_EQ(observe(50, 0), 30);
  CHECK_EQ(observe(50, 0), 0);
  CHECK_EQ(observe(50 + slack, 0), 0);
  CHECK_EQ(observe(51 + slack, 0), slack + 1);
}

CAF_TEST(it takes three counts in a row) {
  CHECK_EQ(observe(50, 0, 2), 0);
  CHECK_EQ(observe(20, 0, 1), 0);
  CHECK_EQ(observe(50, 0, 2), 0);
  CHECK_EQ(observe(50, 0, 1), 30);
}

CAF_TEST(the least of the three counts) {
  CHECK_EQ(x.observe(60, 0), 0);
  CHECK_EQ(x.observe(40, 0), 0);
  CHECK_EQ(x.observe(50, 0), 20);
}

CAF_TEST(a count that is low by chance makes nothing a leak) {
  CHECK_EQ(x.observe(2, 0), 0);
  CHECK_EQ(x.observe(2, 0), 0);
  CHECK_EQ(observe(20, 0), 0);
  CHECK_EQ(observe(20, 0), 0);
}

CAF_TEST(what is closed for good is in use no more) {
  CHECK_EQ(observe(10, 0), 0);
  CHECK_EQ(observe(10 + slack, 0), 0);
  CHECK_EQ(observe(11 + slack, 0), slack + 1);
}

END_FIXTURE_SCOPE()
