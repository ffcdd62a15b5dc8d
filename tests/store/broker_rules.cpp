// Rules that change while topics live that outlive the process.

#include "store/broker_durable_fixture.hpp"

#include <vector>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture : durable_fixture {
  /// Lets the shards go by other rules.
  /// @returns how many topics keep another durability.
  uint64_t reload(std::vector<topic_rule> x) {
    auto rules = caf::make_counted<rule_set>(std::move(x));
    uint64_t result = 0;
    for (auto& shard : loops[0]->brokers)
      ask(shard.actor, reload_atom_v, rules)
        .receive([&](uint64_t n) { result += n; },
                 [](const caf::error& why) { CAF_FAIL(why); });
    return result;
  }

  /// The only shard dies, and another one takes over.
  void replace_shard() {
    kill(loops[0]->brokers[0].actor);
    install(0, make_broker(0));
    turn();
  }

  static topic_options on_disk(size_t history_size, size_t rate = 0) {
    return {.history_size = history_size,
            .durability = durability::disk,
            .publish_rate = rate};
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a topic that lives stays on the disk until it is made anew) {
  run();
  publish("disk/a", "x", 1);
  CHECK_EQ(reload({{"#", {.history_size = 100}}}), 1u);
  CHECK_EQ(publish("disk/a", "y", 2), response(2, "run.1", 2));
  CHECK_EQ(store->events_of("disk/a").size(), 2u);
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "1 2");
  // Others begin by the new rule.
  publish("disk/b", "x", 3);
  CHECK(store->events_of("disk/b").empty());
  restart(false);
  CHECK_EQ(publish("disk/a", "z", 4), response(4, "run.3", 1));
  CHECK_EQ(store->events_of("disk/a").size(), 2u);
}

CAF_TEST(a shard that dies makes its topics anew and the disk keeps its own) {
  run();
  publish("disk/a", "x", 1);
  publish("disk/a", "y", 2);
  subscribe(*two, "disk/a");
  reload({{"#", {.history_size = 100}}});
  two->heard();
  replace_shard();
  // Nobody takes it for the topic that was.
  CHECK(two->heard().find("epoch changed") != std::string::npos);
  CHECK(come_back(connect(0), "disk/a", "run.1", 1).find("\"recovered\":false")
        != std::string::npos);
  CHECK_EQ(store->events_of("disk/a").size(), 2u);
  // With its rule it goes on where the disk is.
  reload({{"disk/+", on_disk(100)}});
  replace_shard();
  CHECK_EQ(publish("disk/a", "z", 3), response(3, "run.1", 3));
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "1 2 3");
}

CAF_TEST(a topic that lives stays off the disk until it is made anew) {
  run();
  publish("plain", "x", 1);
  CHECK_EQ(reload({{"#", on_disk(100)}}), 1u);
  CHECK_EQ(publish("plain", "y", 2), response(2, "run.1", 2));
  CHECK(store->events_of("plain").empty());
  publish("new", "x", 3);
  CHECK_EQ(store->events_of("new").size(), 1u);
  restart(false);
  publish("plain", "z", 4);
  CHECK_EQ(store->events_of("plain").size(), 1u);
}

CAF_TEST(a history on the disk becomes shorter and not longer than it was) {
  run();
  for (uint32_t i = 1; i <= 6; ++i)
    publish("disk/a", "x", i);
  CHECK_EQ(reload({{"disk/+", on_disk(2)}}), 0u);
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "5 6");
  // What the store may have forgotten is not promised.
  reload({{"disk/+", on_disk(100)}});
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "5 6");
  publish("disk/a", "x", 7);
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "5 6 7");
  // It keeps one as long as it lives.
  reload({{"disk/+", on_disk(0)}});
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "5 6 7");
}

CAF_TEST(the store keeps a topic by the new rules without another event) {
  run();
  auto aged = [](caf::timespan ttl, size_t rate = 0) {
    return topic_options{.history_size = 100,
                         .history_ttl = ttl,
                         .durability = durability::disk,
                         .publish_rate = rate};
  };
  publish("aged/a", "x", 1);
  publish("ram/a", "x", 2);
  CHECK(store->options_of("aged/a").history_ttl == 10s);
  reload({{"aged/+", aged(20s)}});
  CHECK(store->options_of("aged/a").history_ttl == 20s);
  // What is nothing to the store is not told, nor what it has no part in.
  store->at_once = false;
  reload({{"aged/+", aged(20s, 5)}, {"ram/+", {.history_size = 7}}});
  CHECK_EQ(store->waiting(), 0u);
  reload({{"aged/+", aged(21s, 5)}});
  CHECK_EQ(store->waiting(), 1u);
  store->commit();
  CHECK(store->options_of("aged/a").history_ttl == 21s);
}

CAF_TEST(the store keeps a topic by rules that change while it is loaded) {
  run();
  publish("disk/a", "x", 1);
  restart(false);
  store->at_once = false;
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "");
  reload({{"disk/+", on_disk(50)}});
  commit(*one);
  CHECK_EQ(store->options_of("disk/a").history_size, 100u);
  commit(*one);
  CHECK_EQ(store->options_of("disk/a").history_size, 50u);
}

CAF_TEST(what is too fast is not put on the disk) {
  run();
  reload({{"disk/+", on_disk(100, 1)}});
  CHECK_EQ(publish("disk/a", "x", 1), response(1, "run.1", 1));
  CHECK_EQ(publish("disk/a", "y", 2), "error 2 rate_limited");
  CHECK_EQ(store->events_of("disk/a").size(), 1u);
  CHECK_EQ(loops[0]->brokers[0].waiting->count(), 0);
  pass(1s);
  CHECK_EQ(publish("disk/a", "y", 3), response(3, "run.1", 2));
}

CAF_TEST(what the disk does not take leaves no more room in a rate) {
  run();
  reload({{"disk/+", on_disk(100, 2)}});
  CHECK_EQ(publish("disk/a", "x", 1), response(1, "run.1", 1));
  store->broken = true;
  CHECK_EQ(publish("disk/a", "y", 2), "error 2 storage_unavailable");
  store->broken = false;
  CHECK_EQ(publish("disk/a", "z", 3), "error 3 rate_limited");
  pass(1s);
  CHECK_EQ(publish("disk/a", "z", 4), response(4, "run.1", 2));
}

CAF_TEST(rules that change while a topic is loaded hold for it) {
  run();
  store->at_once = false;
  CHECK_EQ(publish("disk/a", "x", 1), "");
  CHECK_EQ(publish("disk/a", "y", 2), "");
  // The durability is the one with which it was asked for.
  CHECK_EQ(reload({{"#", {.history_size = 1, .publish_rate = 1}}}), 0u);
  auto heard = commit(*one);
  heard += commit(*one);
  CHECK_EQ(heard, "error 2 rate_limited" + response(1, "run.1", 1));
  CHECK_EQ(store->events_of("disk/a").size(), 1u);
  store->at_once = true;
  pass(1s);
  CHECK_EQ(publish("disk/a", "z", 3), response(3, "run.1", 2));
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "2");
  CHECK_EQ(store->events_of("disk/a").size(), 2u);
}

END_FIXTURE_SCOPE()
