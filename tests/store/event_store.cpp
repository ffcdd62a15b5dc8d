// What every store does, whatever it keeps things on.

#include <callboard/actors/event_store.hpp>

#include <random>
#include <string>

#include <callboard/actors/tenant_space.hpp>

#include "support/store_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

CAF_TEST(a topic that nobody published to is not there) {
  for_each_store([](store_env& env) {
    CHECK_EQ(env.load("a"), "a none");
    CHECK_EQ(env.read("a", 1), "7:");
    CHECK(env.store().status().up);
    CHECK(!env.store().full());
  });
}

CAF_TEST(what was appended can be read from any offset on) {
  for_each_store([](store_env& env) {
    env.load("a");
    CHECK_EQ(env.append("a", 1, 5), "ok 5");
    CHECK_EQ(env.read("a", 1), "7: 1 2 3 4 5");
    CHECK_EQ(env.read("a", 3), "7: 3 4 5");
    CHECK_EQ(env.read("a", 2, 2), "7: 2 3");
    CHECK_EQ(env.read("a", 2, 1000, 4), "7: 2 3 4");
    CHECK_EQ(env.read("a", 6), "7:");
    CHECK_EQ(env.append("a", 6, 6), "ok 1");
    CHECK_EQ(env.load("a"), "a e@6 1-6");
  });
}

CAF_TEST(an event keeps all that clients get of it) {
  for_each_store([](store_env& env) {
    auto x = env.event("a", 1, "the id");
    x->trace = "00-trace";
    x->key = "the key";
    x->origin = "the group";
    x->attempts = 300;
    x->payload = *payload::from_json("{\"a\":[1,2.5,null]}");
    env.load("a");
    CHECK_EQ(env.append(x), "ok 1");
    CHECK_EQ(env.append(env.event("a", 2)), "ok 1");
    env.restart();
    env.load("a");
    auto events = env.read_all(env.query("a", 1));
    REQUIRE_EQ(events.size(), 2u);
    auto& y = *events[0];
    CHECK_EQ(y.topic, "a");
    CHECK_EQ(y.epoch, "e");
    CHECK_EQ(y.offset, 1u);
    CHECK_EQ(y.timestamp, env.now_ms);
    CHECK_EQ(y.sender, "somebody");
    CHECK_EQ(y.id, "the id");
    CHECK_EQ(y.trace, "00-trace");
    CHECK_EQ(y.key, "the key");
    CHECK_EQ(y.origin, "the group");
    CHECK_EQ(y.attempts, 300u);
    CHECK_EQ(events[1]->key + events[1]->origin, "");
    CHECK(y.payload.encoding() == x->payload.encoding());
    CHECK_EQ(y.payload.to_json(), "{\"a\":[1,2.5,null]}");
    CHECK(events[1]->payload.encoding() == codec::msgpack);
    CHECK_EQ(events[1]->payload.to_json(), "\"event 2\"");
  });
}

CAF_TEST(the longest name of a topic is kept) {
  auto name = tenant_topic(std::string(255, 't'),
                           "$dead/" + std::string(255, 'x'));
  CHECK_EQ(name.size(), 526u);
  for_each_store([&name](store_env& env) {
    CHECK_EQ(env.load(name), name + " none");
    CHECK_EQ(env.append(name, 1, 3), "ok 3");
    env.restart();
    CHECK_EQ(env.load(name), name + " e@3 1-3");
    CHECK_EQ(env.read(name, 2), "7: 2 3");
    // No part of it is the whole.
    auto shorter = name.substr(0, name.size() - 1);
    CHECK_EQ(env.load(shorter), shorter + " none");
  });
}

CAF_TEST(connections have other numbers in the next run) {
  for_each_store([](store_env& env) {
    auto x = env.event("a", 1);
    x->no_echo = true;
    x->publisher = 300;
    env.load("a");
    env.append(x);
    auto same_run = env.read_all(env.query("a", 1));
    REQUIRE_EQ(same_run.size(), 1u);
    CHECK(same_run[0]->no_echo);
    CHECK_EQ(same_run[0]->publisher, 300u);
    env.restart();
    auto next_run = env.read_all(env.query("a", 1));
    REQUIRE_EQ(next_run.size(), 1u);
    CHECK(!next_run[0]->no_echo);
    CHECK_EQ(next_run[0]->publisher, 0u);
  });
}

