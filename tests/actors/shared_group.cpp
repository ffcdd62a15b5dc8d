#include <callboard/actors/shared_group.hpp>

#include <set>

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

CAF_TEST(each event goes to one member and those with fewest come first) {
  join(1);
  join(2);
  join(3);
  publish_many(6);
  CHECK_EQ(heard(), "1<-1 2<-2 3<-3 1<-4 2<-5 3<-6");
  confirm(2, 2);
  confirm(2, 5);
  publish_many(2);
  CHECK_EQ(heard(), "2<-7 2<-8");
  // Where they are equal, it is the turn of who waited longest.
  publish_many(1);
  CHECK_EQ(heard(), "1<-9");
}

CAF_TEST(what is behind the place is all that was not finished) {
  join(1);
  CHECK_EQ(group().place(), 0u);
  publish_many(3);
  CHECK_EQ(group().place(), 0u);
  confirm(1, 2);
  CHECK_EQ(group().place(), 0u);
  confirm(1, 1);
  CHECK_EQ(group().place(), 2u);
  confirm(1, 3);
  CHECK_EQ(group().place(), 3u);
  CHECK_EQ(table->events(), 0u);
  CHECK_EQ(table->bytes(), 0);
  CHECK(table->deadlines().empty());
}

CAF_TEST(a member has no more unconfirmed than it may) {
  join(1);
  publish_many(4);
  CHECK_EQ(heard(), "1<-1 1<-2 1<-3");
  confirm(1, 2);
  CHECK_EQ(heard(), "1<-4");
  join(2);
  publish_many(1);
  CHECK_EQ(heard(), "2<-5");
}

