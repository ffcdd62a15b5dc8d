// What a group keeps while its members have no room.

#include <callboard/actors/shared_group.hpp>

#include "actors/group_fixture.hpp"

using namespace callboard;

namespace {

struct fixture : group_fixture {
  fixture() {
    start();
  }

  shared_group& group() {
    return *table->find("t", "g");
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(without a history the oldest of what waits becomes a dead letter) {
  join(1);
  publish_many(3 + 10);
  CHECK_EQ(heard(), "1<-1 1<-2 1<-3");
  publish();
  CHECK_EQ(heard(), "dead 4x0");
  CHECK_EQ(table->events(), 13u);
  confirm(1, 1);
  CHECK_EQ(heard(), "1<-5");
  publish();
  CHECK_EQ(heard(), "");
  publish();
  CHECK_EQ(heard(), "dead 6x0");
}

CAF_TEST(without a history what is too many bytes becomes a dead letter) {
  auto cost = publication{}.cost() + 1;
  limits.bytes_max = 2 * 5 * cost;
  limits.inflight_max = 1;
  start();
  join(1);
  publish_many(5);
  CHECK_EQ(heard(), "1<-1");
  publish();
  CHECK_EQ(heard(), "dead 2x0");
  // Room for a large one is made, and a single one may be larger than all.
  publish({}, static_cast<size_t>(5 * cost));
  CHECK_EQ(heard(), "dead 3x0 dead 4x0 dead 5x0 dead 6x0 dead 7x0");
  CHECK_EQ(table->bytes(), cost);
  confirm(1, 1);
  publish({}, static_cast<size_t>(5 * cost));
  CHECK_EQ(heard(), "1<-8");
}

CAF_TEST(a history keeps what does not fit) {
  history_size = 100;
  join(1);
  publish_many(50);
  CHECK_EQ(table->events(), 13u);
  CHECK_EQ(heard(), "1<-1 1<-2 1<-3");
  CHECK_EQ(reads, 0u);
  for (uint64_t i = 1; i <= 50; ++i)
    confirm(1, i);
  CHECK_EQ(table->events(), 0u);
  CHECK_EQ(group().place(), 50u);
  auto counts = table->take_counts();
  CHECK_EQ(counts.confirmations, 50u);
  CHECK_EQ(counts.deliveries, 50u);
  CHECK_EQ(counts.lost + counts.dead_letters, 0u);
  // It looks for several at once.
  CHECK_LE(reads, 8u);
}

CAF_TEST(what a history has forgotten is told and counted) {
  history_size = 20;
  join(1);
  publish_many(50);
  heard();
  // It has 1 to 13, and the topic 31 to 50.
  for (uint64_t i = 1; i <= 8; ++i)
    confirm(1, i);
  CHECK_EQ(heard(), "1<-4 1<-5 1<-6 1<-7 1<-8 gap 1<-9 1<-10 1<-11");
  for (uint64_t i = 9; i <= 13; ++i)
    confirm(1, i);
  CHECK_EQ(heard(), "1<-12 1<-13 1<-31 1<-32 1<-33");
  CHECK_EQ(table->take_counts().lost, 17u);
}

CAF_TEST(a group takes one event however many bytes others keep) {
  auto cost = publication{}.cost() + 1;
  limits.bytes_max = cost;
  history_size = 100;
  start();
  join(1);
  join(2, "h");
  publish_many(3);
  CHECK_EQ(heard(), "1<-1 2<-1");
  confirm(1, 1);
  confirm(2, 1);
  confirm(2, 2);
  CHECK_EQ(heard(), "1<-2 2<-2 2<-3");
}

CAF_TEST(a key goes on behind what became a dead letter without a try) {
  limits.inflight_max = 1;
  limits.pending_max = 2;
  start();
  join(1);
  join(2);
  auto key = key_of(1);
  auto at = head;
  publish(key);
  publish();
  auto name = [&](uint64_t n) { return std::to_string(at + n); };
  CHECK_EQ(heard(), "1<-" + name(1) + " 2<-" + name(2));
  // It is to go to the other member, which has no room.
  reject(1, at + 1);
  publish(key);
  CHECK_EQ(heard(), "");
  publish(key);
  CHECK_EQ(heard(), "dead " + name(1) + "x1 1<-" + name(3));
}

CAF_TEST(a group that keeps much leaves room to others) {
  auto cost = publication{}.cost() + 1;
  limits.inflight_max = 100;
  limits.inflight_bytes_max = 1000 * cost;
  limits.pending_max = 100;
  limits.bytes_max = 40 * cost;
  start();
  // It confirms nothing.
  auto& greedy = *table->join("u", "g", {}, 1, {}, false, now).member;
  for (uint64_t i = 1; i <= 50; ++i)
    table->publish(make("u", i), now, [] { return false; });
  heard();
  join(2);
  give_back(2, publish()->offset);
  publish_many(9);
  CHECK_EQ(heard(), "2<-1");
  resume(2);
  CHECK_EQ(heard(), "2<-1 2<-2 2<-3 2<-4 2<-5 2<-6 2<-7 2<-8 2<-9 2<-10");
  CHECK_EQ(greedy.given.size(), 20u);
  CHECK_EQ(table->take_counts().dead_letters, 30u);
  CHECK_LE(table->bytes(), limits.bytes_max);
}

END_FIXTURE_SCOPE()
