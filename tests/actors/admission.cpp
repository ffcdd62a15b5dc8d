#include <callboard/actors/admission.hpp>

#include <array>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

CAF_TEST(as many are let in as may be and no more) {
  admission door{2, 3};
  CHECK(door.admit(0));
  CHECK(door.admit(1));
  CHECK(door.admit(1));
  CHECK_EQ(door.connections(), 3u);
  CHECK(!door.admit(0));
  CHECK(!door.admit(1));
  CHECK_EQ(door.connections(), 3u);
  door.leave(1);
  CHECK_EQ(door.connections(), 2u);
  CHECK(door.admit(0));
  CHECK(!door.admit(0));
}

CAF_TEST(one that was refused leaves no trace on its loop) {
  admission door{2, 1};
  CHECK(door.admit(1));
  for (int i = 0; i < 5; ++i)
    CHECK(!door.admit(0));
  for (int i = 0; i < 4; ++i)
    CHECK_EQ(door.least_loaded(), 0u);
}

CAF_TEST(fewer places take none away and more can be had) {
  admission door{1, 3};
  for (int i = 0; i < 3; ++i)
    CHECK(door.admit(0));
  door.set_connections_max(1);
  CHECK_EQ(door.connections(), 3u);
  door.leave(0);
  door.leave(0);
  CHECK(!door.admit(0));
  door.leave(0);
  CHECK(door.admit(0));
  CHECK(!door.admit(0));
  door.set_connections_max(2);
  CHECK(door.admit(0));
  CHECK(!door.admit(0));
}

CAF_TEST(a place that nobody has is not given back) {
  admission door{2, 2};
  CHECK(door.admit(0));
  door.leave(1);
  CHECK_EQ(door.connections(), 1u);
  CHECK_EQ(door.connections(1), 0u);
  door.leave(0);
  door.leave(0);
  CHECK_EQ(door.connections(), 0u);
  CHECK_EQ(door.connections(0), 0u);
  CHECK(door.admit(0));
  CHECK(door.admit(1));
  CHECK(!door.admit(0));
}

CAF_TEST(each loop knows how many it has) {
  admission door{2, 3};
  door.admit(1);
  door.admit(1);
  CHECK_EQ(door.connections(0), 0u);
  CHECK_EQ(door.connections(1), 2u);
  door.leave(1);
  CHECK_EQ(door.connections(1), 1u);
}

CAF_TEST(empty loops take turns) {
  admission door{3, 100};
  std::vector<uint32_t> order;
  for (int i = 0; i < 6; ++i)
    order.push_back(door.least_loaded());
  CHECK_EQ(order, (std::vector<uint32_t>{0, 1, 2, 0, 1, 2}));
}

CAF_TEST(the loop with the fewest connections gets the next) {
  admission door{3, 100};
  for (uint32_t loop : {0, 0, 0, 1, 2, 2})
    door.admit(loop);
  for (int i = 0; i < 3; ++i)
    CHECK_EQ(door.least_loaded(), 1u);
  door.admit(1);
  door.leave(0);
  door.leave(0);
  for (int i = 0; i < 3; ++i)
    CHECK_EQ(door.least_loaded(), 0u);
}

CAF_TEST(connections that are let in as told spread evenly) {
  admission door{4, 1000};
  std::array<int, 4> counts{};
  for (int i = 0; i < 402; ++i) {
    auto loop = door.least_loaded();
    REQUIRE(door.admit(loop));
    ++counts[loop];
  }
  for (auto n : counts) {
    CHECK_GE(n, 100);
    CHECK_LE(n, 101);
  }
}
