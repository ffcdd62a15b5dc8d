// Brokers whose topics are on the disk: answers, duplicates, failures.

#include "store/broker_durable_fixture.hpp"

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

BEGIN_FIXTURE_SCOPE(durable_fixture)

// -- publishing ---------------------------------------------------------------

CAF_TEST(an event is delivered and answered after its commit) {
  run(2);
  auto topic = name_on(0, 2, "disk/");
  subscribe(*two, topic);
  two->heard();
  store->at_once = false;
  CHECK_EQ(publish(topic, "x", 1), "");
  CHECK_EQ(publish(topic, "y", 2), "");
  CHECK_EQ(two->heard(), "");
  CHECK_EQ(commit(*one, 1), response(1, "run.1", 1));
  CHECK_EQ(two->heard(), "event " + topic + " @1 \"x\"");
  CHECK_EQ(commit(*one), response(2, "run.1", 2));
  CHECK_EQ(two->heard(), "event " + topic + " @2 \"y\"");
  CHECK_EQ(store->events_of(topic).size(), 2u);
}

CAF_TEST(what concerns a topic waits until it was loaded) {
  run(2);
  store->at_once = false;
  auto topic = name_on(1, 2, "disk/");
  CHECK_EQ(subscribe(*two, topic, 7), "");
  CHECK_EQ(publish(topic, "x", 1), "");
  CHECK_EQ(publish(topic, "y", 2), "");
  CHECK_EQ(store->waiting(), 1u);
  auto& owner = loops[0]->brokers[1];
  CHECK(owner.waiting->count() > 0);
  commit(*one);
  CHECK_EQ(two->heard(),
           "response 7 {\"epoch\":\"run.1\",\"offset\":0,\"recovered\":false}");
  CHECK_EQ(owner.waiting->count(), 0);
  CHECK_EQ(commit(*one),
           response(1, "run.1", 1) + "; " + response(2, "run.1", 2));
  CHECK_EQ(two->heard(),
           "event " + topic + " @1 \"x\"; event " + topic + " @2 \"y\"");
}

CAF_TEST(a group of a topic waits until it was loaded) {
  run(2);
  auto topic = name_on(1, 2, "disk/");
  publish(topic, "x", 1);
  publish(topic, "y", 2);
  restart(false);
  store->at_once = false;
  auto ask = [&](type what, uint32_t seq_id) {
    frame_view y;
    y.type = what;
    y.seq_id = seq_id;
    y.subject = topic;
    y.meta.mark(meta_key::group);
    y.meta.group = "workers";
    return say(*two, y);
  };
  CHECK_EQ(ask(type::subscribe, 7), "");
  CHECK_EQ(commit(*two), "");
  // And until it is on the disk itself.
  auto heard = commit(*two);
  // The topic goes on, it does not start over.
  CHECK_EQ(heard, "response 7 {\"epoch\":\"run.1\",\"offset\":2,"
                  "\"recovered\":false}");
  publish(topic, "z", 3);
  CHECK_EQ(two->heard(), "");
  commit(*one);
  CHECK(two->heard().starts_with("event " + topic + " @3"));
  CHECK_EQ(ask(type::unsubscribe, 8), "response 8");
}

CAF_TEST(positions show what is committed only) {
  run();
  publish("disk/a", "x", 1);
  store->at_once = false;
  publish("disk/a", "y", 2);
  CHECK_EQ(subscribe(*two, "disk/a"),
           "response 1 {\"epoch\":\"run.1\",\"offset\":1,\"recovered\":false}");
  CHECK_EQ(say(*two, type::request, 3, "callboard.position",
               *payload::from_json("{\"topic\":\"disk/a\"}")),
           response(3, "run.1", 1));
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "1");
  commit(*one);
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "1 2");
  CHECK_EQ(two->heard(), "event disk/a @2 \"y\"");
}

