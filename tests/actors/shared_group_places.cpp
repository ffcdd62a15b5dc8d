// Where groups stand, for those who keep it, and groups that go on from there.

#include <callboard/actors/shared_group.hpp>

#include <random>
#include <set>

#include "actors/group_fixture.hpp"

using namespace callboard;

namespace {

struct fixture : group_fixture {
  fixture() {
    history_size = 10'000;
    start();
  }

  shared_group& group() {
    return *table->find("t", "g");
  }

  group_table::joined join_durable(member_id id) {
    return join_at(id, "g", {head, head, false, true});
  }

  /// Another run of the node: a group that stands at `where`.
  group_table::joined go_on_from(const group_place& where, member_id id) {
    start();
    return join_at(id, "g", {head, head, false, true, &where});
  }

  /// Returns a group's state in words: "2-6: 3x1 5x0" stands at 2, has given or
  /// finished what is up to 6, and of that 3 (once) and 5 are open.
  static std::string words(const group_place& x) {
    auto result = std::to_string(x.place) + '-' + std::to_string(x.reach) + ':';
    for (auto& y : x.open)
      result += ' ' + std::to_string(y.offset) + 'x'
                + std::to_string(y.attempts);
    return result;
  }

  std::string state() {
    return words(group().state());
  }

  /// Hands over what was fetched first.
  void answer_fetch(uint64_t last) {
    auto x = fetches.front();
    fetches.erase(fetches.begin());
    REQUIRE_EQ(group().fetch(), x.number);
    group().fetched(*find(x.first, x.limit, last), now);
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- state --------------------------------------------------------------------

CAF_TEST(a state tells what is finished and what is open) {
  join_durable(1);
  CHECK_EQ(state(), "0-0:");
  publish_many(5);
  CHECK_EQ(state(), "0-3: 1x1 2x1 3x1");
  confirm(1, 2);
  CHECK_EQ(state(), "0-4: 1x1 3x1 4x1");
  reject(1, 3);
  CHECK_EQ(state(), "0-4: 1x1 3x2 4x1");
  confirm(1, 1);
  CHECK_EQ(state(), "2-5: 3x2 4x1 5x1");
  for (uint64_t i = 3; i <= 5; ++i)
    confirm(1, i);
  CHECK_EQ(state(), "5-5:");
}

CAF_TEST(a state has a bounded number of open events) {
  limits.inflight_max = limits.pending_max = 3000;
  for (auto n : {group_place::open_max, group_place::open_max + 1}) {
    start();
    head = 0;
    join_durable(1);
    publish_many(static_cast<int>(n));
    auto x = group().state();
    CHECK_EQ(x.open.size(), group_place::open_max);
    CHECK_EQ(x.reach, group_place::open_max);
  }
  // What is finished behind the last one that is told apart is known.
  confirm(1, group_place::open_max + 1);
  CHECK_EQ(group().state().reach, group_place::open_max + 1);
  CHECK_EQ(group().state().open.size(), group_place::open_max);
}

CAF_TEST(changes are noted once and only where places are kept) {
  join(1, "h");
  join_durable(2);
  auto changed = [&] {
    std::string result;
    for (auto* x : table->take_changed())
      result += x->name();
    return result;
  };
  CHECK_EQ(changed(), "g");
  CHECK(!table->changed());
  publish_many(2);
  CHECK_EQ(changed(), "g");
  confirm(1, 1);
  CHECK_EQ(changed(), "");
  confirm(2, 1);
  CHECK_EQ(changed(), "g");
  table->change_all();
  CHECK_EQ(changed(), "g");
  // One that is gone is not told of.
  confirm(2, 2);
  leave(2);
  now += limits.linger_ms;
  heard();
  table->expire(now);
  CHECK_EQ(heard(), "forgotten g");
  CHECK_EQ(changed(), "");
}

CAF_TEST(a group that gives way is forgotten) {
  limits.groups_max = 1;
  start();
  join_durable(1);
  CHECK(!table->has_room("t"));
  leave(1);
  CHECK(table->has_room("t"));
  join(2, "h");
  CHECK_EQ(heard(), "forgotten g released t");
}

// -- going on -----------------------------------------------------------------

CAF_TEST(a group goes on where it stood) {
  publish_many(7);
  auto made = go_on_from({"g", 1, 5, {{2, 1}, {4, 1}}}, 1);
  CHECK_EQ(made.place, 1u);
  CHECK(made.recovered);
  // 3 and 5 are finished; that 2 and 4 were given before is known.
  CHECK_EQ(heard(), "1<-2x2 1<-4x2 1<-6");
  confirm(1, 2);
  CHECK_EQ(heard(), "1<-7");
  CHECK_EQ(state(), "3-7: 4x2 6x1 7x1");
  auto counts = table->take_counts();
  CHECK_EQ(counts.redeliveries, 2u);
  CHECK_EQ(counts.lost, 0u);
}

CAF_TEST(what is known of events that were not taken yet is kept) {
  limits.pending_max = 2;
  limits.inflight_max = 1;
  publish_many(9);
  go_on_from({"g", 0, 8, {{1, 1}, {3, 2}, {6, 1}, {8, 1}}}, 1);
  CHECK_EQ(state(), "0-8: 1x2 3x2 6x1 8x1");
  confirm(1, 1);
  CHECK_EQ(state(), "2-8: 3x3 6x1 8x1");
}

CAF_TEST(a place behind the topic counts as its end) {
  publish_many(2);
  auto made = go_on_from({"g", 5, 9, {{7, 1}}}, 1);
  CHECK_EQ(made.place, 2u);
  publish();
  CHECK_EQ(heard(), "1<-3");
}

CAF_TEST(an event that was given as often as it may is given once more) {
  publish_many(2);
  go_on_from({"g", 0, 2, {{1, 3}, {2, 2}}}, 1);
  CHECK_EQ(heard(), "1<-1x3 1<-2x3");
  reject(1, 1);
  CHECK_EQ(heard(), "dead 1x3");
}

CAF_TEST(what was finished is not missed where the topic forgot it) {
  history_size = 2;
  publish_many(7);
  // It has 6 and 7. Of 1 to 5, only 2 and 5 were not finished.
  auto made = go_on_from({"g", 1, 4, {{2, 1}}}, 1);
  CHECK(!made.recovered);
  CHECK_EQ(made.place, 5u);
  CHECK_EQ(table->take_counts().lost, 2u);
  CHECK_EQ(heard(), "gap 1<-6 1<-7");
  go_on_from({"g", 1, 7, {{6, 1}}}, 1);
  // Nothing is missing, so nothing is told.
  CHECK_EQ(heard(), "1<-6x2");
  CHECK_EQ(table->take_counts().lost, 0u);
}

// -- what has to be fetched ---------------------------------------------------

CAF_TEST(what is only on the disk comes before what is in memory) {
  publish_many(30);
  on_disk_only = 25;
  go_on_from({"g", 0, 0, {}}, 1);
  REQUIRE_EQ(fetches.size(), 1u);
  CHECK_EQ(fetches[0].first, 1u);
  CHECK_EQ(fetches[0].limit, 10u);
  // One read at a time, and nothing overtakes.
  publish();
  join(2);
  CHECK_EQ(fetches.size(), 1u);
  CHECK_EQ(heard(), "");
  answer_fetch(30);
  CHECK_EQ(heard(), "1<-1 2<-2 1<-3 2<-4 1<-5 2<-6");
  std::set<uint64_t> done;
  while (done.size() < 31) {
    while (!fetches.empty())
      answer_fetch(30);
    REQUIRE(!open.empty());
    auto x = open.begin()->second;
    REQUIRE(done.insert(x.offset).second);
    // In the order of the topic, but for who is faster.
    REQUIRE_LE(x.offset, done.size() + 6);
    confirm(x.who, x.offset);
  }
  CHECK_EQ(state(), "31-31:");
  CHECK_EQ(table->take_counts().lost, 0u);
}

CAF_TEST(what was forgotten while it was to be fetched is told) {
  publish_many(20);
  on_disk_only = 20;
  go_on_from({"g", 0, 0, {}}, 1);
  kept = {};
  for (uint64_t i = 16; i <= 20; ++i) {
    auto x = caf::make_counted<publication>();
    x->topic = "t";
    x->offset = i;
    kept.add(x, 100, 0);
  }
  answer_fetch(20);
  CHECK_EQ(heard(), "gap 1<-16 1<-17 1<-18");
  CHECK_EQ(table->take_counts().lost, 15u);
}

CAF_TEST(an empty answer says nothing about what came later) {
  publish_many(5);
  on_disk_only = 5;
  go_on_from({"g", 0, 0, {}}, 1);
  publish();
  auto x = fetches.front();
  auto nothing = caf::make_counted<history_slice>();
  nothing->head = 5;
  group().fetched(*nothing, now);
  CHECK_EQ(x.number != group().fetch(), true);
  CHECK_EQ(heard(), "gap 1<-6");
}

CAF_TEST(what a group has passed over while it was fetched is not taken) {
  publish_many(10);
  on_disk_only = 10;
  go_on_from({"g", 0, 0, {}}, 1);
  auto found = find(1, 10, 10);
  while (kept.first_offset() < 4)
    kept.pop();
  CHECK(!join(2).recovered);
  CHECK_EQ(heard(), "gap");
  group().fetched(*found, now);
  CHECK_EQ(heard(), "1<-4 2<-5 1<-6 2<-7 1<-8 2<-9");
}

// -- a node that goes down ----------------------------------------------------

CAF_TEST(a node that goes down takes events from members without harm) {
  limits.attempts_max = 1;
  start();
  join_durable(1);
  join_durable(2);
  publish_many(4);
  heard();
  table->close();
  confirm(1, 1);
  leave(1);
  leave(2);
  CHECK_EQ(heard(), "");
  CHECK_EQ(state(), "1-4: 2x1 3x1 4x1");
}

CAF_TEST(a group goes on while members leave and gives up on nothing) {
  limits.attempts_max = 2;
  start();
  for (member_id id : {1, 2, 3})
    join_durable(id);
  table->end();
  publish();
  CHECK_EQ(heard(), "1<-1");
  leave(1);
  CHECK_EQ(heard(), "2<-1x2");
  // However many leave.
  leave(2);
  CHECK_EQ(heard(), "3<-1x2");
  leave(3);
  CHECK_EQ(state(), "0-1: 1x1");
  join_durable(4);
  CHECK_EQ(heard(), "4<-1x2");
  reject(4, 1);
  CHECK_EQ(heard(), "4<-1x3");
}

CAF_TEST(a group whose place is not kept goes on while the node goes down) {
  join(1);
  table->close();
  publish();
  CHECK_EQ(heard(), "1<-1");
}

// -- many restarts ------------------------------------------------------------

CAF_TEST(nothing is lost however often and late places are saved) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    std::mt19937 engine{seed};
    auto random = [&engine](uint32_t n) {
      return std::uniform_int_distribution<uint32_t>{0, n - 1}(engine);
    };
    history_size = 10'000;
    limits.attempts_max = 1000;
    kept = {};
    head = 0;
    on_disk_only = 0;
    fetches.clear();
    start();
    member_id last = 1;
    join_durable(last);
    auto saved = group().state();
    std::map<uint64_t, int> confirmed;
    auto again = 0u;
    auto confirm_one = [&] {
      auto i = open.begin();
      std::advance(i, random(static_cast<uint32_t>(open.size())));
      auto x = i->second;
      ++confirmed[x.offset];
      confirm(x.who, x.offset);
    };
    auto restart = [&](bool cleanly) {
      if (cleanly)
        saved = group().state();
      auto before = confirmed;
      on_disk_only = head;
      fetches.clear();
      go_on_from(saved, ++last);
      REQUIRE_LE(group().place(), saved.place);
      again += cleanly ? 0 : 1;
    };
    auto twice = [&] {
      return std::ranges::count_if(confirmed,
                                   [](auto& x) { return x.second > 1; });
    };
    auto only_clean = seed % 3 == 0;
    for (int i = 0; i < 1000; ++i) {
      switch (random(12)) {
        case 0:
          if (random(4) == 0)
            restart(only_clean || random(2) == 0);
          break;
        case 1:
          saved = group().state();
          break;
        case 2:
          if (!fetches.empty())
            answer_fetch(on_disk_only);
          break;
        case 3:
        case 4:
        case 5:
        case 6:
          publish();
          break;
        default:
          if (!open.empty())
            confirm_one();
      }
    }
    while (confirmed.size() < head || !open.empty()) {
      while (!fetches.empty())
        answer_fetch(on_disk_only);
      if (open.empty())
        CAF_FAIL("seed " << seed << ": something is nowhere");
      confirm_one();
    }
    CHECK_EQ(group().place(), head);
    CHECK_EQ(table->take_counts().lost, 0u);
    if (only_clean)
      CHECK_EQ(twice(), 0);
    else
      CHECK(again > 0);
  }
}

END_FIXTURE_SCOPE()
