// Voters of a topic that have the disk of before: they have forgotten what they
// promised and said, and know that.

#include <callboard/actors/cluster/topic_replica.hpp>

#include <vector>

#include "actors/cluster/replica_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using values = std::vector<int64_t>;

namespace {

struct fixture : replica_fixture {
  // A node comes back with a disk of before.
  static void restore(replica_world& x, uint32_t place,
                      const replica_world::disk& from) {
    x.crash(place);
    x.network.clear();
    x.all_present(7 & ~(1u << place));
    x.restore(place, from);
    x.start(place);
    x.all_present(7);
  }

  // All come back at once, those with a `forgot` as restored copies.
  static void restart_all(replica_world& x) {
    for (uint32_t i = 0; i < x.sites.size(); ++i) {
      x.crash(i);
      x.start(i);
    }
    x.network.clear();
    x.oracle.forgive();
    lead(x, 0, 7);
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a copy that comes back into a term is level in the next one) {
  replica_world::disk before = three.sites[1];
  // Two disks have what is acknowledged, and this is one of them.
  for (auto i = 0; i < 4; ++i) {
    three.append(0);
    std::erase_if(three.network, [](auto& x) { return x.to == 2; });
  }
  three.settle();
  CHECK_EQ(three.at(0).agreed(), 4u);
  auto term = three.at(0).term();
  restore(three, 1, before);
  auto& copy = three.sites[1];
  while (!three.network.empty() || !copy.writes.empty()) {
    while (!three.network.empty())
      three.deliver(0);
    for (uint32_t i = 0; i < 3; ++i)
      three.write(i, 1);
    // Until then it counts for nothing.
    CHECK(!copy.record.whole() || copy.record.head == 4);
  }
  CHECK(three.at(0).leads());
  CHECK(three.at(0).term() > term);
  CHECK(copy.record.whole());
  CHECK_EQ(three.values(1), values({1, 2, 3, 4}));
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(an owner does not have a term of before again) {
  three.append(0);
  three.settle();
  auto term = three.at(0).term();
  replica_world::disk before;
  before.record.promised = 1;
  restore(three, 0, before);
  three.lead(0);
  three.settle();
  CHECK(three.at(0).leads());
  CHECK(three.at(0).term() > term);
  CHECK_EQ(three.values(0), values({1}));
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(a witness has a vote again when both keepers are level) {
  replica_world::disk before = two.sites[2];
  restore(two, 2, before);
  two.settle();
  CHECK(two.sites[2].record.forgot);
  two.tick(0);
  two.settle();
  CHECK(!two.sites[2].record.forgot);
  CHECK_EQ(two.sites[2].record.floor, two.at(0).term());
  two.crash(1);
  two.all_present(5);
  two.settle();
  CHECK(two.at(0).alone());
  CHECK_EQ(two.oracle.trouble, "");
}

CAF_TEST(what all voters together do not know is lost) {
  // Nobody can tell what both others have had.
  three.crash(2);
  three.append(0);
  three.settle();
  for (uint32_t i : {0, 1})
    three.sites[i].record.forgot = true;
  restart_all(three);
  CHECK(three.at(0).leads());
  CHECK_EQ(three.at(0).epoch(), "e" + std::to_string(three.epochs));
  CHECK_EQ(three.values(2), values({1}));
  // What the witness has vouched for is gone.
  two.crash(1);
  two.all_present(5);
  two.settle();
  two.append(0);
  two.settle();
  two.crash(0);
  two.restore(0, {});
  two.sites[0].record.promised = 1;
  restart_all(two);
  CHECK(two.at(0).leads());
  CHECK_EQ(two.values(0), values({}));
  CHECK_EQ(two.oracle.trouble, "");
}

CAF_TEST(a new epoch has nothing acknowledged that is not there) {
  for (uint32_t i = 0; i < 3; ++i)
    three.sites[i].record.forgot = true;
  // It was told how far the others were.
  three.sites[0].record.agreed = 5;
  restart_all(three);
  CHECK(three.at(0).leads());
  CHECK_EQ(three.at(0).agreed(), 0u);
  three.append(0);
  CHECK_EQ(three.at(0).agreed(), 0u);
  three.settle();
  CHECK_EQ(three.at(0).agreed(), 1u);
  CHECK_EQ(three.oracle.trouble, "");
}

END_FIXTURE_SCOPE()