CAF_TEST(publishing without a seq_id needs no answer) {
  run();
  subscribe(*two, "disk/a");
  CHECK_EQ(publish("disk/a", "x", 0), "");
  CHECK_EQ(two->heard(), "event disk/a @1 \"x\"");
}

CAF_TEST(an embedded publisher is answered after the commit) {
  run();
  store->at_once = false;
  auto x = caf::make_counted<publication>();
  x->topic = "disk/a";
  x->payload = text("x");
  auto answer = self->request(loops[0]->brokers[0].actor, caf::infinite,
                              publish_atom_v, x);
  turn();
  commit(*one);
  commit(*one);
  answer.receive(
    [](const published& y) {
      CHECK(y.code == errc::none);
      CHECK_EQ(y.position.offset, 1u);
    },
    [](const caf::error& e) { CAF_FAIL(e); });
}

// -- ids ----------------------------------------------------------------------

CAF_TEST(a duplicate is answered after the first one is committed) {
  run();
  publish("disk/a", "x", 1, "other");
  store->at_once = false;
  CHECK_EQ(publish("disk/a", "y", 2, "id"), "");
  CHECK_EQ(publish("disk/a", "z", 3, "id"), "");
  CHECK_EQ(publish("disk/a", "x", 4, "other"), response(4, "run.1", 1));
  CHECK_EQ(store->waiting(), 1u);
  CHECK_EQ(commit(*one),
           response(2, "run.1", 2) + "; " + response(3, "run.1", 2));
  CHECK_EQ(publish("disk/a", "z", 5, "id"), response(5, "run.1", 2));
  CHECK_EQ(store->events_of("disk/a").size(), 2u);
}

CAF_TEST(a duplicate after a restart is one until its time is over) {
  for (auto topic : {"disk/a", "place/a", "few/a"}) {
    if (one == nullptr)
      run();
    auto first = publish(topic, "x", 1, "id");
    for (uint32_t i = 2; i < 7; ++i)
      publish(topic, "y", i);
    restart(false);
    CHECK_EQ(publish(topic, "x", 1, "id"), first);
    auto seventh = publish(topic, "z", 1, "id2");
    CHECK(seventh.ends_with("\"offset\":7}"));
    pass(5min);
    auto eighth = publish(topic, "x", 1, "id");
    CHECK(eighth.ends_with("\"offset\":8}"));
  }
}

CAF_TEST(another connection of the same name is somebody else) {
  run();
  auto& x = connect();
  for (auto topic : {"disk/a", "ram/a"}) {
    x.publish(topic, "x", 1, false, "id");
    turn();
    CHECK(x.heard().ends_with("\"offset\":1}"));
    restart(true);
    x.publish(topic, "x", 2, false, "id");
    turn();
    CHECK(x.heard().ends_with("\"offset\":2}"));
  }
}

// -- failures -----------------------------------------------------------------

CAF_TEST(a publication that is not committed is refused and leaves no gap) {
  run();
  subscribe(*two, "disk/a");
  publish("disk/a", "x", 1);
  two->heard();
  store->at_once = false;
  publish("disk/a", "y", 2, "id");
  publish("disk/a", "y", 3, "id");
  publish("disk/a", "z", 4);
  store->broken = true;
  CHECK_EQ(commit(*one, 1),
           "error 2 storage_unavailable; error 3 storage_unavailable");
  store->broken = false;
  // This one would make a gap.
  CHECK_EQ(commit(*one), "error 4 storage_unavailable");
  CHECK_EQ(two->heard(), "");
  store->at_once = true;
  CHECK_EQ(publish("disk/a", "v", 5), response(5, "run.1", 2));
  CHECK_EQ(two->heard(), "event disk/a @2 \"v\"");
  CHECK_EQ(publish("disk/a", "y", 6, "id"), response(6, "run.1", 3));
  CHECK_EQ(two->heard(), "event disk/a @3 \"y\"");
}