CAF_TEST(offsets and epoch go on after a restart however the node ended) {
  for (auto cleanly : {true, false})
    for_each_store([cleanly](store_env& env) {
      env.load("a");
      env.append("a", 1, 3);
      env.restart(cleanly);
      CHECK_EQ(env.load("a"), "a e@3 1-3");
      CHECK_EQ(env.append("a", 4, 4), "ok 1");
      CHECK_EQ(env.read("a", 1), "7: 1 2 3 4");
    });
}

CAF_TEST(an event that does not follow the last one fails) {
  for_each_store([](store_env& env) {
    env.load("a");
    env.append("a", 1, 3);
    CHECK_EQ(env.append("a", 5, 5), "failed 1");
    CHECK_EQ(env.append("a", 3, 3), "failed 1");
    auto other = env.event("a", 4);
    other->epoch = "another";
    CHECK_EQ(env.append(other), "failed 1");
    CHECK_EQ(env.append("a", 4, 4), "ok 1");
    CHECK_EQ(env.load("a"), "a e@4 1-4");
  });
}

CAF_TEST(other options leave what there is and make nothing) {
  for_each_store([](store_env& env) {
    auto other = env.options;
    other.history_size = 7;
    env.store().set_options("a", other);
    CHECK_EQ(env.load("a"), "a none");
    env.append("a", 1, 3);
    env.store().set_options("a", other);
    CHECK_EQ(env.append("a", 4, 4), "ok 1");
    env.store().set_options("a", other);
    CHECK_EQ(env.load("a"), "a e@4 1-4");
    // A topic of the memory that was saved is not the disk's.
    env.options.durability = durability::memory;
    env.save("m", 2, 1, 2);
    env.store().set_options("m", other);
    CHECK_EQ(env.load("m"), "m e@2 1-2");
  });
}

CAF_TEST(another epoch has no events) {
  for_each_store([](store_env& env) {
    env.load("a");
    env.append("a", 1, 3);
    auto query = env.query("a", 1);
    query.epoch = "another";
    CHECK_EQ(env.read(query), "7:");
  });
}

CAF_TEST(a read has a bound in bytes but gives one event) {
  for_each_store([](store_env& env) {
    env.load("a");
    env.append("a", 1, 5);
    auto query = env.query("a", 2);
    query.bytes_max = 0;
    CHECK_EQ(env.read(query), "7: 2");
    query.bytes_max = env.event("a", 2)->cost();
    CHECK_EQ(env.read(query), "7: 2");
    query.bytes_max += 1;
    CHECK_EQ(env.read(query), "7: 2 3");
  });
}

CAF_TEST(a read may begin at the end) {
  for_each_store([](store_env& env) {
    env.load("a");
    for (uint64_t i = 1; i <= 3; ++i)
      env.append("a", 3 * i - 2, 3 * i);
    auto query = env.query("a", 2);
    query.newest = true;
    CHECK_EQ(env.read(query), "7: 2 3 4 5 6 7 8 9");
    query.events_max = 4;
    CHECK_EQ(env.read(query), "7: 6 7 8 9");
    query.last = 7;
    CHECK_EQ(env.read(query), "7: 4 5 6 7");
    query.first = 6;
    CHECK_EQ(env.read(query), "7: 6 7");
    query.bytes_max = 0;
    CHECK_EQ(env.read(query), "7: 7");
    query.first = 8;
    CHECK_EQ(env.read(query), "7:");
  });
}

CAF_TEST(a read leaves out what is too old) {
  for_each_store([](store_env& env) {
    env.load("a");
    env.append("a", 1, 2);
    env.now_ms += 10;
    env.append("a", 3, 4);
    auto query = env.query("a", 1);
    query.after_ms = env.now_ms - 10;
    CHECK_EQ(env.read(query), "7: 3 4");
    query.after_ms = env.now_ms - 11;
    CHECK_EQ(env.read(query), "7: 1 2 3 4");
    query.newest = true;
    query.after_ms = env.now_ms - 10;
    CHECK_EQ(env.read(query), "7: 3 4");
    query.newest = false;
    query.after_ms = env.now_ms;
    CHECK_EQ(env.read(query), "7:");
  });
}

// -- ids and last values ------------------------------------------------------

