// Groups whose topic goes to another owner.

#include <callboard/actors/group_table.hpp>

#include <string>
#include <vector>

#include "actors/group_fixture.hpp"

using namespace callboard;

namespace {

struct fixture : group_fixture {
  fixture() {
    limits.groups_max = 10;
    history_size = 100;
    start();
  }

  // Lets the groups of `t` go on in another table, which knows what they left
  // and what the topic has kept. Returns how many there was no room for.
  size_t move() {
    auto places = table->export_places("t");
    start();
    log.clear();
    return table->import_places("t", places, head, now);
  }

  std::string drop(const std::string& staying) {
    std::string gone;
    table->drop_unless([&](const std::string& x) { return x == staying; },
                       [&](const callboard::group_member& x) {
                         gone += std::to_string(x.id) + ' ';
                       });
    return gone;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a group goes on where it was with what was not confirmed) {
  join(1);
  publish_many(5);
  confirm(1, 2);
  reject(1, 3);
  CHECK_EQ(move(), 0u);
  CHECK_EQ(table->size(), 1u);
  CHECK_EQ(table->members(), 0u);
  auto made = join(2);
  CHECK_EQ(made.place, 0u);
  CHECK(made.recovered);
  // The third one was given twice, the fifth to nobody.
  CHECK_EQ(heard(), "2<-1x2 2<-3x3 2<-4x2");
  confirm(2, 1);
  CHECK_EQ(heard(), "2<-5");
  publish();
  for (uint64_t i = 3; i <= 6; ++i)
    confirm(2, i);
  CHECK_EQ(table->export_places("t")[0].place, 6u);
}

CAF_TEST(all groups of a topic move and those of others do not ) {
  join(1, "g");
  join(2, "h");
  join_elsewhere(3, "u", "g");
  publish_many(2);
  confirm(2, 1);
  confirm(2, 2);
  auto places = table->export_places("t");
  REQUIRE_EQ(places.size(), 2u);
  CHECK_EQ(places[0].group, "g");
  CHECK_EQ(places[0].place, 0u);
  CHECK_EQ(places[0].open.size(), 2u);
  CHECK_EQ(places[1].group, "h");
  CHECK_EQ(places[1].place, 2u);
  CHECK(places[1].open.empty());
  CHECK(table->export_places("v").empty());
  CHECK_EQ(table->export_places("u").size(), 1u);
}

CAF_TEST(a group that was quicker stays as it is) {
  join(1);
  publish_many(3);
  auto places = table->export_places("t");
  for (uint64_t i = 1; i <= 3; ++i)
    confirm(1, i);
  CHECK_EQ(table->import_places("t", places, head, now), 0u);
  CHECK_EQ(table->export_places("t")[0].place, 3u);
  CHECK_EQ(table->size(), 1u);
}

CAF_TEST(what the topic did not bring along is told) {
  join(1);
  publish_many(5);
  confirm(1, 1);
  auto places = table->export_places("t");
  start();
  heard();
  kept = {};
  table->import_places("t", places, head, now);
  auto made = join(2);
  CHECK_EQ(made.place, 5u);
  CHECK(!made.recovered);
  CHECK_EQ(table->take_counts().lost, 4u);
  publish();
  CHECK_EQ(heard(), "gap 2<-6");
}

CAF_TEST(there is room for so many groups and no more) {
  limits.groups_max = 3;
  for (size_t n : {3, 4}) {
    limits.topic_groups_max = 4;
    start();
    join_elsewhere(1, "u", "g");
    std::vector<group_place> places(n - 1);
    for (size_t i = 0; i < places.size(); ++i)
      places[i].group = 'g' + std::to_string(i);
    // One without members gives way, whoever it is.
    CHECK_EQ(table->import_places("t", places, 0, now), 0u);
    CHECK_EQ(table->size(), 3u);
    // One with members does not.
    leave(1);
    for (member_id id = 2; id <= 4; ++id)
      join_elsewhere(id, "w", 'g' + std::to_string(id));
    CHECK_EQ(table->size(), 3u);
    CHECK_EQ(table->import_places("v", places, 0, now), n - 1);
  }
}

CAF_TEST(a topic that is given up takes its groups and members along) {
  join(1, "g");
  join(2, "h");
  join_elsewhere(3, "u", "g");
  publish_many(2);
  leave(2);
  heard();
  CHECK_EQ(drop("u"), "1 ");
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
  drop({});
  CHECK_EQ(table->size(), 0u);
  CHECK_EQ(table->members(), 0u);
}

END_FIXTURE_SCOPE()