CAF_TEST(a refusal says when to try again) {
  run();
  store->broken = true;
  one->publish("disk/a", "x", 1);
  turn();
  auto frames = one->take();
  REQUIRE_EQ(frames.size(), 1u);
  CHECK_EQ(frames[0].words(), "error 1 storage_unavailable");
  CHECK_EQ(frames[0].meta.retry_after_ms, 1000u);
  CHECK_EQ(subscribe(*two, "disk/a", 2), "error 2 storage_unavailable");
  CHECK_EQ(history("{\"topic\":\"disk/a\"}"), "error 5 storage_unavailable");
  // Others do not suffer.
  CHECK(publish("other", "x", 3).starts_with("response 3"));
  CHECK(publish("ram/a", "x", 4).starts_with("error 4 storage_unavailable"));
}

CAF_TEST(publishing that fails again and again does not load again and again) {
  run();
  store->at_once = false;
  auto fail = [this](uint32_t seq_id) {
    publish("disk/a", "x", seq_id);
    // It is loaded, but for the first time by now.
    commit(*one, 1);
    store->broken = true;
    auto heard = commit(*one);
    store->broken = false;
    return heard;
  };
  CHECK_EQ(fail(1), "error 1 storage_unavailable");
  // Once is no reason to wait.
  CHECK_EQ(fail(2), "error 2 storage_unavailable");
  CHECK_EQ(publish("disk/a", "x", 3), "error 3 storage_unavailable");
  CHECK_EQ(store->waiting(), 0u);
  CHECK_EQ(loops[0]->brokers[0].waiting->count(), 0);
  pass(999ms);
  CHECK_EQ(publish("disk/a", "x", 4), "error 4 storage_unavailable");
  pass(1ms);
  store->at_once = true;
  CHECK_EQ(publish("disk/a", "x", 5), response(5, "run.3", 1));
}

CAF_TEST(what cannot be read now is not told as lost) {
  run(2);
  auto topic = name_on(0, 2, "disk/");
  for (uint32_t i = 1; i <= 5; ++i)
    publish(topic, "x", i);
  restart(false);
  CHECK(subscribe(*two, topic).starts_with("response 1 "));
  store->broken = true;
  auto& back = connect(1);
  CHECK_EQ(come_back(back, topic, "run.1", 3), "");
  pass(3s);
  CHECK_EQ(back.heard(), "");
  store->broken = false;
  pass(1s);
  CHECK_EQ(back.heard(), "response 9 {\"epoch\":\"run.1\",\"offset\":5,"
                         "\"recovered\":true}; event "
                           + topic + " @4 \"x\"; event " + topic + " @5 \"x\"");
  publish(topic, "y", 6);
  CHECK_EQ(back.heard(), "event " + topic + " @6 \"y\"");
}

CAF_TEST(nobody is asked for what nobody waits for any more) {
  run();
  publish("disk/a", "x", 1);
  restart(false);
  subscribe(*two, "disk/a");
  say(*two, type::unsubscribe, 2, "disk/a");
  store->broken = true;
  come_back(*two, "disk/a", "run.1", 0);
  say(*two, type::unsubscribe, 3, "disk/a");
  store->broken = false;
  store->at_once = false;
  pass(3s);
  CHECK_EQ(store->waiting(), 0u);
}

CAF_TEST(who was refused can come back and nobody else gets events) {
  run(2);
  auto topic = name_on(0, 2, "disk/");
  store->broken = true;
  subscribe(*two, topic);
  CHECK_EQ(loops[1]->topics.topics(), 0u);
  store->broken = false;
  publish(topic, "x", 1);
  CHECK_EQ(loops[1]->metrics.deliveries->value(), 0);
  CHECK(subscribe(*two, topic).starts_with("response 1"));
  publish(topic, "y", 2);
  CHECK_EQ(two->heard(), "event " + topic + " @2 \"y\"");
}

