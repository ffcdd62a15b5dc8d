#include <callboard/actors/cluster/topic_replica.hpp>

#include <vector>

#include "actors/cluster/replica_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using values = std::vector<int64_t>;

namespace {

struct fixture : replica_fixture {
  static void come_back(replica_world& x) {
    x.rest(1);
    x.start(0);
    lead(x, 0, 7);
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(an owner serves when others are level) {
  CHECK(three.at(0).leads());
  CHECK_EQ(three.at(0).epoch(), "e1");
  CHECK_EQ(three.at(0).term() % 4, 0u);
  CHECK(!three.at(0).alone());
  CHECK(three.at(1).idle());
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(acknowledged is what two disks have) {
  three.append(0);
  three.write(0);
  CHECK_EQ(three.at(0).agreed(), 0u);
  while (!three.network.empty())
    three.deliver(0);
  CHECK_EQ(three.at(0).agreed(), 0u);
  three.write(2);
  while (!three.network.empty())
    three.deliver(0);
  CHECK_EQ(three.at(0).agreed(), 1u);
  three.settle();
  CHECK_EQ(three.values(1), values({1}));
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(the own disk is one of them) {
  three.append(0);
  while (!three.network.empty())
    three.deliver(0);
  three.write(1);
  while (!three.network.empty())
    three.deliver(0);
  CHECK_EQ(three.at(0).agreed(), 0u);
  three.write(2);
  while (!three.network.empty())
    three.deliver(0);
  CHECK_EQ(three.at(0).agreed(), 0u);
  three.write(0);
  CHECK_EQ(three.at(0).agreed(), 1u);
}

CAF_TEST(the next owner goes on in the epoch) {
  three.append(0);
  three.append(0);
  three.settle();
  take_over(three);
  CHECK(three.at(1).leads());
  CHECK_EQ(three.at(1).epoch(), "e1");
  CHECK_EQ(three.at(1).head(), 2u);
  three.append(1);
  three.settle();
  CHECK_EQ(three.at(1).agreed(), 3u);
  CHECK_EQ(three.values(2), values({1, 2, 3}));
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(an owner that comes back has what it missed before it serves) {
  three.append(0);
  three.settle();
  take_over(three);
  for (auto i = 0; i < 10; ++i)
    three.append(1);
  three.settle();
  come_back(three);
  CHECK(three.at(0).leads());
  CHECK_EQ(three.at(0).head(), 11u);
  CHECK_EQ(three.values(0), three.values(1));
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(what only the lost owner had is cut where others have gone on) {
  three.append(0);
  three.settle();
  three.append(0);
  three.write(0);
  CHECK_EQ(three.at(0).agreed(), 1u);
  take_over(three);
  three.append(1);
  three.settle();
  CHECK_EQ(three.values(0), values({1, 2}));
  come_back(three);
  CHECK_EQ(three.values(0), values({1, 3}));
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(who comes back to another owner gives up what nobody had) {
  three.append(0);
  three.settle();
  three.append(0);
  three.write(0);
  take_over(three);
  three.start(0);
  three.all_present(7);
  three.settle();
  CHECK(three.at(1).leads());
  CHECK_EQ(three.values(0), values({1}));
  three.append(1);
  three.settle();
  CHECK_EQ(three.values(0), values({1, 3}));
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(what was cut is known to be missing) {
  three.append(0);
  three.settle();
  three.append(0);
  three.write(0);
  take_over(three);
  three.rest(1);
  three.start(0);
  three.all_present(7);
  three.settle();
  // It is cut, and crashes before it has what it wants.
  three.lead(0);
  while (!three.at(0).on_disk().floor) {
    if (!three.network.empty())
      three.deliver(0);
    for (uint32_t i = 0; i < 3; ++i)
      three.write(i, 1);
  }
  three.crash(0);
  CHECK(!three.sites[0].record.whole());
  CHECK_EQ(three.sites[0].record.floor, three.sites[1].record.term);
}

CAF_TEST(what a term has added is of that term on every disk) {
  three.crash(2);
  three.network.clear();
  three.all_present(3);
  three.append(0);
  three.append(0);
  three.settle();
  three.rest(0);
  three.lead(0);
  three.settle();
  three.append(0);
  three.append(0);
  three.settle();
  // One page has the last ones of the old term and the first of the new one.
  three.start(2);
  three.all_present(7);
  auto& copy = three.sites[2];
  while (!three.network.empty() || !copy.writes.empty()) {
    while (!three.network.empty())
      three.deliver(0);
    three.write(0);
    three.write(2, 1);
    CHECK(copy.record.head <= 2 || copy.record.term == three.at(0).term());
  }
  CHECK_EQ(three.values(2), values({1, 2, 3, 4}));
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(what others have forgotten is passed over) {
  three.append(0);
  three.settle();
  take_over(three);
  for (auto i = 0; i < 10; ++i)
    three.append(1);
  three.settle();
  three.prune(1, 9);
  three.prune(2, 9);
  come_back(three);
  CHECK(three.at(0).leads());
  CHECK_EQ(three.values(0), values({10, 11}));
  CHECK_EQ(three.at(0).head(), 11u);
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(an owner that is cut off acknowledges nothing) {
  three.present(0, 0);
  three.network.clear();
  CHECK(three.sites[0].lost);
  three.all_present(6);
  three.lead(1);
  three.settle();
  CHECK(three.at(1).leads());
  CHECK(!three.at(0).leads());
  three.append(1);
  three.settle();
  CHECK_EQ(three.at(1).agreed(), 1u);
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(who has heard of a higher term serves no longer) {
  three.lead(1);
  three.settle();
  CHECK(three.at(1).leads());
  CHECK(!three.at(0).leads());
  CHECK(three.sites[0].lost);
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(two copies go on with the witness) {
  two.append(0);
  two.settle();
  CHECK_EQ(two.values(1), values({1}));
  CHECK_EQ(two.values(2), values({}));
  take_over(two);
  CHECK(two.at(1).alone());
  CHECK_EQ(two.sites[2].record.floor, two.at(1).term());
  two.append(1);
  two.settle();
  CHECK_EQ(two.at(1).agreed(), 2u);
  CHECK_EQ(two.oracle.trouble, "");
}

CAF_TEST(the witness elects nobody who may lack something) {
  take_over(two);
  two.append(1);
  two.settle();
  two.crash(1);
  two.start(0);
  two.all_present(5);
  two.settle();
  two.lead(0);
  two.settle();
  CHECK(!two.at(0).leads());
  CHECK(!two.at(0).seeks());
  // When the other one is there, the first one catches up.
  two.start(1);
  lead(two, 0, 7);
  CHECK(two.at(0).leads());
  CHECK(!two.at(0).alone());
  CHECK_EQ(two.values(0), values({1}));
  CHECK_EQ(two.oracle.trouble, "");
}

CAF_TEST(an owner that is alone goes on with who comes) {
  two.crash(1);
  two.all_present(5);
  two.settle();
  CHECK(two.at(0).alone());
  CHECK(two.sites[0].lost);
  two.append(0);
  two.settle();
  two.start(1);
  two.all_present(7);
  two.settle();
  CHECK(two.at(0).leads());
  CHECK(!two.at(0).alone());
  CHECK_EQ(two.values(1), values({1}));
  CHECK_EQ(two.oracle.trouble, "");
}

CAF_TEST(who does not answer is not waited for) {
  two.rest(0);
  two.lead(0);
  std::erase_if(two.network, [](auto& x) { return x.to == 1; });
  two.settle();
  CHECK(two.at(0).seeks());
  for (uint32_t i = 0; i < topic_replica::patience_max; ++i) {
    two.tick(0);
    std::erase_if(two.network, [](auto& x) { return x.to == 1; });
    two.settle();
  }
  CHECK(two.at(0).alone());
}

CAF_TEST(who knows of another number of keepers is not heard) {
  auto before = three.sites[1].record;
  replica_message x;
  x.what = replica_call::ask;
  x.term = before.promised + 8;
  for (uint32_t keepers : {2, 3}) {
    x.keepers = keepers;
    three.network.push_back({2, 1, x});
    three.settle();
    CHECK_EQ(three.sites[1].record.promised == x.term, keepers == 3);
  }
}

CAF_TEST(what is asked again while a disk takes its time is written once) {
  auto say = [](replica_world& world, uint32_t to, const replica_message& x) {
    world.network.push_back({0, to, x});
    world.deliver(world.network.size() - 1);
  };
  auto check = [&](replica_world& world, uint32_t to, replica_call what) {
    replica_message x;
    x.what = what;
    x.keepers = world.keepers;
    x.term = world.sites[to].record.promised + 4;
    for (auto i = 0; i < 5; ++i)
      say(world, to, x);
    CHECK_EQ(world.sites[to].writes.size(), 1u);
    world.write(to);
    CHECK_EQ(world.sites[to].record.promised, x.term);
    // The answer may have been lost.
    say(world, to, x);
    CHECK_EQ(world.sites[to].writes.size(), 1u);
  };
  check(three, 1, replica_call::ask);
  check(two, 2, replica_call::vouch);
}

CAF_TEST(two of two wait for each other) {
  replica_world pair{2, 2};
  pair.lead(0);
  pair.settle();
  CHECK(!pair.at(0).leads());
  // Its log counts for no more than before.
  CHECK_EQ(pair.sites[0].record.term, 0u);
  pair.all_present(3);
  pair.lead(0);
  pair.settle();
  CHECK(pair.at(0).leads());
  pair.present(0, 0);
  CHECK(!pair.at(0).leads());
}

CAF_TEST(a copy that was restored has no vote) {
  three.append(0);
  three.settle();
  three.crash(0);
  three.crash(1);
  three.sites[1].record.forgot = true;
  three.network.clear();
  three.start(1);
  lead(three, 1, 6);
  CHECK(!three.at(1).leads());
  three.start(0);
  lead(three, 1, 7);
  CHECK(three.at(1).leads());
  CHECK(three.sites[1].record.whole());
  CHECK(!three.sites[1].record.forgot);
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(where all were restored the best goes on in another epoch) {
  three.append(0);
  three.settle();
  for (uint32_t i = 0; i < 3; ++i) {
    three.crash(i);
    three.sites[i].record.forgot = true;
    three.start(i);
  }
  three.oracle.forgive();
  lead(three, 2, 7);
  CHECK(three.at(2).leads());
  CHECK_EQ(three.at(2).epoch(), "e" + std::to_string(three.epochs));
  CHECK_EQ(three.values(0), values({1}));
  CHECK_EQ(three.values(2), values({1}));
  CHECK_EQ(three.oracle.trouble, "");
}

END_FIXTURE_SCOPE()
