// Durable topics of a cluster that have no owner for a while.

#include <callboard/actors/broker.hpp>

#include <string>

#include "store/durable_sites_fixture.hpp"

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

BEGIN_FIXTURE_SCOPE(durable_sites)

// -- while it is away ---------------------------------------------------------

CAF_TEST(publishers are told at once and subscribers wait) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  auto& y = connect(1, 1);
  subscribe(y, topic);
  publish(x, topic, "1", 5);
  x.heard();
  y.heard();
  stores[2]->at_once = false;
  CHECK_EQ(publish(x, topic, "2", 6), "");
  lose_c();
  CHECK_EQ(x.heard(), "error 6 owner_down");
  CHECK_EQ(publish(x, topic, "2", 7), "error 7 owner_down");
  CHECK_EQ(ask(x, "callboard.history", topic), "error 9 owner_down");
  CHECK_EQ(ask(x, "callboard.position", topic), "error 9 owner_down");
  // Nobody at that loop has it.
  CHECK_EQ(subscribe(connect(0), topic), "error 1 owner_down");
  CHECK_EQ(subscribe(connect(1, 0), topic), "error 1 owner_down");
  // Those of others go on.
  auto other = topic_of(0, 0, "disk/");
  CHECK_EQ(publish(x, other, "1", 8), answered(8, "a.1", 1));
  CHECK_EQ(y.heard(), "");
  stores[2]->at_once = true;
  bring_c_back();
  CHECK_EQ(y.heard(), "");
  CHECK_EQ(publish(x, topic, "3", 10), answered(10, "c.1", 2));
  CHECK_EQ(y.heard(), event(topic, 2, "3"));
}

CAF_TEST(who has missed something is told and finds it on the disk) {
  auto topic = topic_of(2, 0, "disk/");
  auto& y = connect(1, 1);
  subscribe(y, topic);
  publish(connect(0), topic, "1");
  y.heard();
  // It is accepted, and nobody hears of it.
  connect(2).publish(topic, "2");
  sites[2].node.turn();
  CHECK_EQ(stores[2]->events_of(topic).size(), 2u);
  lose_c();
  CHECK_EQ(y.heard(), "");
  bring_c_back();
  CHECK_EQ(y.heard(), "position " + topic
                        + " {\"epoch\":\"c.1\",\"offset\":2,\"reason\":"
                          "\"events lost\"}");
  CHECK_EQ(come_back(connect(0), topic, "c.1", 1),
           subscribed(1, "c.1", 2, true) + "; " + event(topic, 2, "2"));
}

CAF_TEST(who waits to subscribe as its owner goes is told so) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  x.say(type::subscribe, 1, topic);
  sites[0].node.turn();
  lose_c();
  CHECK_EQ(x.heard(), "error 1 owner_down");
  bring_c_back();
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(subscribe(x, topic), subscribed(1, "c-next.1", 0));
}

CAF_TEST(who unsubscribes while the owner is away is asked for by nobody) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  subscribe(x, topic);
  lose_c();
  CHECK_EQ(say(x, type::unsubscribe, 2, topic), "response 2");
  auto again = bring_c_back();
  auto before = frames(again, 0);
  publish(connect(again), topic, "1");
  CHECK_EQ(frames(again, 0), before);
}

CAF_TEST(what is sent again after that has its old place) {
  auto topic = topic_of(2, 0, "disk/");
  auto offset = [&](client& x) {
    auto told = publish(x, topic, "1", 1, false, "x");
    return told.substr(told.rfind(':'));
  };
  CHECK_EQ(offset(connect(0, 0, "eve")), ":1}");
  lose_c();
  bring_c_back();
  CHECK_EQ(offset(connect(1, 0, "eve")), ":1}");
  CHECK_EQ(offset(connect(1, 0, "bob")), ":2}");
}

CAF_TEST(an answer that comes late is not for the next node in the place) {
  auto topic = topic_of(2, 0, "disk/");
  auto& x = connect(0);
  subscribe(connect(2), topic);
  stores[2]->at_once = false;
  CHECK_EQ(publish(x, topic, "1", 5), "");
  // The two begin anew.
  view({1, 2});
  view({0});
  view({0, 1, 2});
  CHECK_EQ(x.heard(), "error 5 owner_down");
  auto before = frames(2, 0);
  stores[2]->commit();
  settle();
  CHECK_EQ(frames(2, 0), before);
  CHECK_EQ(x.heard(), "");
}

CAF_TEST(a shard of the owner that begins anew goes on where it was) {
  auto topic = topic_of(1, 1, "disk/");
  auto& x = connect(0);
  subscribe(x, topic);
  publish(connect(2), topic, "1");
  x.heard();
  replace_broker(1, 1);
  settle();
  CHECK_EQ(x.heard(), "");
  publish(connect(2), topic, "2");
  CHECK_EQ(x.heard(), event(topic, 2, "2"));
}

