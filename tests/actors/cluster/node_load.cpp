#include <callboard/actors/cluster/node_load.hpp>

#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture {
  fixture() {
    x.low = 0.7;
    x.connections_max = 100;
  }

  node_intake intake() const {
    return load_of(x).intake;
  }

  load_reading x;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a node tells its numbers) {
  x.score = 0.1234;
  x.connections = 7;
  auto told = load_of(x);
  CHECK_EQ(told.score, 123u);
  CHECK_EQ(told.connections, 7u);
  CHECK_EQ(told.connections_max, 100u);
  CHECK(told.intake == node_intake::open);
  x.score = 1.5;
  CHECK_EQ(load_of(x).score, 1000u);
  x.score = -1;
  CHECK_EQ(load_of(x).score, 0u);
}

CAF_TEST(from the low mark on a node is busy) {
  x.score = 0.699;
  CHECK(intake() == node_intake::open);
  x.score = 0.7;
  CHECK(intake() == node_intake::busy);
  // Below the low mark it may shed for a moment still.
  x.score = 0.1;
  x.sheds = true;
  CHECK(intake() == node_intake::busy);
  // Where nothing is ever shed, no load is too high.
  x = {};
  x.score = 1;
  CHECK(intake() == node_intake::open);
}

CAF_TEST(a node with nearly as many connections as it may have is full) {
  x.connections = 94;
  CHECK(intake() == node_intake::open);
  x.connections = 95;
  CHECK(intake() == node_intake::full);
  x.connections = 100;
  CHECK(intake() == node_intake::full);
  // Of few there is no twentieth.
  x.connections_max = 3;
  x.connections = 2;
  CHECK(intake() == node_intake::open);
  x.connections = 3;
  CHECK(intake() == node_intake::full);
}

CAF_TEST(a node that ends says so before all else) {
  x.draining = x.sheds = true;
  x.connections = 100;
  CHECK(intake() == node_intake::draining);
  x.draining = false;
  CHECK(intake() == node_intake::full);
}

CAF_TEST(the weight is the larger of score and share of connections) {
  CHECK_EQ((node_load{300, 10, 100}).weight(), 300u);
  CHECK_EQ((node_load{300, 50, 100}).weight(), 500u);
  CHECK_EQ((node_load{300, 0, 0}).weight(), 300u);
  // Whatever another node says.
  CHECK_EQ((node_load{5000, 0, 1}).weight(), 1000u);
  CHECK_EQ((node_load{0, ~uint64_t{0}, 1}).weight(), 1000u);
}

CAF_TEST(names and numbers of an intake) {
  for (auto y : {node_intake::open, node_intake::busy, node_intake::full,
                 node_intake::draining}) {
    auto found = node_intake::open;
    CHECK(from_string(to_string(y), found));
    CHECK(found == y);
    CHECK(from_integer(static_cast<uint8_t>(y), found));
    CHECK(found == y);
  }
  auto untouched = node_intake::full;
  CHECK(!from_string("closed", untouched));
  CHECK(!from_integer(4, untouched));
  CHECK(untouched == node_intake::full);
}

END_FIXTURE_SCOPE()
