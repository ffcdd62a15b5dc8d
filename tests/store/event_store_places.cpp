// Where groups stand, on every store.

#include <callboard/actors/event_store.hpp>

#include <random>

#include "support/store_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

CAF_TEST(where a group stands outlives the node) {
  for_each_store([](store_env& env) {
    env.load("a");
    env.append("a", 1, 9);
    CHECK_EQ(env.places("a"), "");
    CHECK_EQ(env.save_place("a", {"g", 3, 8, {{4, 1}, {7, 300}}}), "8 saved");
    CHECK_EQ(env.save_place("a", {"h", 0, 0, {}}), "8 saved");
    CHECK_EQ(env.places("a"), "g 3-8 4x1 7x300; h 0-0");
    CHECK_EQ(env.save_place("a", {"g", 8, 8, {}}), "8 saved");
    env.restart(false);
    CHECK_EQ(env.places("a"), "g 8-8; h 0-0");
    CHECK_EQ(env.forget_place("a", "g"), "8 saved");
    CHECK_EQ(env.forget_place("a", "x"), "8 saved");
    CHECK_EQ(env.forget_place("b", "g"), "8 saved");
    CHECK_EQ(env.places("a"), "h 0-0");
    CHECK_EQ(env.load("b"), "b none");
    env.restart();
    CHECK_EQ(env.load("a"), "a e@9 1-9");
    CHECK_EQ(env.places("a"), "h 0-0");
  });
}

CAF_TEST(a group can be there before its topic has an event) {
  for_each_store([](store_env& env) {
    env.load("a");
    CHECK_EQ(env.save_place("a", {"g", 0, 0, {}}), "8 saved");
    env.restart(false);
    CHECK_EQ(env.load("a"), "a e@0 0-0");
    CHECK_EQ(env.places("a"), "g 0-0");
    CHECK_EQ(env.append("a", 1, 2), "ok 2");
    CHECK_EQ(env.load("a"), "a e@2 1-2");
  });
}

CAF_TEST(a place belongs to the epoch of its topic) {
  for_each_store([](store_env& env) {
    env.load("a");
    env.append("a", 1, 2);
    CHECK_EQ(env.save_place("a", {"g", 1, 1, {}}, "other"), "8 failed");
    CHECK_EQ(env.places("a"), "");
    env.options.durability = durability::memory;
    env.load("m");
    env.save("m", 2, 1, 2);
    CHECK_EQ(env.save_place("m", {"g", 1, 1, {}}), "8 failed");
  });
}

namespace {

// One of the things that happen to the places of a topic with 20 events, the
// same for the same numbers.
std::string random_step(store_env& env, std::mt19937& random) {
  auto pick = [&random](uint64_t n) { return random() % n; };
  auto group = std::string(1, static_cast<char>('g' + pick(4)));
  switch (pick(6)) {
    case 0:
      env.restart(pick(2) == 0);
      return env.load("a");
    case 1:
      return env.forget_place("a", group);
    default: {
      group_place where{group, pick(20), 20, {}};
      for (auto i = where.place + 1; i <= 20; i += 1 + pick(5))
        where.open.push_back({i, static_cast<uint32_t>(pick(500))});
      return env.save_place("a", where);
    }
  }
}

} // namespace

CAF_TEST(the two stores keep the same places) {
  memory_env memory;
  disk_env disk;
  for (store_env* env :
       {static_cast<store_env*>(&memory), static_cast<store_env*>(&disk)}) {
    env->load("a");
    env->append("a", 1, 20);
  }
  std::mt19937 one{1};
  std::mt19937 two{1};
  for (int i = 0; i < 300; ++i) {
    auto x = random_step(memory, one);
    auto y = random_step(disk, two);
    REQUIRE_EQ(x, y);
    REQUIRE_EQ(memory.places("a"), disk.places("a"));
  }
}
