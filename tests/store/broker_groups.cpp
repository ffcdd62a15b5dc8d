// Groups of topics that are on the disk.

#include <callboard/actors/broker_groups.hpp>

#include "store/work_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;
using fixture = work_fixture;

BEGIN_FIXTURE_SCOPE(fixture)

// -- groups that are new ------------------------------------------------------

CAF_TEST(a new group is on the disk before its first member hears of it) {
  run(2);
  auto topic = name_on(1, 2, "disk/");
  publish_many(topic, 2);
  store->at_once = false;
  CHECK_EQ(join(*two, topic), "");
  CHECK_EQ(join(*one, topic), "");
  CHECK_EQ(store->waiting(), 1u);
  publish(topic, "x", 0);
  store->commit(1);
  turn();
  CHECK_EQ(stored(topic), "g 2-2");
  CHECK_EQ(tale(*two), joined(2, false));
  CHECK_EQ(tale(*one), joined(2, true));
  store->at_once = true;
  store->commit();
  turn();
  CHECK_EQ(tale(*two) + tale(*one), "3");
}

CAF_TEST(an event that was on its way when a group was made is its own) {
  run();
  publish("disk/a", "x", 0);
  store->at_once = false;
  publish("disk/a", "y", 2);
  CHECK_EQ(join(*two, "disk/a"), "");
  commit(*two, 1);
  // Answered, and the group is not there yet.
  CHECK_EQ(one->heard(), "response 2 {\"epoch\":\"run.1\",\"offset\":2}");
  store->commit();
  turn();
  CHECK_EQ(stored("disk/a"), "g 1-1");
  CHECK_EQ(tale(*two), joined(1, false) + "; 2");
}

CAF_TEST(a group that cannot be written has no member) {
  run();
  publish("disk/a", "x", 0);
  store->at_once = false;
  join(*two, "disk/a");
  store->broken = true;
  CHECK_EQ(commit(*two), "error 1 storage_unavailable");
  store->broken = false;
  store->at_once = true;
  CHECK_EQ(join(*two, "disk/a"), joined(1, false));
}

CAF_TEST(who leaves before the group is there is no member) {
  run();
  publish("disk/a", "x", 0);
  store->at_once = false;
  join(*two, "disk/a");
  ask(*two, type::unsubscribe, "disk/a");
  commit(*two);
  store->at_once = true;
  CHECK_EQ(loops[0]->metrics.groups.members->value(), 0);
  publish("disk/a", "x", 0);
  CHECK_EQ(tale(*two), "");
}

CAF_TEST(a new group begins where its first member says on the disk as well) {
  run();
  publish_many("disk/a", 9);
  restart(false);
  // Nothing of it is in memory.
  CHECK_EQ(join(*two, "disk/a", "a", {"run.1", 6}),
           joined(6, true) + "; 7; 8; 9");
  pass(1s);
  CHECK_EQ(join(*one, "disk/a", "b", {"run.1", 10}), joined(9, false));
}

CAF_TEST(the number of groups is bounded and one that gives way is forgotten) {
  node.options.groups_max = 2;
  run();
  publish("disk/a", "x", 0);
  join(*one, "disk/a", "a");
  join(*two, "disk/a", "b");
  CHECK_EQ(join(*two, "disk/a", "c"), "error 1 overloaded");
  ask(*two, type::unsubscribe, "disk/a", "b");
  CHECK_EQ(join(*two, "disk/a", "c"), joined(1, false));
  CHECK_EQ(stored("disk/a"), "a 1-1; c 1-1");
}

CAF_TEST(groups of other topics leave no trace) {
  run();
  for (auto topic : {"ram/a", "place/a", "bare"}) {
    publish(topic, "x", 0);
    join(*two, topic);
    publish(topic, "x", 0);
    say(*two, type::ack, 1);
    pass(1s);
    CHECK_EQ(stored(topic), "");
  }
}

// -- restarts -----------------------------------------------------------------

CAF_TEST(a group goes on where it was saved last) {
  run();
  publish("disk/a", "x", 0);
  join(*two, "disk/a");
  publish_many("disk/a", 6);
  CHECK_EQ(tale(*two), "2; 3; 4");
  say(*two, type::ack, 2);
  CHECK_EQ(stored("disk/a"), "g 1-1");
  pass(300ms);
  CHECK_EQ(stored("disk/a"), "g 1-5 2x1 4x1 5x1");
  // What happens from here on is not on the disk.
  say(*two, type::ack, 1);
  restart_alone(false);
  CHECK_EQ(join(*two, "disk/a"), joined(1, true) + "; 2x2; 4x2; 5x2");
  CHECK_EQ(count(&group_metrics::redeliveries), 3);
  CHECK_EQ(count(&group_metrics::lost), 0);
}

