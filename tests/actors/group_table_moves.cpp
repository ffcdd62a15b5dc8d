// Groups whose topic goes to another owner.

#include <callboard/actors/group_table.hpp>

#include <string>
#include <utility>
#include <vector>

#include "actors/group_fixture.hpp"

using namespace callboard;

namespace {

struct fixture : group_fixture {
  fixture() {
    limits.groups_max = 10;
    start();
  }

  // Lets the groups of `t` go on in another table. What members have they keep.
  void move() {
    log.clear();
    auto groups = table->give_away("t");
    CHECK_EQ(heard(), "released t");
    CHECK_EQ(table->take_counts().lost, 0u);
    auto has = std::exchange(open, {});
    start();
    open = std::move(has);
    table->adopt("t", groups, head, now);
  }

  // Adds a member to the group that claims what `from` has; returns whether it
  // may keep all of it.
  bool rejoin(member_id id, member_id from, bool embedded = false) {
    auto& made = *table
                    ->join("t", "g", {head, head, false}, id, {}, embedded, now)
                    .member;
    auto all = true;
    for (auto& [number, x] : open)
      if (x.who == from) {
        x.who = id;
        all &= made.group->claim(made, number, x.offset, now);
      }
    return all;
  }

  // All members have come back.
  void let_go() {
    table->for_each_of("t", [this](shared_group& x) {
      x.let_go();
      x.go_on(now);
    });
  }

  void publish_with_key(int n) {
    for (int i = 0; i < n; ++i)
      publish("k");
  }

