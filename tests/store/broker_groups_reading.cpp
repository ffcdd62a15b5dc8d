// Groups that read what is not in memory any more, and a store that fails.

#include <callboard/actors/broker_groups.hpp>

#include "store/work_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;
using fixture = work_fixture;

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a backlog that is larger than the memory is served whole) {
  node.options.history_bytes_max = 1500;
  node.options.topics.insert(
    node.options.topics.begin(),
    {"long/+", {.history_size = 10'000, .durability = durability::disk}});
  run(2);
  auto topic = name_on(0, 2, "long/");
  publish(topic, "x", 0);
  join(*two, topic);
  ask(*two, type::unsubscribe, topic);
  publish_many(topic, 500);
  CHECK(loops[0]->metrics.history_bytes->value() <= 1500);
  CHECK_EQ(join(*two, topic), joined(1, true) + "; 2; 3; 4");
  CHECK(work(*two) == numbers(2, 501));
  CHECK_EQ(count(&group_metrics::lost), 0);
}

CAF_TEST(what cannot be read is read later) {
  run();
  publish("disk/a", "x", 0);
  join(*two, "disk/a");
  restart_alone(false);
  publish_many("disk/a", 5);
  restart_alone(false);
  // The topic is there, and nothing of it in memory.
  history("{\"topic\":\"disk/a\"}");
  store->broken = true;
  CHECK_EQ(join(*two, "disk/a"), joined(1, true));
  pass(2s);
  CHECK_EQ(tale(*two), "");
  store->broken = false;
  pass(1s);
  CHECK_EQ(tale(*two), "2; 3; 4");
  CHECK(work(*two) == numbers(2, 6));
  CHECK_EQ(count(&group_metrics::lost), 0);
}

CAF_TEST(places that could not be saved are saved later) {
  run();
  publish("disk/a", "x", 0);
  join(*two, "disk/a");
  publish("disk/a", "x", 0);
  pass(1s);
  CHECK_EQ(stored("disk/a"), "g 1-2 2x1");
  store->broken = true;
  say(*two, type::ack, 1);
  pass(1s);
  CHECK_EQ(stored("disk/a"), "g 1-2 2x1");
  store->broken = false;
  pass(1s);
  CHECK_EQ(stored("disk/a"), "g 2-2");
  store->is_full = true;
  publish("disk/a", "x", 0);
  store->is_full = false;
  publish("disk/a", "x", 0);
  store->is_full = true;
  pass(1s);
  CHECK_EQ(stored("disk/a"), "g 2-2");
  store->is_full = false;
  pass(1s);
  CHECK_EQ(stored("disk/a"), "g 2-3 3x1");
}

CAF_TEST(a group goes on after its topic had to be loaded anew) {
  run();
  publish("disk/a", "x", 0);
  join(*two, "disk/a");
  publish("disk/a", "x", 0);
  store->at_once = false;
  publish("disk/a", "y", 3);
  store->broken = true;
  CHECK_EQ(commit(*one), "error 3 storage_unavailable");
  store->broken = false;
  store->at_once = true;
  publish("disk/a", "z", 4);
  CHECK_EQ(tale(*two), "2; 3");
  pass(12min);
  publish("disk/a", "z", 5);
  CHECK(tale(*two).find('4') != std::string::npos);
}

END_FIXTURE_SCOPE()