CAF_TEST(a clean end saves what there is) {
  run();
  publish("disk/a", "x", 0);
  join(*two, "disk/a");
  publish_many("disk/a", 3);
  say(*two, type::ack, 1);
  say(*two, type::ack, 3);
  restart_alone(true);
  CHECK_EQ(stored("disk/a"), "g 2-4 3x1");
  CHECK_EQ(join(*two, "disk/a"), joined(2, true) + "; 3x2");
}

CAF_TEST(what changes after the end has begun is saved at once) {
  run();
  publish("disk/a", "x", 0);
  join(*two, "disk/a");
  publish_many("disk/a", 3);
  caf::anon_send(loops[0]->brokers[0].actor, drain_atom_v);
  turn();
  CHECK_EQ(stored("disk/a"), "g 1-4 2x1 3x1 4x1");
  say(*two, type::ack, 1);
  CHECK_EQ(stored("disk/a"), "g 2-4 3x1 4x1");
}

CAF_TEST(a group goes on until its shard hands over) {
  run();
  publish("disk/a", "x", 0);
  join(*two, "disk/a");
  node.draining = true;
  publish_many("disk/a", 2);
  CHECK_EQ(tale(*two), "2; 3");
  say(*two, type::ack, 1);
  publish_many("disk/a", 1);
  CHECK_EQ(tale(*two), "4");
  caf::anon_send(loops[0]->brokers[0].actor, drain_atom_v);
  turn();
  say(*two, type::ack, 2);
  publish_many("disk/a", 1);
  CHECK_EQ(tale(*two), "");
  CHECK_EQ(store->events_of("disk/a").size(), 5u);
}

CAF_TEST(a group that has no member yet misses nothing) {
  run(2);
  auto topic = name_on(0, 2, "disk/");
  publish(topic, "x", 0);
  join(*two, topic);
  restart_alone(false);
  publish_many(topic, 30);
  // The topic leaves the memory, and comes back.
  pass(12min);
  publish_many(topic, 5);
  restart_alone(false);
  publish(topic, "x", 0);
  CHECK_EQ(join(*two, topic), joined(1, true) + "; 2; 3; 4");
  CHECK(work(*two) == numbers(2, 37));
  CHECK_EQ(stored(topic), "g 37-37");
  CHECK_EQ(count(&group_metrics::lost), 0);
}

CAF_TEST(a group that nobody joins is forgotten after its time) {
  node.options.group_linger = 1h;
  run();
  publish("disk/a", "x", 0);
  join(*two, "disk/a");
  restart_alone(false);
  pass(59min);
  publish("disk/a", "x", 0);
  CHECK_EQ(stored("disk/a"), "g 1-1");
  CHECK_EQ(join(*two, "disk/a"), joined(1, true) + "; 2");
  ask(*two, type::unsubscribe, "disk/a");
  // One that had a member has its time from then on.
  pass(59min);
  CHECK(stored("disk/a") != "");
  pass(3min);
  CHECK_EQ(stored("disk/a"), "");
  join(*two, "disk/a");
  restart_alone(false);
  publish("disk/a", "x", 0);
  pass(58min);
  publish("disk/a", "x", 0);
  CHECK(stored("disk/a") != "");
  pass(4min);
  CHECK_EQ(stored("disk/a"), "");
  // Nor is it known where the topic was not in memory all the time.
  CHECK_EQ(join(*two, "disk/a", "h"), joined(4, false));
  restart_alone(false);
  pass(61min);
  CHECK_EQ(stored("disk/a"), "h 4-4");
  CHECK_EQ(join(*two, "disk/a", "h"), joined(4, false));
}

CAF_TEST(members of a shard that died go on without a word) {
  run(2);
  auto topic = name_on(0, 2, "disk/");
  publish(topic, "x", 0);
  join(*two, topic);
  publish_many(topic, 2);
  CHECK_EQ(tale(*two), "2; 3");
  pass(1s);
  kill(loops[0]->brokers[0].actor);
  install(0, make_broker(0));
  turn();
  pass(1s);
  CHECK_EQ(tale(*two), "2x2; 3x2");
}

CAF_TEST(a group is told what the disk has forgotten meanwhile) {
  run();
  publish("few/a", "x", 0);
  join(*two, "few/a");
  restart_alone(false);
  publish_many("few/a", 10);
  restart_alone(false);
  // It keeps three.
  CHECK_EQ(join(*two, "few/a"), joined(8, false) + "; 9; 10; 11");
  CHECK_EQ(count(&group_metrics::lost), 7);
  publish("aged/a", "x", 0);
  join(*two, "aged/a");
  restart_alone(false);
  publish("aged/a", "x", 0);
  pass(6s);
  publish("aged/a", "x", 0);
  restart_alone(false);
  pass(5s);
  // Only reading shows it.
  CHECK_EQ(join(*two, "aged/a"),
           joined(1, true, "run.2")
             + "; position aged/a of g {\"epoch\":\"run.2\",\"offset\":2,"
               "\"reason\":\"history exceeded\"}; 3");
}

END_FIXTURE_SCOPE()
