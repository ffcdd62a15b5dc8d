// Durable topics with copies at other nodes of a cluster.

#include <callboard/actors/broker.hpp>

#include <string>

#include "store/durable_sites_fixture.hpp"

#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture : durable_sites {
  size_t kept(size_t store, const std::string& topic) {
    return stores[store]->events_of(topic).size();
  }

  // Returns which of the first two has a copy of what `c` owns.
  size_t copy_of(const std::string& topic) {
    return kept(0, topic) > 0 ? 0 : 1;
  }

  // Lets `c` go on with the other one of the first two.
  void lose(size_t site) {
    crash(site);
    view({1 - site, 2});
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(what is accepted is on the disks of all that keep it) {
  auto topic = topic_of(2, 0, "copies3/");
  auto& x = connect(0);
  CHECK_EQ(publish(x, topic, "1", 5), answered(5, "c.1", 1));
  CHECK_EQ(publish(x, topic, "2", 6), answered(6, "c.1", 2));
  for (size_t i = 0; i < 3; ++i)
    CHECK_EQ(kept(i, topic), 2u);
  topic = topic_of(2, 0, "copies2/");
  publish(x, topic, "1", 7);
  CHECK_EQ(kept(2, topic), 1u);
  CHECK_EQ(kept(0, topic) + kept(1, topic), 1u);
}

CAF_TEST(nobody has an event before the second disk does) {
  auto topic = topic_of(2, 0, "copies2/");
  auto& x = connect(2);
  subscribe(x, topic);
  publish(x, topic, "1");
  x.heard();
  auto copy = copy_of(topic);
  stores[copy]->at_once = false;
  CHECK_EQ(publish(x, topic, "2", 5), "");
  stores[copy]->commit();
  settle();
  auto told = x.heard();
  CHECK(has(told, answered(5, "c.1", 2)));
  CHECK(has(told, event(topic, 2, "2")));
}

CAF_TEST(the same id is accepted once) {
  auto topic = topic_of(2, 0, "copies2/");
  auto& x = connect(0, 0, "ann");
  CHECK_EQ(publish(x, topic, "1", 5, false, "i"), answered(5, "c.1", 1));
  CHECK_EQ(publish(x, topic, "1", 6, false, "i"), answered(6, "c.1", 1));
  CHECK_EQ(kept(2, topic), 1u);
}

CAF_TEST(a topic goes on without its copy and brings it level again) {
  auto topic = topic_of(2, 0, "copies2/");
  auto& x = connect(2);
  publish(x, topic, "1");
  auto copy = copy_of(topic);
  lose(copy);
  CHECK_EQ(publish(x, topic, "2", 6), answered(6, "c.1", 2));
  CHECK_EQ(kept(copy, topic), 1u);
  view({1 - copy, 2, next_run(copy)});
  CHECK_EQ(kept(copy, topic), 2u);
  CHECK_EQ(publish(x, topic, "3", 7), answered(7, "c.1", 3));
  CHECK_EQ(kept(copy, topic), 3u);
}

CAF_TEST(what is under way as the copy is lost may be sent again) {
  auto topic = topic_of(2, 0, "copies2/");
  auto& x = connect(2, 0, "ann");
  publish(x, topic, "1");
  auto copy = copy_of(topic);
  stores[copy]->at_once = false;
  CHECK_EQ(publish(x, topic, "2", 6, false, "i"), "");
  lose(copy);
  // Beside where her own topic goes on, if that was there.
  CHECK(has(x.heard(), "error 6 owner_down"));
  CHECK_EQ(publish(x, topic, "2", 7, false, "i"), answered(7, "c.1", 2));
  CHECK_EQ(kept(2, topic), 2u);
}

CAF_TEST(without a majority nothing is accepted) {
  auto topic = topic_of(2, 0, "copies3/");
  auto& x = connect(2);
  publish(x, topic, "1", 5);
  x.heard();
  lose(0);
  CHECK_EQ(publish(x, topic, "2", 6), answered(6, "c.1", 2));
  crash(1);
  view({2});
  CHECK_EQ(publish(x, topic, "3", 7), "error 7 owner_down");
}

CAF_TEST(a topic without copies is at one node as ever) {
  auto topic = topic_of(2, 0, "disk/");
  publish(connect(0), topic, "1");
  CHECK_EQ(kept(0, topic) + kept(1, topic), 0u);
  CHECK_EQ(stores[2]->record_of(topic).promised, 0u);
}

END_FIXTURE_SCOPE()