CAF_TEST(subscribers get on when the store is back although a shard died) {
  run(2);
  auto topic = name_on(0, 2, "disk/");
  subscribe(*two, topic);
  publish(topic, "x", 1);
  two->heard();
  store->broken = true;
  kill(loops[0]->brokers[0].actor);
  install(0, make_broker(0));
  turn();
  CHECK_EQ(publish(topic, "y", 2), "error 2 storage_unavailable");
  CHECK_EQ(two->heard(), "");
  store->broken = false;
  CHECK_EQ(publish(topic, "y", 3), response(3, "run.1", 2));
  CHECK_EQ(two->heard(), "event " + topic + " @2 \"y\"");
}

CAF_TEST(subscribers ask again once however often the store fails) {
  run(2);
  auto topic = name_on(0, 2, "disk/");
  subscribe(*two, topic);
  publish(topic, "x", 1);
  two->heard();
  store->broken = true;
  auto fail = [&](uint32_t seq_id) {
    CHECK_EQ(publish(topic, "y", seq_id),
             "error " + std::to_string(seq_id) + " storage_unavailable");
  };
  auto timers = [this] { return sched.clock().schedule.size(); };
  // Now it has to be loaded, and now they were told that it cannot be.
  fail(2);
  fail(3);
  auto before = timers();
  for (uint32_t i = 4; i < 9; ++i)
    fail(i);
  CHECK_EQ(timers(), before);
  pass(5s);
  CHECK(timers() <= before);
  store->broken = false;
  pass(1s);
  CHECK_EQ(publish(topic, "z", 9), response(9, "run.1", 2));
  CHECK_EQ(two->heard(), "event " + topic + " @2 \"z\"");
}

CAF_TEST(what was committed and not told is told as a gap) {
  run(2);
  auto topic = name_on(0, 2, "disk/");
  subscribe(*two, topic);
  publish(topic, "x", 1);
  two->heard();
  store->at_once = false;
  publish(topic, "y", 2);
  // It dies before it hears of it.
  kill(loops[0]->brokers[0].actor);
  store->commit();
  install(0, make_broker(0));
  turn();
  store->commit();
  turn();
  CHECK_EQ(two->heard(), "position " + topic
                           + " {\"epoch\":\"run.1\",\"offset\":2,"
                             "\"reason\":\"events lost\"}");
  CHECK_EQ(one->heard(), "error 2 internal");
  store->at_once = true;
  CHECK_EQ(publish(topic, "z", 3), response(3, "run.1", 3));
  CHECK_EQ(two->heard(), "event " + topic + " @3 \"z\"");
}

CAF_TEST(whoever waits for the store hears that the shard has died) {
  run();
  store->at_once = false;
  publish("disk/a", "x", 1);
  // It is on its way to the disk; the other topic is not loaded yet.
  commit(*one, 1);
  auto ask = [this](const std::string& topic) {
    auto x = caf::make_counted<publication>();
    x->topic = topic;
    x->payload = text("x");
    return self->request(loops[0]->brokers[0].actor, caf::infinite,
                         publish_atom_v, x);
  };
  auto appended = ask("disk/a");
  auto parked = ask("disk/b");
  turn();
  kill(loops[0]->brokers[0].actor);
  std::string heard;
  auto note = [&](const published& y) { heard += to_string(y.code) + ";"; };
  auto fail = [&](const caf::error& e) { heard += words_of(e); };
  appended.receive(note, fail);
  parked.receive(note, fail);
  CHECK_EQ(heard, "internal;internal;");
  install(0, make_broker(0));
  turn();
  CHECK_EQ(one->heard(), "error 1 internal");
}

CAF_TEST(a full queue is answered overloaded) {
  run();
  publish("disk/a", "x", 1);
  store->is_full = true;
  CHECK_EQ(publish("disk/a", "x", 2), "error 2 overloaded");
  store->is_full = false;
  CHECK_EQ(publish("disk/a", "x", 3), response(3, "run.1", 2));
}

END_FIXTURE_SCOPE()
