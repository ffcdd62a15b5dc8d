// What is kept of topics with replicas, on every store.

#include <callboard/actors/event_store.hpp>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "support/store_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

/// Returns a change of what there is of the topic "a".
replica_write change_of(store_env& env) {
  replica_write x;
  x.before = env.replica("a");
  x.record = x.before;
  return x;
}

/// Appends the events `first` … `last` to the topic "a".
replica_write added(store_env& env, uint64_t first, uint64_t last) {
  auto x = change_of(env);
  x.record.epoch = "e";
  x.record.head = last;
  for (auto i = first; i <= last; ++i)
    x.events.push_back(env.event("a", i));
  return x;
}

} // namespace

CAF_TEST(nothing is known of a topic at first) {
  for_each_store(
    [](store_env& env) { CHECK(env.replica("a") == replica_record{}); });
}

CAF_TEST(what was promised outlives the node) {
  for_each_store([](store_env& env) {
    replica_write x;
    x.record.promised = 8;
    x.record.term = 4;
    x.record.floor = 3;
    x.record.agreed = 2;
    CHECK_EQ(env.change("a", x), "a changed");
    env.restart(false);
    CHECK(env.replica("a") == x.record);
    // A witness has no log.
    CHECK_EQ(env.load("a"), "a none");
  });
}

CAF_TEST(a change that was made for another record changes nothing) {
  for_each_store([](store_env& env) {
    replica_write x;
    x.record.promised = 8;
    CHECK_EQ(env.change("a", x), "a changed");
    CHECK_EQ(env.change("a", x), "a failed");
    CHECK_EQ(env.replica("a").promised, 8u);
  });
}

CAF_TEST(events are appended with what is promised) {
  for_each_store([](store_env& env) {
    auto x = added(env, 1, 3);
    x.record.promised = x.record.term = 4;
    CHECK_EQ(env.change("a", x), "a changed");
    CHECK(env.replica("a") == x.record);
    CHECK_EQ(env.read("a", 1), "7: 1 2 3");
    CHECK_EQ(env.change("a", added(env, 5, 5)), "a failed");
    CHECK_EQ(env.change("a", added(env, 4, 4)), "a changed");
    env.restart(false);
    CHECK_EQ(env.load("a"), "a e@4 1-4");
    CHECK_EQ(env.replica("a").head, 4u);
  });
}

CAF_TEST(a log goes back and goes on) {
  for_each_store([](store_env& env) {
    // More than a row.
    env.change("a", added(env, 1, 400));
    env.change("a", added(env, 401, 410));
    auto x = added(env, 304, 305);
    x.upto = 303;
    CHECK_EQ(env.change("a", x), "a changed");
    CHECK_EQ(env.read("a", 300), "7: 300 301 302 303 304 305");
    env.restart(false);
    CHECK_EQ(env.load("a"), "a e@305 1-305");
    x = change_of(env);
    x.upto = 0;
    x.record.head = 0;
    CHECK_EQ(env.change("a", x), "a changed");
    env.restart(false);
    CHECK_EQ(env.load("a"), "a e@0 0-0");
    CHECK_EQ(env.change("a", added(env, 1, 1)), "a changed");
    CHECK_EQ(env.read("a", 1), "7: 1");
  });
}

CAF_TEST(a log that is cut behind its head stays as it is) {
  for_each_store([](store_env& env) {
    env.change("a", added(env, 1, 3));
    auto x = change_of(env);
    x.upto = 7;
    CHECK_EQ(env.change("a", x), "a changed");
    CHECK_EQ(env.load("a"), "a e@3 1-3");
  });
}

CAF_TEST(a log can begin behind what is gone) {
  for_each_store([](store_env& env) {
    env.change("a", added(env, 1, 3));
    auto x = added(env, 11, 12);
    x.behind = true;
    x.upto = 10;
    CHECK_EQ(env.change("a", x), "a changed");
    CHECK_EQ(env.read("a", 1), "7: 11 12");
    env.restart(false);
    CHECK_EQ(env.load("a"), "a e@12 11-12");
    x = change_of(env);
    x.behind = true;
    x.upto = 20;
    x.record.head = 20;
    CHECK_EQ(env.change("a", x), "a changed");
    CHECK_EQ(env.load("a"), "a e@20 0-0");
  });
}

CAF_TEST(a log can get another epoch) {
  for_each_store([](store_env& env) {
    env.change("a", added(env, 1, 3));
    auto x = change_of(env);
    x.record.epoch = "f";
    CHECK_EQ(env.change("a", x), "a changed");
    CHECK_EQ(env.load("a"), "a f@3 1-3");
  });
}

CAF_TEST(a topic that had no replicas has its log) {
  for_each_store([](store_env& env) {
    env.load("a");
    env.append("a", 1, 3);
    auto x = env.replica("a");
    CHECK_EQ(x.epoch, "e");
    CHECK_EQ(x.head, 3u);
    CHECK_EQ(x.term, 0u);
  });
}

CAF_TEST(groups stand where a change says) {
  for_each_store([](store_env& env) {
    auto x = added(env, 1, 3);
    x.record.placed = 7;
    std::vector<group_place> places{{"g", 1, 3, {{2, 5}}}, {"h", 3, 3, {}}};
    x.places = std::make_shared<const std::vector<group_place>>(places);
    CHECK_EQ(env.change("a", x), "a changed");
    env.restart(false);
    CHECK_EQ(env.replica("a").placed, 7u);
    CHECK(env.load_all("a").groups == places);
    // As before; then those that are left out go.
    CHECK_EQ(env.change("a", added(env, 4, 4)), "a changed");
    CHECK_EQ(env.load_all("a").groups.size(), 2u);
    x = change_of(env);
    places.pop_back();
    x.places = std::make_shared<const std::vector<group_place>>(places);
    CHECK_EQ(env.change("a", x), "a changed");
    CHECK(env.load_all("a").groups == places);
  });
}

CAF_TEST(groups of a copy stand where they do whatever it lacks) {
  for_each_store([](store_env& env) {
    CHECK(env.replica_places("a") == nullptr);
    auto x = added(env, 1, 3);
    std::vector<group_place> places{{"g", 5, 8, {{7, 2}}}};
    x.places = std::make_shared<const std::vector<group_place>>(places);
    CHECK_EQ(env.change("a", x), "a changed");
    env.restart(false);
    auto found = env.replica_places("a");
    REQUIRE(found != nullptr);
    CHECK(*found == places);
  });
}

CAF_TEST(ids are found where the events came from another node) {
  for_each_store([](store_env& env) {
    auto x = added(env, 1, 0);
    x.events = {env.event("a", 1, "i")};
    x.record.head = 1;
    CHECK_EQ(env.change("a", x), "a changed");
    auto found = env.load_all("a").ids;
    CHECK_EQ(found.size(), 1u);
  });
}
