// What every store does for topics of durability `memory`.

#include <callboard/actors/event_store.hpp>

#include "support/store_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

CAF_TEST(what memory saves is there after a clean end only) {
  for_each_store([](store_env& env) {
    env.options.durability = durability::memory;
    CHECK_EQ(env.load("a"), "a none");
    env.save("a", 5, 3, 5);
    env.restart();
    CHECK_EQ(env.load("a"), "a e@5 3-5");
    env.save("a", 7, 6, 7);
    env.restart(false);
    CHECK_EQ(env.load("a"), "a none");
  });
}

CAF_TEST(what memory has taken is taken once) {
  for_each_store([](store_env& env) {
    env.options.durability = durability::memory;
    env.load("a");
    env.save("a", 2, 1, 2);
    env.restart();
    CHECK_EQ(env.load("a"), "a e@2 1-2");
    CHECK_EQ(env.read("a", 1), "7: 1 2");
    // Its shard died, and with it what was published since.
    CHECK_EQ(env.load("a"), "a none");
    CHECK_EQ(env.read("a", 1), "7:");
  });
}

CAF_TEST(what memory has taken and not left is void after a clean end) {
  for_each_store([](store_env& env) {
    env.options.durability = durability::memory;
    for (auto topic : {"a", "b"}) {
      env.load(topic);
      env.save(topic, 2, 1, 2);
    }
    env.restart();
    // Its shard dies, and nobody asks for it any more.
    CHECK_EQ(env.load("a"), "a e@2 1-2");
    env.restart();
    CHECK_EQ(env.load("a"), "a none");
    CHECK_EQ(env.load("b"), "b e@2 1-2");
    env.save("b", 2, 1, 0);
    env.restart();
    CHECK_EQ(env.load("b"), "b e@2 1-2");
  });
}

CAF_TEST(a topic without events keeps no place in memory) {
  for_each_store([](store_env& env) {
    env.options.durability = durability::memory;
    env.load("a");
    env.save("a", 0, 1, 0);
    CHECK_EQ(env.load("a"), "a none");
    env.save("a", 0, 1, 0);
    env.restart();
    CHECK_EQ(env.load("a"), "a none");
  });
}

CAF_TEST(what memory saves follows what it has saved before) {
  for_each_store([](store_env& env) {
    env.options.durability = durability::memory;
    env.load("a");
    env.save("a", 2, 1, 2);
    CHECK_EQ(env.load("a"), "a e@2 1-2");
    env.save("a", 4, 3, 4);
    CHECK_EQ(env.load("a"), "a e@4 1-4");
    // Nothing new.
    env.save("a", 4, 1, 0);
    CHECK_EQ(env.load("a"), "a e@4 1-4");
    // The events in between gave way.
    env.save("a", 9, 8, 9);
    CHECK_EQ(env.load("a"), "a e@9 8-9");
    env.save("a", 12, 1, 0);
    CHECK_EQ(env.load("a"), "a e@12 0-0");
  });
}

CAF_TEST(memory remembers ids that have no event any more) {
  for_each_store([](store_env& env) {
    env.options.durability = durability::memory;
    stored_id x{"8:somebodyx", 7, env.now_ms + 100};
    env.store().save({"a", "e", 9, {}, {x}, env.options});
    env.restart();
    auto loaded = env.load_all("a");
    CHECK_EQ(loaded.head, 9u);
    CHECK(loaded.ids == (std::vector{x}));
    env.store().save({"a", "e", 9, {}, {x}, env.options});
    env.restart();
    env.now_ms += 100;
    CHECK(env.load_all("a").ids.empty());
  });
}

CAF_TEST(a topic may change its durability) {
  for_each_store([](store_env& env) {
    auto on_disk = env.options;
    auto in_memory = env.options;
    in_memory.durability = durability::memory;
    env.load("a");
    env.append("a", 1, 3);
    env.restart();
    env.options = in_memory;
    CHECK_EQ(env.load("a"), "a e@3 1-3");
    // What is published now is not in the store, so it must not go on from
    // here.
    env.restart(false);
    env.options = on_disk;
    CHECK_EQ(env.load("a"), "a none");
    env.options = in_memory;
    env.load("b");
    env.save("b", 2, 1, 2);
    env.restart();
    env.options = on_disk;
    CHECK_EQ(env.load("b"), "b e@2 1-2");
    CHECK_EQ(env.append("b", 3, 3), "ok 1");
    env.restart(false);
    CHECK_EQ(env.load("b"), "b e@3 1-3");
  });
}
