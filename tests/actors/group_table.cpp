#include <callboard/actors/group_table.hpp>

#include "actors/group_fixture.hpp"

using namespace callboard;

namespace {

struct fixture : group_fixture {
  fixture() {
    start();
  }

  member_id last_id = 20;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(each group of a topic gets each event) {
  join(1);
  join(2, "h");
  publish();
  CHECK_EQ(heard(), "1<-1 2<-1");
  CHECK_EQ(table->size(), 2u);
  CHECK_EQ(table->members(), 2u);
  CHECK_EQ(table->events(), 2u);
}

CAF_TEST(a new group begins at what comes) {
  publish_many(5);
  auto made = join(1);
  CHECK_EQ(made.place, 5u);
  CHECK(!made.recovered);
  CHECK_EQ(heard(), "");
}

CAF_TEST(a new group begins where it was asked to) {
  history_size = 10;
  publish_many(5);
  auto made = join_at(1, "g", {5, 3, true});
  CHECK_EQ(made.place, 3u);
  CHECK(made.recovered);
  CHECK_EQ(heard(), "1<-4 1<-5");
  // One that is there goes on where it is.
  auto second = join_at(2, "g", {5, 1, true});
  CHECK_EQ(second.place, 3u);
  CHECK(second.recovered);
}

CAF_TEST(a group without members keeps its place) {
  history_size = 100;
  join(1);
  publish_many(30);
  confirm(1, 1);
  leave(1);
  publish_many(10);
  heard();
  auto made = join(2);
  CHECK_EQ(made.place, 1u);
  CHECK(made.recovered);
  CHECK_EQ(heard(), "2<-2x2 2<-3x2 2<-4x2");
  for (uint64_t i = 2; i <= 40; ++i)
    confirm(2, i);
  CHECK_EQ(table->events(), 0u);
  CHECK_EQ(table->take_counts().lost, 0u);
}

CAF_TEST(a place that the history does not reach is told) {
  history_size = 5;
  limits.pending_max = 2;
  start();
  join(1);
  leave(1);
  // It takes 1 and 2, and all others are there.
  publish_many(7);
  CHECK(join(2).recovered);
  // One more, and what it wants next is forgotten.
  heard();
  start();
  head = 0;
  kept = {};
  join(1);
  leave(1);
  publish_many(8);
  auto made = join(2);
  CHECK_EQ(made.place, 0u);
  CHECK(!made.recovered);
  CHECK_EQ(heard(), "gap 2<-1 2<-2 2<-4");
  CHECK_EQ(table->take_counts().lost, 1u);
  // What was told once is not told again.
  CHECK(join(3).recovered);
}

CAF_TEST(a topic that has forgotten everything is told) {
  history_size = 5;
  limits.pending_max = 1;
  start();
  join(1);
  leave(1);
  publish_many(4);
  kept = {};
  CHECK(!join(2).recovered);
  CHECK_EQ(heard(), "gap 2<-1");
  CHECK_EQ(table->take_counts().lost, 3u);
  publish();
  CHECK_EQ(heard(), "2<-5");
}

CAF_TEST(groups are bounded and those without members give way) {
  join(1, "a");
  join(2, "b");
  join(3, "c");
  CHECK(join(4, "d").member == nullptr);
  leave(2);
  now += 1;
  leave(1);
  // The one that had a member first.
  CHECK(join(4, "d").member != nullptr);
  CHECK(table->find("t", "b") == nullptr);
  CHECK(table->find("t", "a") != nullptr);
  CHECK_EQ(table->size(), 3u);
  CHECK(join(5, "b").member != nullptr);
  CHECK(join(6, "e").member == nullptr);
  // There is always room for a member of a group that is there.
  CHECK(join(7, "b").member != nullptr);
}

CAF_TEST(the groups of a topic are bounded) {
  limits.groups_max = 10;
  limits.topic_groups_max = 3;
  start();
  join(1, "a");
  join(2, "b");
  join(3, "c");
  CHECK(join(4, "d").member == nullptr);
  CHECK(join_elsewhere(5, "u", "d"));
  leave(5);
  leave(2);
  // One of its own gives way, however long others have had no member.
  CHECK(join(6, "d").member != nullptr);
  CHECK(table->find("t", "b") == nullptr);
  CHECK(table->find("u", "d") != nullptr);
  CHECK_EQ(table->size(), 4u);
  CHECK(join(7, "b").member == nullptr);
}

CAF_TEST(the topic with the most groups gives way) {
  limits.groups_max = 6;
  start();
  join_elsewhere(1, "u", "parked");
  leave(1);
  join_elsewhere(2, "v", "parked");
  join_elsewhere(3, "v", "busy");
  leave(2);
  // Who makes many drives out its own.
  for (member_id id = 4; id < 20; ++id) {
    CHECK(join(id, std::to_string(id)).member != nullptr);
    leave(id);
  }
  CHECK_EQ(table->size(), 6u);
  CHECK(table->find("u", "parked") != nullptr);
  CHECK(table->find("v", "parked") != nullptr);
  for (auto* name : {"17", "18", "19"})
    CHECK(table->find("t", name) != nullptr);
  // Those with members do not.
  for (auto* name : {"17", "18", "19"})
    join(++last_id, name);
  CHECK(join_elsewhere(30, "w", "a"));
  CHECK(table->find("v", "parked") == nullptr);
  CHECK(join_elsewhere(31, "w", "b"));
  CHECK(table->find("u", "parked") == nullptr);
  CHECK(!join_elsewhere(32, "w", "c"));
}

CAF_TEST(of topics with as many that one gives way that has waited longest) {
  for (auto* topic : {"u", "v", "w"})
    join_elsewhere(++last_id, topic, "a");
  leave(22);
  leave(21);
  leave(23);
  CHECK(join_elsewhere(30, "x", "a"));
  CHECK(table->find("v", "a") == nullptr);
  CHECK(join_elsewhere(31, "y", "a"));
  CHECK(table->find("u", "a") == nullptr);
  CHECK(table->find("w", "a") != nullptr);
}

CAF_TEST(groups that have done nothing give way first) {
  limits.topic_groups_max = 2;
  start();
  join(1, "a");
  publish();
  confirm(1, 1);
  leave(1);
  join(2, "b");
  publish();
  leave(2);
  for (member_id id = 3; id < 10; ++id) {
    CHECK(join(id, std::to_string(id)).member != nullptr);
    leave(id);
  }
  CHECK(table->find("t", "a") != nullptr);
  CHECK(table->find("t", "9") != nullptr);
}

CAF_TEST(a group that never had an event is gone with who does not want it) {
  join(1);
  join(2);
  leave(1, true);
  CHECK_EQ(table->size(), 1u);
  leave(2, true);
  CHECK_EQ(heard(), "released t");
  CHECK_EQ(table->size(), 0u);
  // Who dies comes back to its place.
  join(3);
  leave(3);
  publish();
  CHECK_EQ(join(4).place, 0u);
  CHECK_EQ(heard(), "4<-1");
  // So does who had something to do.
  confirm(4, 1);
  leave(4, true);
  publish();
  join(5);
  CHECK_EQ(heard(), "5<-2");
}

CAF_TEST(a group without members is forgotten after a time) {
  join(1);
  publish_many(2);
  leave(1);
  now += 4999;
  table->expire(now);
  CHECK_EQ(table->size(), 1u);
  ++now;
  heard();
  table->expire(now);
  CHECK_EQ(heard(), "released t");
  CHECK_EQ(table->size(), 0u);
  CHECK_EQ(table->events(), 0u);
  CHECK_EQ(table->bytes(), 0);
  // What it had is lost.
  CHECK_EQ(table->take_counts().lost, 2u);
  CHECK(!join(2).recovered);
}

CAF_TEST(a group with members is not forgotten) {
  join(1);
  join(2, "h");
  leave(2);
  now += 10'000;
  table->expire(now);
  CHECK(table->find("t", "g") != nullptr);
  CHECK(table->find("t", "h") == nullptr);
  CHECK_EQ(heard(), "");
  // Its time begins when the last member leaves.
  leave(1);
  table->expire(now);
  CHECK(table->find("t", "g") != nullptr);
  join(3);
  leave(3);
  now += 4999;
  table->expire(now);
  CHECK(table->find("t", "g") != nullptr);
}

CAF_TEST(an event that waits for its time is forgotten with its group) {
  limits.linger_ms = 10;
  start();
  join(1);
  publish();
  leave(1);
  table->expire(now + 10);
  CHECK(table->deadlines().empty());
  pass(2000);
  CHECK_EQ(heard(), "1<-1 released t");
}

CAF_TEST(a group whose place is not kept gives up on events to the end) {
  limits.attempts_max = 1;
  start();
  join(1);
  table->end();
  publish();
  CHECK_EQ(heard(), "1<-1");
  leave(1);
  CHECK_EQ(heard(), "dead 1x1");
}

END_FIXTURE_SCOPE()
