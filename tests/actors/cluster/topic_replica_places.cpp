// Where the groups of a topic with replicas stand.

#include <callboard/actors/cluster/topic_replica.hpp>

#include "actors/cluster/replica_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

BEGIN_FIXTURE_SCOPE(replica_fixture)

CAF_TEST(where groups stand is acknowledged as events are) {
  three.place(0);
  three.write(0);
  CHECK_EQ(three.at(0).placed(), 0u);
  three.settle();
  CHECK_EQ(three.at(0).placed(), 1u);
  for (uint32_t i = 0; i < 3; ++i)
    CHECK_EQ(three.placed(i), 1u);
  // What is lost is said again.
  three.place(0);
  three.network.clear();
  three.settle();
  CHECK_EQ(three.at(0).placed(), 1u);
  three.tick(0);
  three.settle();
  CHECK_EQ(three.at(0).placed(), 2u);
  CHECK_EQ(three.placed(2), 2u);
}

CAF_TEST(groups go on where the last owner had them) {
  three.place(0);
  three.settle();
  // Only one other node hears of the last change.
  three.place(0);
  std::erase_if(three.network, [](auto& x) { return x.to == 1; });
  three.settle();
  CHECK_EQ(three.at(0).placed(), 2u);
  CHECK_EQ(three.placed(1), 1u);
  take_over(three);
  CHECK(three.at(1).leads());
  CHECK_EQ(three.placed(1), 2u);
  three.place(1);
  three.settle();
  three.rest(1);
  three.start(0);
  lead(three, 0, 7);
  CHECK_EQ(three.placed(0), 3u);
  CHECK_EQ(three.oracle.trouble, "");
}

CAF_TEST(a new copy has the places as well) {
  three.place(0);
  three.settle();
  three.crash(2);
  three.sites[2].places = nullptr;
  three.sites[2].record = {};
  three.sites[2].log = {};
  three.start(2);
  three.all_present(3);
  three.all_present(7);
  three.settle();
  CHECK_EQ(three.placed(2), 1u);
  CHECK_EQ(three.sites[2].record.placed, 1u);
}

CAF_TEST(groups that a topic had before it had copies go along) {
  replica_world pair{2, 2};
  group_place group{"g", 5, 5, {}};
  auto& x = pair.sites[1];
  x.places = std::make_shared<const std::vector<group_place>>(1, group);
  x.record.epoch = "e";
  x.record.head = 1;
  auto event = caf::make_counted<publication>();
  event->offset = 1;
  x.log.events.emplace(1, event);
  pair.start(1);
  pair.all_present(3);
  pair.lead(0);
  pair.settle();
  CHECK(pair.at(0).leads());
  CHECK_EQ(pair.placed(0), 5u);
  CHECK_EQ(pair.placed(1), 5u);
}

END_FIXTURE_SCOPE()