CAF_TEST(ids come back with their offsets as long as they count) {
  for_each_store([](store_env& env) {
    env.load("a");
    env.append(env.event("a", 1, "one"));
    env.append("a", 2, 2);
    env.now_ms += 1000;
    env.append(env.event("a", 3, "three"));
    env.restart(false);
    auto until_ms = env.now_ms + 300'000;
    stored_id one{"8:somebodyone", 1, until_ms - 1000};
    stored_id three{"8:somebodythree", 3, until_ms};
    CHECK(env.load_all("a").ids == (std::vector{one, three}));
    env.now_ms = one.until_ms - 1;
    CHECK(env.load_all("a").ids == (std::vector{one, three}));
    env.now_ms = one.until_ms;
    CHECK(env.load_all("a").ids == (std::vector{three}));
    env.now_ms = three.until_ms;
    CHECK(env.load_all("a").ids.empty());
  });
}

CAF_TEST(ids of connections count in their own run only) {
  for_each_store([](store_env& env) {
    env.load("a");
    auto x = env.event("a", 1, "one");
    x->from_connection = true;
    env.append(x);
    env.append(env.event("a", 2, "two"));
    auto ids = env.load_all("a").ids;
    REQUIRE_EQ(ids.size(), 2u);
    CHECK_EQ(ids[0].key, "connection 8:somebodyone");
    CHECK_EQ(ids[0].key, x->id_key());
    env.restart();
    ids = env.load_all("a").ids;
    REQUIRE_EQ(ids.size(), 1u);
    CHECK_EQ(ids[0].key, "8:somebodytwo");
  });
}

CAF_TEST(a load has the last event) {
  for_each_store([](store_env& env) {
    env.options.retain = true;
    CHECK(env.load_all("a").newest == nullptr);
    env.append("a", 1, 3);
    auto x = env.load_all("a").newest;
    REQUIRE(x != nullptr);
    CHECK_EQ(x->offset, 3u);
    CHECK_EQ(x->payload.to_json(), "\"event 3\"");
    // Others need it for nothing.
    env.options.retain = false;
    CHECK(env.load_all("a").newest == nullptr);
  });
}

// -- both are alike -----------------------------------------------------------

namespace {

// One of many things that a node may do, the same for the same numbers.
std::string random_step(store_env& env, std::mt19937& random,
                        std::map<std::string, uint64_t>& heads) {
  auto pick = [&random](uint64_t n) { return random() % n; };
  auto topic = std::string(1, static_cast<char>('a' + pick(4)));
  auto& head = heads[topic];
  env.options.durability = topic < "c" ? durability::disk : durability::memory;
  switch (pick(8)) {
    case 0: {
      auto found = env.load_all(topic);
      head = found.head;
      std::string ids;
      for (auto& x : found.ids)
        ids += ' ' + x.key + '@' + std::to_string(x.offset);
      return "load " + found.epoch + std::to_string(found.head) + ' '
             + std::to_string(found.first) + ids;
    }
    case 1:
      return env.read(topic, 1 + pick(head + 2), 1 + pick(10));
    case 2:
      env.now_ms += static_cast<int64_t>(pick(100'000));
      return {};
    case 3: {
      auto cleanly = pick(3) > 0;
      env.restart(cleanly);
      for (auto& [name, x] : heads) {
        env.options.durability = name < "c" ? durability::disk
                                            : durability::memory;
        x = env.load_all(name).head;
      }
      return "restart";
    }
    default:
      break;
  }
  if (topic >= "c") {
    auto first = head + 1 + pick(2);
    auto n = pick(3);
    head += n + (first - head - 1);
    env.save(topic, head, first, first + n - 1);
    // Nothing tells when it is done, but what is written later is done later.
    env.load("nobody's");
    if (pick(2) == 0)
      return {};
    auto found = env.load_all(topic);
    return "save " + std::to_string(found.head) + ' '
           + std::to_string(found.first);
  }
  auto wrong = pick(10) == 0 ? 1u : 0u;
  auto id = pick(2) == 0 ? "id" + std::to_string(pick(100)) : std::string{};
  auto told = env.append(env.event(topic, head + 1 + wrong, id));
  // The first one of a topic may have any offset.
  if (told == "ok 1")
    head += 1 + wrong;
  return told;
}

} // namespace

CAF_TEST(the two stores do the same) {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    memory_env memory;
    disk_env disk;
    std::mt19937 one{seed};
    std::mt19937 two{seed};
    std::map<std::string, uint64_t> heads;
    std::map<std::string, uint64_t> other_heads;
    for (int i = 0; i < 300; ++i) {
      auto x = random_step(memory, one, heads);
      auto y = random_step(disk, two, other_heads);
      if (x != y)
        CAF_FAIL("seed " << seed << ", step " << i << ": " << x << " and "
                         << y);
    }
  }
}