CAF_TEST(who is there is told anew when the node is back) {
  auto topic = topic_of(2, 0, "room/");
  auto& x = connect(0);
  auto& bob = connect(1, 0, "bob");
  subscribe(bob, topic);
  CHECK(has(ask(x, "callboard.presence", topic), "bob"));
  lose_c();
  CHECK_EQ(ask(x, "callboard.presence", topic), "error 9 owner_down");
  CHECK_EQ(ask(x, "callboard.presence_count", topic), "error 9 owner_down");
  bring_c_back();
  CHECK(has(ask(x, "callboard.presence", topic), "bob"));
}

CAF_TEST(who is in a topic with an owner is told although others have none) {
  auto topic = topic_of(1, 0, "room/");
  subscribe(connect(0, 0, "bob"), topic);
  auto& x = connect(0);
  // Their owner goes before it has answered.
  uint32_t seq_id = 0;
  for (auto prefix : {"room/x", "room/y", "room/z"})
    x.say(type::subscribe, ++seq_id, topic_of(2, 0, prefix));
  sites[0].node.turn();
  crash(1);
  crash(2);
  auto b = next_run(1);
  view({0, b});
  CHECK(has(ask(connect(b), "callboard.presence", topic), "bob"));
  // Nor is it looked every 20 ms whether they have one.
  sites[0].node.pass(100ms);
  auto& clock = sites[0].node.sched.clock();
  REQUIRE(!clock.schedule.empty());
  CHECK(clock.schedule.begin()->first > clock.now() + 20ms);
}

// -- nodes that were told different things ------------------------------------

CAF_TEST(where nodes know of other store nodes no topic has an owner) {
  store_names = {"a", "b", "c", "e"};
  add(1);
  auto topic = topic_of(2, 0, "disk/");
  auto& y = connect(1);
  auto& own = connect(2);
  subscribe(y, topic);
  subscribe(own, topic);
  publish(connect(0), topic, "1");
  y.heard();
  own.heard();
  view({0, 1, 2, 4});
  for (size_t site : {0, 1, 2, 4}) {
    CHECK_EQ(publish(connect(site), topic, "2", 5), "error 5 owner_down");
    CHECK_EQ(ask(connect(site), "callboard.position", topic),
             "error 9 owner_down");
  }
  view({0, 1, 2});
  CHECK_EQ(y.heard() + own.heard(), "");
  CHECK_EQ(publish(connect(0), topic, "2", 6), answered(6, "c.1", 2));
  CHECK_EQ(y.heard(), event(topic, 2, "2"));
  CHECK_EQ(own.heard(), event(topic, 2, "2"));
}

CAF_TEST(who unsubscribes meanwhile is sent nothing when there is an owner) {
  store_names = {"a", "b", "c", "e"};
  add(1);
  auto topic = topic_of(2, 0, "disk/");
  auto& y = connect(1);
  subscribe(y, topic);
  view({0, 1, 2, 4});
  say(y, type::unsubscribe, 2, topic);
  view({0, 1, 2});
  auto before = frames(2, 1);
  publish(connect(2), topic, "1");
  CHECK_EQ(frames(2, 1), before);
}

CAF_TEST(who is there is told anew when nodes know the same) {
  store_names = {"a", "b", "c", "e"};
  add(1);
  auto topic = topic_of(2, 0, "room/");
  subscribe(connect(1, 0, "bob"), topic);
  subscribe(connect(2, 0, "ann"), topic);
  view({0, 1, 2, 4});
  CHECK_EQ(ask(connect(2), "callboard.presence", topic), "error 9 owner_down");
  view({0, 1, 2});
  auto told = ask(connect(0), "callboard.presence", topic);
  CHECK(has(told, "bob"));
  CHECK(has(told, "ann"));
}

CAF_TEST(a node by whose rules a topic is not durable gets no place for it) {
  // It takes another one for the owner: one who goes keeps what is durable.
  rules.clear();
  store_names.clear();
  add(1);
  sites[2].self.state = member_state::leaving;
  view({0, 1, 2, 4});
  std::string topic;
  for (int i = 0; topic.empty(); ++i) {
    auto name = "disk/" + std::to_string(i);
    if (sites[4].nodes->owner_of(name) == 0
        && sites[0].nodes->owner_of(name) == 2)
      topic = name;
  }
  auto& x = connect(4);
  CHECK_EQ(publish(x, topic, "1", 5), "error 5 owner_down");
  CHECK_EQ(ask(x, "callboard.position", topic), "error 9 storage_unavailable");
  CHECK_EQ(subscribe(x, topic), "error 1 storage_unavailable");
  CHECK_EQ(publish(connect(1), topic, "1", 6), answered(6, "c.1", 1));
}

CAF_TEST(a node that is not in a view yet takes nothing durable) {
  auto& x = connect(3);
  CHECK_EQ(publish(x, "disk/1", "1", 5), "error 5 owner_down");
  CHECK_EQ(subscribe(x, "disk/1"), "error 1 owner_down");
  CHECK_EQ(publish(x, "other", "1", 6), answered(6, "d.1", 1));
}

END_FIXTURE_SCOPE()