CAF_TEST(a member has no more bytes unconfirmed than it may but one event) {
  auto cost = publication{}.cost() + 1;
  limits.inflight_bytes_max = 2 * (cost + 100);
  start();
  join(1);
  publish({}, 100);
  publish({}, 100);
  CHECK_EQ(heard(), "1<-1 1<-2");
  publish({}, 100);
  CHECK_EQ(heard(), "");
  confirm(1, 1);
  CHECK_EQ(heard(), "1<-3");
  confirm(1, 2);
  confirm(1, 3);
  // A single one may be larger.
  publish({}, 10'000);
  CHECK_EQ(heard(), "1<-4");
  publish();
  CHECK_EQ(heard(), "");
}

CAF_TEST(confirming what one does not have changes nothing) {
  join(1);
  join(2);
  publish();
  auto& two = *table->find(2);
  group().confirm(two, open.begin()->first, now);
  group().confirm(two, 0, now);
  group().reject(two, 77, now);
  CHECK_EQ(table->events(), 1u);
  confirm(1, 1);
  CHECK_EQ(table->events(), 0u);
  CHECK_EQ(table->take_counts().confirmations, 1u);
}

// -- failures -----------------------------------------------------------------

CAF_TEST(what a member leaves behind goes to the others at once) {
  join(1);
  join(2);
  publish_many(4);
  heard();
  leave(1);
  CHECK_EQ(heard(), "2<-1x2");
  confirm(2, 2);
  CHECK_EQ(heard(), "2<-3x2");
  auto counts = table->take_counts();
  CHECK_EQ(counts.deliveries, 6u);
  CHECK_EQ(counts.redeliveries, 2u);
}

CAF_TEST(what is not confirmed in time goes to another) {
  join(1);
  join(2);
  publish();
  pass(999);
  CHECK_EQ(heard(), "1<-1");
  pass(1);
  CHECK_EQ(heard(), "1->1 2<-1x2");
  CHECK_EQ(table->take_counts().timeouts, 1u);
  // The time begins anew.
  pass(999);
  CHECK_EQ(heard(), "");
  pass(1);
  CHECK_EQ(heard(), "2->1 1<-1x3");
}

CAF_TEST(what nobody confirms becomes a dead letter) {
  join(1);
  publish_many(2);
  pass(1000);
  pass(1000);
  CHECK_EQ(heard(), "1<-1 1<-2 1->1 1<-1x2 1->2 1<-2x2 1->1 1<-1x3 1->2 "
                    "1<-2x3");
  confirm(1, 2);
  pass(1000);
  CHECK_EQ(heard(), "1->1 dead 1x3");
  CHECK_EQ(group().place(), 2u);
  CHECK_EQ(table->take_counts().dead_letters, 1u);
  CHECK(table->deadlines().empty());
}

CAF_TEST(a member may let another one have it) {
  join(1);
  join(2);
  publish();
  reject(1, 1);
  CHECK_EQ(heard(), "1<-1 2<-1x2");
  reject(2, 1);
  reject(1, 1);
  CHECK_EQ(heard(), "1<-1x3 dead 1x3");
}

CAF_TEST(who had it gets it again only where there is nobody else) {
  limits.inflight_max = 1;
  start();
  join(1);
  join(2);
  publish_many(2);
  heard();
  reject(1, 1);
  // The other one has no room, and what comes may go to this one.
  CHECK_EQ(heard(), "");
  publish();
  CHECK_EQ(heard(), "1<-3");
  confirm(2, 2);
  CHECK_EQ(heard(), "2<-1x2");
  leave(1);
  reject(2, 1);
  CHECK_EQ(heard(), "2<-1x3");
}

CAF_TEST(a member without room gets nothing until it has some) {
  join(1);
  publish_many(2);
  give_back(1, 1);
  give_back(1, 2);
  CHECK_EQ(heard(), "1<-1 1<-2");
  publish();
  CHECK_EQ(heard(), "");
  // It does not count as an attempt.
  resume(1);
  CHECK_EQ(heard(), "1<-1 1<-2 1<-3");
  give_back(1, 1);
  join(2);
  CHECK_EQ(heard(), "2<-1");
}

CAF_TEST(an embedded member keeps its place until it has answered) {
  start();
  join(1, "g", true);
  publish_many(3);
  auto first = number_of(1, 1);
  auto second = number_of(1, 2);
  pass(1000);
  // Its mailbox may hold all three of them still.
  CHECK_EQ(heard(), "1<-1 1<-2 1<-3");
  auto& who = *table->find(1);
  open.erase(first);
  group().confirm(who, first, now);
  CHECK_EQ(heard(), "1<-1x2");
  CHECK_EQ(table->events(), 3u);
  open.erase(second);
  group().reject(who, second, now);
  CHECK_EQ(heard(), "1<-2x2");
  CHECK_EQ(table->take_counts().confirmations, 0u);
  confirm(1, 1);
  CHECK_EQ(table->take_counts().confirmations, 1u);
  CHECK_EQ(heard(), "1<-3x2");
}

// -- keys ---------------------------------------------------------------------

CAF_TEST(a key has one member and its events go after each other) {
  for (member_id id : {1, 2, 3})
    join(id);
  auto key = key_of(2);
  auto at = head;
  for (int i = 0; i < 3; ++i)
    publish(key);
  CHECK_EQ(heard(), "2<-" + std::to_string(at + 1));
  publish();
  // Others do not wait for it.
  CHECK_EQ(heard().size(), 3 + std::to_string(head).size());
  confirm(2, at + 1);
  CHECK_EQ(heard(), "2<-" + std::to_string(at + 2));
  reject(2, at + 2);
  // Another one has it now, and only then the next one comes.
  auto words = heard();
  CHECK(words.ends_with("x2") && !words.starts_with('2'));
  auto to = open.rbegin()->second.who;
  confirm(to, at + 2);
  CHECK_EQ(heard(), "2<-" + std::to_string(at + 3));
}

CAF_TEST(keys are shared out among the members) {
  limits.inflight_max = 1000;
  start();
  for (member_id id : {1, 2, 3, 4})
    join(id);
  std::map<member_id, int> count;
  for (int i = 0; i < 400; ++i) {
    publish("key " + std::to_string(i));
    ++count[open.rbegin()->second.who];
  }
  CHECK_EQ(count.size(), 4u);
  for (auto [id, n] : count)
    CHECK(n > 60 && n < 140);
}

CAF_TEST(only the keys of who left move) {
  limits.inflight_max = 1000;
  start();
  for (member_id id : {1, 2, 3})
    join(id);
  auto owners = [&] {
    std::vector<member_id> result;
    for (int i = 0; i < 60; ++i) {
      publish("key " + std::to_string(i));
      result.push_back(open.rbegin()->second.who);
      confirm(result.back(), head);
    }
    return result;
  };
  auto before = owners();
  leave(2);
  auto after = owners();
  for (size_t i = 0; i < before.size(); ++i)
    if (before[i] != 2)
      CHECK_EQ(before[i], after[i]);
    else
      CHECK(after[i] != 2);
}

CAF_TEST(a key whose member has no room waits for it) {
  join(1);
  join(2);
  auto key = key_of(1);
  auto other = key_of(2);
  give_back(1, (publish(key), head));
  auto at = head;
  heard();
  publish(other);
  CHECK_EQ(heard(), "2<-" + std::to_string(at + 1));
  resume(1);
  CHECK_EQ(heard(), "1<-" + std::to_string(at));
  give_back(1, at);
  leave(1);
  CHECK_EQ(heard(), "2<-" + std::to_string(at));
}

CAF_TEST(a key waits behind its dead letter no longer) {
  limits.attempts_max = 1;
  start();
  join(1);
  publish("k");
  publish("k");
  CHECK_EQ(heard(), "1<-1");
  reject(1, 1);
  CHECK_EQ(heard(), "dead 1x1 1<-2");
}

END_FIXTURE_SCOPE()
