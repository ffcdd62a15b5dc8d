// Brokers that end, and others that go on where they were.

#include "store/broker_durable_fixture.hpp"

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

BEGIN_FIXTURE_SCOPE(durable_fixture)

// -- restarts -----------------------------------------------------------------

CAF_TEST(a topic on the disk goes on after a restart) {
  run(2);
  auto topic = name_on(1, 2, "disk/");
  subscribe(*two, topic);
  for (uint32_t i = 1; i <= 5; ++i)
    publish(topic, std::to_string(i), i);
  two->heard();
  restart(false);
  // It missed nothing, and hears nothing.
  CHECK_EQ(two->heard(), "");
  CHECK_EQ(publish(topic, "6", 6), response(6, "run.1", 6));
  CHECK_EQ(two->heard(), "event " + topic + " @6 \"6\"");
  auto& three = connect(0);
  CHECK_EQ(come_back(three, topic, "run.1", 3),
           "response 9 {\"epoch\":\"run.1\",\"offset\":6,\"recovered\":true}; "
           "event "
             + topic + " @4 \"4\"; event " + topic + " @5 \"5\"; event " + topic
             + " @6 \"6\"");
  CHECK(come_back(*one, topic, "run.1", 7).find("\"recovered\":false")
        != std::string::npos);
}

CAF_TEST(history comes from the disk where it is not in memory any more) {
  run();
  for (uint32_t i = 1; i <= 9; ++i)
    publish("disk/a", std::to_string(i), i);
  restart(false);
  publish("disk/a", "10", 10);
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "1 2 3 4 5 6 7 8 9 10");
  CHECK_EQ(history("{\"topic\":\"disk/a\",\"limit\":3}"), "1 2 3 …");
  CHECK_EQ(history("{\"topic\":\"disk/a\",\"limit\":3,\"reverse\":true}"),
           "10 9 8 …");
  CHECK_EQ(history("{\"topic\":\"disk/a\",\"before\":5}"), "1 2 3 4");
  CHECK_EQ(history("{\"topic\":\"disk/a\",\"before\":5,\"limit\":2,"
                   "\"reverse\":true}"),
           "4 3 …");
  CHECK_EQ(history("{\"topic\":\"disk/a\",\"since\":{\"epoch\":\"run.1\","
                   "\"offset\":7}}"),
           "8 9 10");
  CHECK_EQ(history("{\"topic\":\"disk/a\",\"since\":{\"epoch\":\"run.1\","
                   "\"offset\":10}}"),
           "");
  store->broken = true;
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "error 5 storage_unavailable");
  // What is in memory needs no store.
  CHECK_EQ(history("{\"topic\":\"disk/a\",\"since\":{\"epoch\":\"run.1\","
                   "\"offset\":9}}"),
           "10");
}

CAF_TEST(the size and the time to live count on the disk as well) {
  run();
  for (uint32_t i = 1; i <= 9; ++i)
    publish("few/a", std::to_string(i), i);
  restart(false);
  CHECK_EQ(history("{\"topic\":\"few/a\"}"), "7 8 9");
  CHECK(come_back(*two, "few/a", "run.1", 5).find("\"recovered\":false")
        != std::string::npos);
  say(*two, type::unsubscribe, 2, "few/a");
  CHECK(come_back(*two, "few/a", "run.1", 6).find("\"recovered\":true")
        != std::string::npos);
  publish("aged/a", "1", 1);
  pass(6s);
  publish("aged/a", "2", 2);
  restart(false);
  CHECK_EQ(history("{\"topic\":\"aged/a\"}"), "1 2");
  pass(4s);
  CHECK_EQ(history("{\"topic\":\"aged/a\"}"), "2");
  CHECK_EQ(history("{\"topic\":\"aged/a\",\"reverse\":true}"), "2");
  pass(6s);
  CHECK_EQ(history("{\"topic\":\"aged/a\"}"), "");
}

CAF_TEST(a last value outlives a restart and can be taken back) {
  run();
  publish("last/a", "x", 1);
  restart(false);
  CHECK_EQ(subscribe(*two, "last/a"),
           "response 1 {\"epoch\":\"run.1\",\"offset\":1,\"recovered\":false}; "
           "event last/a @1 retained \"x\"");
  one->say(type::publish, 2, "last/a");
  turn();
  restart(false);
  auto& three = connect();
  CHECK_EQ(subscribe(three, "last/a"),
           "response 1 {\"epoch\":\"run.1\",\"offset\":2,\"recovered\":false}");
}

CAF_TEST(memory goes on after a clean end and starts over after another) {
  run();
  for (uint32_t i = 1; i <= 5; ++i)
    publish("ram/a", std::to_string(i), i, "id" + std::to_string(i));
  CHECK_EQ(store->events_of("ram/a").size(), 0u);
  restart(true);
  CHECK_EQ(store->events_of("ram/a").size(), 5u);
  CHECK_EQ(publish("ram/a", "3", 7, "id3"), response(7, "run.1", 3));
  CHECK_EQ(publish("ram/a", "6", 8), response(8, "run.1", 6));
  CHECK_EQ(history("{\"topic\":\"ram/a\"}"), "1 2 3 4 5 6");
  CHECK_EQ(history("{\"topic\":\"ram/a\",\"limit\":2,\"before\":7}"), "1 2 …");
  CHECK_EQ(history("{\"topic\":\"ram/a\",\"limit\":3,\"reverse\":true}"),
           "6 5 4 …");
  CHECK_EQ(come_back(*two, "ram/a", "run.1", 4),
           "response 9 {\"epoch\":\"run.1\",\"offset\":6,\"recovered\":true}; "
           "event ram/a @5 \"5\"; event ram/a @6 \"6\"");
  restart(true);
  CHECK_EQ(publish("ram/a", "7", 9), response(9, "run.1", 7));
  CHECK_EQ(history("{\"topic\":\"ram/a\"}"), "1 2 3 4 5 6 7");
  restart(false);
  auto fresh = publish("ram/a", "1", 10);
  CHECK(fresh.ends_with("\"offset\":1}"));
  CHECK(fresh.find("run.1\"") == std::string::npos);
}