  static std::vector<moved_group> some_groups(size_t n, size_t events) {
    std::vector<moved_group> result(n);
    for (size_t i = 0; i < n; ++i) {
      result[i].name = 'g' + std::to_string(i);
      result[i].taken = events;
      for (uint64_t offset = 1; offset <= events; ++offset)
        result[i].events.push_back({make("t", offset), 0, 0});
    }
    return result;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(members keep what they have and their confirmations count) {
  join(1);
  join(2);
  publish_many(4);
  confirm(1, 1);
  CHECK_EQ(heard(), "1<-1 2<-2 1<-3 2<-4");
  move();
  CHECK_EQ(table->events(), 3u);
  CHECK_EQ(table->members(), 0u);
  CHECK(rejoin(3, 1));
  CHECK(rejoin(4, 2));
  let_go();
  CHECK_EQ(heard(), "");
  confirm(4, 2);
  confirm(3, 3);
  publish_many(2);
  CHECK_EQ(heard(), "3<-5 4<-6");
  confirm(4, 4);
  confirm(3, 5);
  confirm(4, 6);
  auto counts = table->take_counts();
  CHECK_EQ(counts.confirmations, 5u);
  CHECK_EQ(counts.redeliveries, 0u);
  CHECK_EQ(counts.lost, 0u);
  CHECK_EQ(table->events(), 0u);
  CHECK_EQ(table->bytes(), 0);
}

CAF_TEST(what nobody claims goes to who is there) {
  join(1);
  publish_many(2);
  reject(1, 1);
  move();
  open.clear();
  rejoin(2, 1);
  table->find(2)->group->go_on(now);
  CHECK_EQ(heard(), "");
  let_go();
  CHECK_EQ(heard(), "2<-1x3 2<-2x2");
}

CAF_TEST(what waits is given without being claimed) {
  limits.inflight_max = 1;
  start();
  join(1);
  publish_many(3);
  move();
  CHECK(rejoin(2, 1));
  join(3);
  CHECK_EQ(heard(), "3<-2");
  confirm(2, 1);
  CHECK_EQ(heard(), "2<-3");
}

CAF_TEST(nobody claims what is another ones or is finished) {
  join(1);
  join(2);
  publish_many(2);
  auto number = number_of(1, 1);
  confirm(1, 1);
  move();
  auto& x = *table->join("t", "g", {}, 3, {}, false, now).member;
  auto& group = *x.group;
  // Not what is finished, not under another number, not what is not there.
  CHECK(!group.claim(x, number, 1, now));
  CHECK(!group.claim(x, number, 2, now));
  CHECK(!group.claim(x, 0, 2, now));
  CHECK(!group.claim(x, 77, 9, now));
  auto& y = *table->join("t", "g", {}, 4, {}, false, now).member;
  CHECK(group.claim(y, number_of(2, 2), 2, now));
  CHECK(!group.claim(x, number_of(2, 2), 2, now));
  // Deliveries to come have numbers that nobody claimed.
  open.clear();
  publish();
  REQUIRE_EQ(open.size(), 1u);
  CAF_CHECK_GREATER(open.begin()->first, 77u);
}

CAF_TEST(the place of what an actor has is not free until it has answered) {
  limits.inflight_max = 1;
  start();
  join(1, "g", true);
  publish();
  pass(2 * limits.ack_timeout_ms);
  move();
  auto& x = *table->join("t", "g", {}, 2, {}, true, now).member;
  CHECK(x.group->claim(x, 5, 1, now));
  let_go();
  CHECK_EQ(heard(), "");
  x.group->confirm(x, 5, now);
  CHECK_EQ(heard(), "2<-1x2");
}

CAF_TEST(what was confirmed at the owner before is not given again) {
  join(1);
  publish_with_key(2);
  publish();
  auto number = number_of(1, 1);
  move();
  auto& group = *table->find("t", "g");
  group.confirm_unclaimed(number + 1, 1);
  CHECK_EQ(table->events(), 3u);
  group.confirm_unclaimed(number, 1);
  group.confirm_unclaimed(number, 1);
  CHECK_EQ(table->events(), 2u);
  open.clear();
  rejoin(2, 1);
  let_go();
  CHECK_EQ(heard(), "2<-2 2<-3x2");
  // What somebody has is confirmed by that one only.
  group.confirm_unclaimed(number_of(2, 2), 2);
  CHECK_EQ(table->events(), 2u);
}

CAF_TEST(keys keep their order) {
  join(1);
  publish_with_key(3);
  CHECK_EQ(heard(), "1<-1");
  move();
  CHECK(rejoin(2, 1));
  join(3);
  let_go();
  CHECK_EQ(heard(), "");
  for (uint64_t offset = 1; offset <= 3; ++offset) {
    auto& [number, x] = *open.begin();
    CHECK_EQ(x.offset, offset);
    confirm(x.who, offset);
  }
  CHECK_EQ(table->events(), 0u);
}

CAF_TEST(there is as much time to confirm as if it came now) {
  join(1);
  publish();
  auto almost = limits.ack_timeout_ms - 1;
  pass(almost);
  move();
  rejoin(2, 1);
  let_go();
  pass(almost);
  CHECK_EQ(heard(), "");
  pass(limits.ack_timeout_ms);
  CHECK_EQ(heard(), "2->1 2<-1x2");
}

CAF_TEST(a group that moves once more has what was not claimed) {
  join(1);
  publish_many(2);
  move();
  move();
  CHECK(rejoin(2, 1));
  let_go();
  CHECK_EQ(heard(), "");
  confirm(2, 1);
  confirm(2, 2);
  CHECK_EQ(table->take_counts().confirmations, 2u);
}

CAF_TEST(what a group has not taken comes from the history) {
  history_size = 100;
  limits.pending_max = 2;
  limits.inflight_max = 1;
  start();
  join(1);
  publish_many(9);
  move();
  CHECK(rejoin(2, 1));
  let_go();
  for (uint64_t offset = 1; offset <= 9; ++offset)
    confirm(2, offset);
  CHECK_EQ(table->find("t", "g")->place(), 9u);
  CHECK_EQ(table->take_counts().lost, 0u);
}

CAF_TEST(groups keep whether they ever did something) {
  join(1, "new");
  join(2, "old");
  leave(1);
  move();
  CHECK(table->find("t", "new")->untouched());
  join(3, "new");
  leave(3, true);
  CHECK(table->find("t", "new") == nullptr);
  publish();
  join(4, "old");
  confirm(4, 1);
  leave(4);
  move();
  CHECK(table->find("t", "old")->proven());
}

CAF_TEST(there is room for so many groups and no more) {
  limits.groups_max = 3;
  limits.topic_groups_max = 4;
  start();
  join_elsewhere(1, "u", "g");
  // Those without members give way, whoever they are.
  table->adopt("t", some_groups(3, 2), 2, now);
  CHECK_EQ(table->size(), 3u);
  CHECK_EQ(table->take_counts().lost, 2u);
  CHECK(table->find("t", "g0") == nullptr);
  // One that has some does not.
  member_id id = 1;
  for (auto* name : {"g1", "g2"})
    table->join("t", name, {}, ++id, {}, false, now);
  table->adopt("v", some_groups(2, 1), 1, now);
  CHECK_EQ(table->take_counts().lost, 2u);
  CHECK_EQ(table->size(), 3u);
  table->lose(some_groups(2, 3));
  CHECK_EQ(table->take_counts().lost, 6u);
}

CAF_TEST(a topic that is given away takes its groups and members along) {
  join(1, "g");
  join(2, "h");
  join_elsewhere(3, "u", "g");
  publish_many(2);
  leave(2);
  heard();
  auto others = table->topics_unless([](auto& x) { return x == "u"; });
  CHECK_EQ(others, std::vector<std::string>{"t"});
  CHECK_EQ(table->give_away("t").size(), 2u);
  CHECK(table->give_away("t").empty());
  CHECK_EQ(heard(), "released t");
  CHECK_EQ(table->size(), 1u);
  CHECK_EQ(table->members(), 1u);
  CHECK_EQ(table->events(), 0u);
  CHECK_EQ(table->bytes(), 0);
  CHECK(table->find(1) == nullptr);
  CHECK(table->find(3) != nullptr);
  // Nothing of it is due, and nothing of it gives way, any more.
  pass(10'000);
  table->expire(now);
  CHECK_EQ(heard(), "");
  open.clear();
  auto made = join(4, "h");
  CHECK_EQ(made.place, head);
  CHECK_EQ(table->size(), 2u);
}

END_FIXTURE_SCOPE()
