// Topics that go to another node with everything they have.

#include <callboard/actors/broker.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "actors/moves_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

using strings = std::vector<std::string>;

namespace {

using fixture = moves_fixture;

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- a node that joins, and one that leaves -----------------------------------

CAF_TEST(topics go on at a node that joins) {
  auto& x = connect(0);
  auto& y = connect(1, 1);
  for (uint32_t from : {0, 1, 2}) {
    auto topic = joining(from);
    subscribe(x, topic);
    subscribe(y, topic);
    publish(x, topic, "1");
  }
  x.heard();
  y.heard();
  view({0, 1, 2, 3});
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(y.heard(), "");
  auto& z = connect(3);
  for (uint32_t from : {0, 1, 2}) {
    auto topic = joining(from);
    auto epoch = sites[from].self.name + ".1";
    CHECK_EQ(publish(z, topic, "2", 7), answered(7, epoch, 2));
    CHECK_EQ(x.heard(), event(topic, 2, "2"));
    CHECK_EQ(y.heard(), event(topic, 2, "2"));
  }
}

CAF_TEST(topics go on as a node leaves and its clients are heard) {
  strings topics{leaving(0), leaving(1)};
  std::ranges::sort(topics);
  std::vector<client*> all{&connect(0), &connect(1, 1), &connect(2)};
  for (auto& topic : topics)
    for (auto* x : all)
      subscribe(*x, topic);
  auto all_hear = [&](const strings& what) {
    for (auto* x : all) {
      auto heard = sorted(*x);
      std::ranges::sort(heard.first);
      CHECK_EQ(heard, (std::pair{what, strings{}}));
    }
  };
  auto publish_all = [&](client& x, const std::string& what) {
    for (auto& topic : topics)
      x.publish(topic, what);
    settle();
  };
  publish_all(*all[2], "1");
  all_hear({event(topics[0], 1, "1"), event(topics[1], 1, "1")});
  retire();
  view({0, 1, 2});
  all_hear({});
  for (auto& topic : topics)
    CHECK(sites[2].nodes->owner_of(topic) != peer_set::here);
  // By the node that leaves.
  publish_all(*all[2], "2");
  all_hear({event(topics[0], 2, "2"), event(topics[1], 2, "2")});
  publish_all(*all[0], "3");
  all_hear({event(topics[0], 3, "3"), event(topics[1], 3, "3")});
  all.pop_back();
  view({0, 1});
  all_hear({});
  CHECK_EQ(publish(connect(1), topics[0], "4", 7), answered(7, "c.1", 4));
  CHECK_EQ(publish(connect(0), topics[1], "4", 8), answered(8, "c.2", 4));
  all_hear({event(topics[0], 4, "4"), event(topics[1], 4, "4")});
}

CAF_TEST(a history goes along) {
  auto topic = joining(2, "kept/");
  auto& x = connect(0);
  for (int i = 1; i <= 4; ++i)
    publish(x, topic, std::to_string(i));
  view({0, 1, 2, 3});
  CHECK_EQ(come_back(connect(1, 1), topic, "c.1", 2),
           subscribed(1, "c.1", 4, true) + "; " + event(topic, 3, "3") + "; "
             + event(topic, 4, "4"));
}

CAF_TEST(ids go along) {
  auto topic = joining(2);
  auto offset = [&](client& x, const std::string& id) {
    auto told = publish(x, topic, "1", 1, false, id);
    return told.substr(told.rfind(':'));
  };
  CHECK_EQ(offset(connect(0, 0, "eve"), "x"), ":1}");
  view({0, 1, 2, 3});
  CHECK_EQ(offset(connect(1, 0, "eve"), "x"), ":1}");
  CHECK_EQ(offset(connect(1, 0, "eve"), "y"), ":2}");
}

CAF_TEST(a last value goes along) {
  auto topic = joining(2, "last/");
  publish(connect(0), topic, "1");
  view({0, 1, 2, 3});
  auto last = "; event " + topic + " @1 ";
  CHECK(subscribe(connect(1), topic).ends_with(last + "retained \"1\""));
  CHECK_EQ(subscribe(connect(0), "last/+"), "response 1 {\"retained\":true}"
                                              + last
                                              + "by last/+ retained \"1\"");
}

CAF_TEST(a topic that nobody has used begins anew) {
  auto topic = joining(2);
  auto& x = connect(0);
  subscribe(x, topic);
  say(x, type::unsubscribe, 2, topic);
  view({0, 1, 2, 3});
  CHECK_EQ(subscribe(x, topic), subscribed(1, "d.1", 0));
}

CAF_TEST(subscribers by a pattern miss nothing) {
  auto& x = connect(0);
  say(x, type::subscribe, 1, "p/#");
  auto topic = joining(2, "p/");
  auto by = " by p/# \"";
  auto& y = connect(2);
  auto& z = connect(3);
  // Its event is on its way as the view changes.
  y.publish(topic, "1");
  sites[2].node.turn();
  ++number;
  for (size_t site : {0, 1, 2, 3})
    tell(site, {0, 1, 2, 3});
  z.publish(topic, "2");
  settle();
  CHECK_EQ(x.heard(), "event " + topic + " @1" + by + "1\"; event " + topic
                        + " @2" + by + "2\"");
}

// -- what is published meanwhile ----------------------------------------------

CAF_TEST(nothing is taken until all go by the view) {
  auto topic = joining(2);
  auto& x = connect(0);
  auto& y = connect(2);
  auto& z = connect(3);
  subscribe(x, topic);
  tell_some({0, 2, 3});
  z.publish(topic, "1", 7);
  settle();
  x.publish(topic, "2", 5);
  x.publish(topic, "3", 6);
  settle();
  y.say(type::subscribe, 4, topic);
  y.say(type::request, 5, "callboard.position",
        *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  settle();
  for (auto* who : {&x, &y, &z})
    CHECK_EQ(who->heard(), "");
  tell(1, {0, 1, 2, 3});
  settle();
  CHECK_EQ(z.heard(), answered(7, "c.1", 1));
  CHECK_EQ(sorted(x),
           (std::pair{strings{event(topic, 1, "1"), event(topic, 2, "2"),
                              event(topic, 3, "3")},
                      strings{answered(5, "c.1", 2), answered(6, "c.1", 3)}}));
  CAF_CHECK_EQUAL(y.heard().find("error"), std::string::npos);
}

CAF_TEST(topics that stay do not wait) {
  tell_some({0, 2, 3});
  auto topic = moving({"a", "b", "c"}, 2, {"a", "b", "c", "d"}, 2);
  CHECK_EQ(publish(connect(0), topic, "1", 5), answered(5, "c.1", 1));
  CHECK_EQ(publish(connect(2), topic, "2", 6), answered(6, "c.1", 2));
}

CAF_TEST(what comes to the old owner too late goes to the new one) {
  auto topic = joining(2);
  auto& x = connect(0);
  subscribe(x, topic);
  tell_some({1, 2, 3});
  x.publish(topic, "1");
  x.publish(topic, "2", 5);
  settle();
  CHECK_EQ(x.heard(), "");
  tell(0, {0, 1, 2, 3});
  x.publish(topic, "3", 6);
  settle();
  CHECK_EQ(sorted(x),
           (std::pair{strings{event(topic, 1, "1"), event(topic, 2, "2"),
                              event(topic, 3, "3")},
                      strings{answered(5, "c.1", 2), answered(6, "c.1", 3)}}));
}

CAF_TEST(what the old owner has taken counts) {
  auto topic = joining(2);
  auto& x = connect(0);
  subscribe(x, topic);
  x.publish(topic, "1", 5);
  sites[0].node.turn();
  carry();
  sites[2].node.turn();
  ++number;
  for (size_t site : {0, 1, 2, 3})
    tell(site, {0, 1, 2, 3});
  settle();
  CHECK_EQ(sorted(x), (std::pair{strings{event(topic, 1, "1")},
                                 strings{answered(5, "c.1", 1)}}));
  CHECK_EQ(publish(connect(3), topic, "2", 6), answered(6, "c.1", 2));
  CHECK_EQ(x.heard(), event(topic, 2, "2"));
}

CAF_TEST(one publication more than may wait is refused) {
  auto topic = joining(2);
  auto& x = connect(0);
  tell_some({0, 2, 3});
  auto max = parked_calls::bounds{}.calls_max;
  for (size_t i = 1; i < max; ++i)
    x.publish(topic, "1");
  x.publish(topic, "2", 5);
  x.publish(topic, "3", 6);
  settle();
  CHECK_EQ(x.heard(), "error 6 overloaded");
  tell(1, {0, 1, 2, 3});
  settle();
  CHECK_EQ(x.heard(), answered(5, "d.1", static_cast<int>(max)));
}

// -- what may go wrong --------------------------------------------------------

CAF_TEST(nothing comes of a topic whose owner dies half way) {
  auto topic = joining(2, "kept/");
  auto& x = connect(0);
  subscribe(x, topic);
  for (int i = 0; i < 10; ++i)
    publish(connect(2), topic, std::string(30'000, 'x'));
  x.heard();
  ++number;
  tell(2, {0, 1, 2, 3});
  tell(3, {0, 1, 2, 3});
  // All but the first part are lost.
  auto parts = 0;
  std::erase_if(*sites[2].sent,
                [&](auto& y) { return y.to == 3 && ++parts > 1; });
  CAF_CHECK_GREATER(parts, 2);
  carry(2);
  sites[3].node.turn();
  crash(2);
  view({0, 1, 3});
  CHECK_EQ(x.heard(), new_epoch(topic, "d.1"));
  CHECK_EQ(come_back(connect(1), topic, "c.1", 3), subscribed(1, "d.1", 0));
}

CAF_TEST(what waits for a node that is gone goes on) {
  auto topic = joining(2);
  auto& x = connect(0);
  subscribe(x, topic);
  tell_some({0, 2, 3});
  x.publish(topic, "1", 5);
  settle();
  CHECK_EQ(x.heard(), "");
  crash(1);
  view({0, 2, 3});
  CHECK_EQ(sorted(x), (std::pair{strings{event(topic, 1, "1")},
                                 strings{answered(5, "c.1", 1)}}));
}

CAF_TEST(a shard that begins anew is waited for) {
  auto topic = joining(2);
  auto& x = connect(0);
  subscribe(x, topic);
  tell_some({0, 2, 3});
  replace_broker(3, 0);
  settle();
  x.publish(topic, "1", 5);
  settle();
  CHECK_EQ(x.heard(), "");
  tell(1, {0, 1, 2, 3});
  settle();
  // It has lost what it was given.
  auto [events, others] = sorted(x);
  CHECK_EQ(events, strings{event(topic, 1, "1")});
  CHECK_EQ(others, (strings{new_epoch(topic, "d.1"), answered(5, "d.1", 1)}));
}

CAF_TEST(a shard answers when nothing is left of what others own) {
  auto topic = leaving(0);
  subscribe(connect(2), topic);
  auto done = 0;
  auto& leaver = sites[2].node;
  auto ask = [&] {
    leaver.sys.spawn([&](caf::event_based_actor* self) {
      self
        ->request(leaver.loops[0]->brokers[0].actor, caf::infinite,
                  leave_atom_v)
        .then([&] { ++done; });
    });
    settle();
  };
  ask();
  CHECK_EQ(done, 1);
  retire();
  ++number;
  for (size_t site : {0, 2})
    tell(site, {0, 1, 2});
  ask();
  CHECK_EQ(done, 1);
  tell(1, {0, 1, 2});
  settle();
  CHECK_EQ(done, 2);
}

CAF_TEST(many topics go as there is room) {
  constexpr size_t topics = 600;
  const auto long_text = std::string(1024, 'x');
  auto& x = connect(0);
  auto& z = connect(2);
  placement before{{"a", "b", "c"}};
  placement after{{"a", "b", "c", "d"}};
  strings names;
  for (int i = 0; names.size() < topics; ++i)
    if (auto name = "kept/" + std::to_string(i);
        before.owner_of(name) == 2 && after.owner_of(name) == 3)
      names.push_back(name);
  subscribe(x, names[0]);
  for (auto& name : names)
    z.publish(name, long_text);
  settle();
  x.heard();
  // A quarter of it is theirs; a batch has 64 KiB.
  outbox_bytes_max = 512 * 1024;
  view({0, 1, 2, 3});
  x.publish(names[0], "2", 5);
  settle();
  CHECK_EQ(x.heard(), "");
  for (int i = 0; i < 50; ++i) {
    CAF_CHECK_LESS(sites[2].nodes->at(3)->traffic->outstanding(),
                   outbox_bytes_max);
    acknowledge(2, 3);
    sites[2].node.pass(20ms);
    settle();
  }
  CHECK_EQ(sorted(x), (std::pair{strings{event(names[0], 2, "2")},
                                 strings{answered(5, "c.1", 2)}}));
  auto& y = connect(3);
  for (auto& name : {names[1], names.back()})
    CHECK(publish(y, name, "2", 6).ends_with("\"offset\":2}"));
}

END_FIXTURE_SCOPE()