CAF_TEST(a shard that dies takes what memory has kept with it) {
  run();
  publish("ram/a", "1", 1);
  restart(true);
  publish("ram/a", "2", 2);
  kill(loops[0]->brokers[0].actor);
  install(0, make_broker(0));
  turn();
  auto fresh = publish("ram/a", "1", 3);
  CHECK(fresh.ends_with("\"offset\":1}"));
  CHECK(fresh.find("run.1\"") == std::string::npos);
}

CAF_TEST(a shard that died has no part in a clean end) {
  run();
  publish("ram/a", "1", 1);
  restart(true);
  publish("ram/a", "2", 2);
  kill(loops[0]->brokers[0].actor);
  install(0, make_broker(0));
  turn();
  restart(true);
  auto fresh = publish("ram/a", "1", 3);
  CHECK(fresh.ends_with("\"offset\":1}"));
  CHECK(fresh.find("run.1\"") == std::string::npos);
}

CAF_TEST(what is looked at during a drain goes on in the next run) {
  run();
  publish("ram/a", "1", 1);
  restart(true);
  caf::anon_send(loops[0]->brokers[0].actor, drain_atom_v);
  turn();
  CHECK(subscribe(*two, "ram/a").find("\"epoch\":\"run.1\",\"offset\":1")
        != std::string::npos);
  restart(true);
  CHECK_EQ(publish("ram/a", "2", 2), response(2, "run.1", 2));
}

CAF_TEST(a topic that there is no room for stays in the store) {
  node.options.topics_max = 2;
  run();
  publish("ram/a", "1", 1, "id");
  restart(true);
  publish("disk/b", "1", 1);
  publish("disk/c", "1", 2);
  CHECK_EQ(publish("ram/a", "2", 3), "error 3 overloaded");
  CHECK_EQ(publish("ram/a", "2", 4), "error 4 overloaded");
  restart(true);
  CHECK_EQ(publish("ram/a", "1", 5, "id"), response(5, "run.1", 1));
  CHECK_EQ(publish("ram/a", "2", 6), response(6, "run.1", 2));
}

CAF_TEST(an id from a clock that was ahead counts as long as others) {
  run();
  auto until_ms = store->now_ms() + 365LL * 24 * 3600 * 1000;
  store->save({"ram/a",
               "run.9",
               7,
               {},
               {{"3:annx", 6, until_ms}},
               {.history_size = 100, .durability = durability::memory}});
  store->finish();
  store->restart();
  CHECK_EQ(publish("ram/a", "x", 1, "x"), response(1, "run.9", 6));
  pass(node.options.topic_linger + 1s);
  CHECK_EQ(publish("ram/a", "x", 2, "x"), response(2, "run.9", 8));
}

CAF_TEST(what memory has left to the store is not taken any more) {
  run();
  publish("ram/a", "1", 1);
  publish("disk/a", "1", 2);
  caf::anon_send(loops[0]->brokers[0].actor, drain_atom_v);
  turn();
  CHECK_EQ(publish("ram/a", "2", 3), "error 3 shutting_down");
  CHECK(publish("disk/a", "2", 4).ends_with("\"offset\":2}"));
  CHECK(publish("other", "2", 5).starts_with("response 5"));
}

// -- topics that nobody uses --------------------------------------------------

CAF_TEST(an unused topic leaves the memory and keeps its place) {
  run();
  publish("disk/a", "x", 1);
  publish("ram/b", "x", 2, "id");
  pass(12min);
  CHECK_EQ(publish("disk/a", "y", 3), response(3, "run.1", 2));
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "1 2");
  // This one is kept in memory as long as it has something.
  CHECK_EQ(publish("ram/b", "y", 4), response(4, "run.2", 2));
  CHECK_EQ(loops[0]->metrics.history_bytes->value() > 0, true);
}

CAF_TEST(a topic whose events are on their way is not forgotten) {
  run();
  publish("disk/a", "x", 1);
  store->at_once = false;
  publish("disk/a", "y", 2);
  pass(12min);
  CHECK_EQ(commit(*one), response(2, "run.1", 2));
}

CAF_TEST(histories that give way are read from the disk) {
  node.options.history_bytes_max = 1500;
  run();
  for (uint32_t i = 1; i <= 20; ++i)
    publish("disk/a", std::to_string(i), i);
  publish("disk/b", "x", 21);
  CHECK(loops[0]->metrics.history_bytes->value() <= 1500);
  CHECK_EQ(history("{\"topic\":\"disk/a\",\"before\":5}"), "1 2 3 4");
  auto missed = come_back(*two, "disk/a", "run.1", 0);
  CHECK(missed.find("event disk/a @1 \"1\"") != std::string::npos);
  CHECK(missed.ends_with("event disk/a @20 \"20\""));
}

END_FIXTURE_SCOPE()
