// Topics that other nodes own, as nodes come and go.

#include <callboard/actors/broker.hpp>

#include <chrono>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <caf/send.hpp>

#include "support/sites_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : sites_fixture {
  /// The second node has two loops.
  fixture() {
    for (uint32_t loops : {1, 2, 1, 1})
      add(loops);
    view({0, 1, 2});
  }

  /// Returns what subscribers are told of a topic's new epoch.
  static std::string new_epoch(const std::string& topic,
                               const std::string& epoch) {
    return "position " + topic + " {\"epoch\":\"" + epoch
           + "\",\"offset\":0,\"reason\":\"epoch changed\"}";
  }

  /// Returns what those are told who have it by a pattern.
  static std::string lost(const std::string& pattern) {
    return "position " + pattern + " {\"reason\":\"events lost\"}";
  }

  /// Lets a site do what it has left for later.
  void wait(size_t site) {
    sites[site].node.pass(20ms);
    settle();
  }

  /// Takes away what a site has sent and what has not been carried yet.
  std::deque<cluster_site::parcel> take_sent(size_t site) {
    return std::exchange(*sites[site].sent, {});
  }

  /// Returns the name of the site that owns a topic.
  std::string owner_of(const std::string& topic) {
    for (auto& x : sites)
      if (x.nodes != nullptr && x.nodes->number == number
          && x.nodes->owner_of(topic) == peer_set::here)
        return x.self.name;
    return {};
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a node that joins learns of the patterns) {
  auto& x = connect(0);
  CHECK_EQ(subscribe(x, "p/#"), "response 1 {}");
  view({0, 1, 2, 3});
  auto topic = topic_of(3, 0, "p/");
  publish(connect(3), topic, "hi");
  CHECK_EQ(x.heard(), "event " + topic + " @1 by p/# \"hi\"");
}

CAF_TEST(a pattern does not wait for a node that is gone) {
  auto& x = connect(0);
  x.say(type::subscribe, 1, "p/#");
  sites[0].node.turn();
  sites[0].sent->clear();
  view({0});
  // What comes from that moment on may have a gap.
  CHECK_EQ(x.heard(), "response 1 {}; " + lost("p/#"));
}

CAF_TEST(where an owner is gone another one begins a new epoch) {
  auto topic = topic_of(2);
  auto& x = connect(0);
  auto& y = connect(1, 1);
  subscribe(x, topic);
  subscribe(y, topic);
  publish(x, topic, "1");
  x.heard();
  y.heard();
  view({0, 1});
  auto epoch = owner_of(topic) + ".1";
  auto told = new_epoch(topic, epoch);
  CHECK_EQ(x.heard(), told);
  CHECK_EQ(y.heard(), told);
  CHECK_EQ(publish(y, topic, "2", 5),
           answered(5, epoch, 1) + "; event " + topic + " @1 \"2\"");
  CHECK_EQ(x.heard(), "event " + topic + " @1 \"2\"");
}

CAF_TEST(who waits for an owner that goes is told so) {
  auto topic = topic_of(2);
  auto& x = connect(0);
  x.publish(topic, "1", 5);
  x.say(type::request, 6, "callboard.position",
        *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  sites[0].node.turn();
  sites[0].sent->clear();
  CHECK(x.heard().empty());
  view({0, 1});
  CHECK_EQ(x.heard(), "error 5 owner_down; error 6 owner_down");
}

CAF_TEST(who waits to subscribe is answered by the next owner) {
  auto topic = topic_of(2);
  auto& x = connect(0);
  x.say(type::subscribe, 1, topic);
  sites[0].node.turn();
  sites[0].sent->clear();
  view({0, 1});
  CHECK_EQ(x.heard(), subscribed(1, owner_of(topic) + ".1", 0));
}

CAF_TEST(who asks a node that knows a newer view waits for that view) {
  auto moved = joining(2);
  auto& x = connect(0);
  ++number;
  for (size_t site : {1, 2, 3})
    tell(site, {0, 1, 2, 3});
  x.publish(moved, "1", 5);
  x.say(type::subscribe, 6, moved);
  settle();
  CHECK(x.heard().empty());
  tell(0, {0, 1, 2, 3});
  settle();
  // Each is answered when it can be; both wait in the order that they came.
  CHECK_EQ(x.heard(), subscribed(6, "d.1", 1) + "; " + answered(5, "d.1", 1));
  CHECK_EQ(publish(x, moved, "2", 7),
           answered(7, "d.1", 2) + "; event " + moved + " @2 \"2\"");
}

CAF_TEST(subscribers learn of a shard of the owner that begins anew) {
  auto topic = topic_of(1, 1);
  auto& x = connect(0);
  auto& y = connect(2);
  subscribe(x, topic);
  say(y, type::subscribe, 1, "#");
  publish(x, topic, "1");
  x.heard();
  y.heard();
  replace_broker(1, 1);
  settle();
  CHECK_EQ(x.heard(), new_epoch(topic, "b.2"));
  publish(connect(0), topic, "2");
  CHECK_EQ(x.heard(), "event " + topic + " @1 \"2\"");
  CHECK_EQ(y.heard(), lost("#") + "; event " + topic + " @1 by # \"2\"");
}

CAF_TEST(a shard that begins anew asks for what its loops want) {
  auto topic = topic_of(0);
  auto& x = connect(1, 0);
  subscribe(x, topic);
  say(x, type::subscribe, 2, "q/#");
  for (uint32_t i : {0, 1})
    replace_broker(1, i);
  settle();
  x.heard();
  publish(connect(2), topic, "1");
  CHECK_EQ(x.heard(), "event " + topic + " @1 \"1\"");
  auto other = topic_of(2, 0, "q/");
  publish(connect(2), other, "2");
  CHECK_EQ(x.heard(), "event " + other + " @1 by q/# \"2\"");
}

CAF_TEST(a node that ends and has left takes no publications) {
  auto topic = topic_of(0);
  auto& x = connect(0);
  sites[0].node.node.draining = true;
  CHECK_EQ(publish(x, topic, "1", 5), answered(5, "a.1", 1));
  view({0});
  CHECK_EQ(publish(x, topic, "2", 6), "error 6 shutting_down");
}

CAF_TEST(an owner without a place for a topic is asked again) {
  auto topic = joining(2);
  auto& x = connect(0);
  subscribe(x, topic);
  // It can have one topic, and has one that stays its own.
  auto install_with = [&](size_t topics_max) {
    sites[3].node.node.options.topics_max = topics_max;
    replace_broker(3, 0);
    settle();
  };
  install_with(1);
  publish(connect(3), joining(1), "1");
  view({0, 1, 2, 3});
  CHECK(x.heard().empty());
  install_with(2);
  CHECK(x.heard().empty());
  sites[0].node.pass(1s);
  settle();
  CHECK_EQ(x.heard(), new_epoch(topic, "d.2"));
}

// -- what is under way meanwhile ----------------------------------------------

CAF_TEST(who misses a view in which a topic was elsewhere asks for it again) {
  auto topic = joining(2);
  auto& x = connect(0);
  subscribe(x, topic);
  ++number;
  for (size_t site : {1, 2, 3})
    tell(site, {0, 1, 2, 3});
  ++number;
  for (size_t site : {0, 1, 2})
    tell(site, {0, 1, 2});
  settle();
  wait(0);
  CHECK_EQ(x.heard(), new_epoch(topic, "c.2"));
  publish(connect(1), topic, "1");
  CHECK_EQ(x.heard(), "event " + topic + " @1 \"1\"");
}

CAF_TEST(who has asked before a view that it misses asks again) {
  add();
  // It is at `c` where neither `d` nor `e` owns topics.
  placement with_e{{"a", "b", "c", "e"}};
  auto topic = joining(2);
  for (size_t n = 1; with_e.owner_of(topic) != 3; ++n)
    topic = joining(2, "t", n);
  auto& x = connect(0);
  subscribe(x, topic);
  auto tell_some = [this](const std::vector<size_t>& told,
                          const std::vector<size_t>& members) {
    ++number;
    for (auto site : told)
      tell(site, members);
    settle();
  };
  tell_some({0, 2, 3}, {0, 1, 2, 3});
  sites[3].self.state = member_state::leaving;
  // It is about to be back, and is asked for.
  tell_some({0, 2, 3}, {0, 1, 2, 3});
  tell_some({2, 3, 4}, {0, 1, 2, 3, 4});
  sites[4].self.state = member_state::leaving;
  view({0, 1, 2, 3, 4});
  publish(connect(1), topic, "1");
  CHECK_EQ(x.heard(), "event " + topic + " @1 \"1\"");
}

CAF_TEST(who is refused by a view that it has missed asks again) {
  auto topic = joining(2);
  auto& x = connect(0);
  ++number;
  for (size_t site : {1, 2, 3})
    tell(site, {0, 1, 2, 3});
  x.say(type::subscribe, 1, topic);
  sites[0].node.turn();
  carry();
  sites[2].node.turn();
  ++number;
  for (size_t site : {0, 1, 2})
    tell(site, {0, 1, 2});
  settle();
  CHECK_EQ(x.heard(), subscribed(1, "c.1", 0));
  wait(0);
  CHECK(x.heard().empty());
}

CAF_TEST(an owner does not keep the interest of who went elsewhere) {
  auto topic = joining(2);
  auto& x = connect(0);
  subscribe(x, topic);
  ++number;
  for (size_t site : {0, 3})
    tell(site, {0, 1, 2, 3});
  settle();
  say(x, type::unsubscribe, 2, topic);
  ++number;
  for (size_t site : {0, 1, 2})
    tell(site, {0, 1, 2});
  settle();
  auto before = frames(2, 0);
  publish(connect(2), topic, "1");
  CHECK_EQ(frames(2, 0), before);
}

CAF_TEST(an answer to an older question does not confirm a pattern) {
  view({0, 2});
  auto& x = connect(0);
  x.say(type::subscribe, 1, "p/#");
  sites[0].node.turn();
  carry();
  sites[2].node.turn();
  x.say(type::unsubscribe, 2, "p/#");
  x.say(type::subscribe, 3, "p/#");
  sites[0].node.turn();
  auto asked = take_sent(0);
  settle();
  CAF_CHECK_EQUAL(x.heard().find("response 3"), std::string::npos);
  *sites[0].sent = std::move(asked);
  settle();
  CHECK_EQ(x.heard(), "response 3 {}");
}

CAF_TEST(what comes before the gate knows a new shard is asked for again) {
  auto topic = topic_of(0);
  auto& x = connect(1, 0);
  subscribe(x, topic);
  say(x, type::subscribe, 2, "q/#");
  auto& home = sites[1].node;
  for (uint32_t i : {0, 1}) {
    home.kill(home.loops[i]->brokers[i].actor);
    home.install(i, home.make_broker(i));
  }
  home.turn();
  x.publish(topic_of(2), "1", 5);
  home.turn();
  // The answers go to the shards that are no more.
  carry();
  for (size_t i : {0, 2})
    sites[i].node.turn();
  for (size_t i : {0, 2})
    std::erase_if(*sites[i].sent, [](auto& y) { return y.to == 1; });
  for (uint32_t i : {0, 1})
    caf::anon_send(home.loops[i]->brokers[i].actor, cluster_atom_v,
                   sites[1].nodes);
  settle();
  // It has waited until the new shard was known.
  auto told = x.heard();
  CHECK(told.find(answered(5, "c.1", 1)) != std::string::npos);
  CHECK(told.find(lost("q/#")) != std::string::npos);
  CHECK(told.find("position " + topic) == std::string::npos);
  publish(connect(2), topic, "1");
  CHECK_EQ(x.heard(), "event " + topic + " @1 \"1\"");
  auto other = topic_of(2, 0, "q/");
  publish(connect(2), other, "2");
  CHECK_EQ(x.heard(), "event " + other + " @1 by q/# \"2\"");
}

CAF_TEST(an answer for a shard that is no more is nobody elses) {
  auto topic = topic_of(2);
  auto& x = connect(0);
  x.publish(topic, "1", 5);
  sites[0].node.turn();
  carry();
  sites[2].node.turn();
  auto late = take_sent(2);
  auto& home = sites[0].node;
  replace_broker(0, 0);
  settle();
  x.heard();
  x.publish(topic, "2", 6);
  home.turn();
  auto asked = take_sent(0);
  *sites[2].sent = std::move(late);
  settle();
  CHECK(x.heard().empty());
  *sites[0].sent = std::move(asked);
  settle();
  CHECK_EQ(x.heard(), answered(6, "c.1", 2));
}

CAF_TEST(what a shard was not done with is not on its way for ever) {
  auto& node = sites[2].node;
  auto& shard = node.loops[0]->brokers[0];
  auto& sent = sites[0].nodes->at(2)->traffic->sent;
  auto& received = sites[2].nodes->at(0)->traffic->received;
  shard.waiting->add(static_cast<int64_t>(node.node.options.shard_bytes_max)
                     + 1);
  publish(connect(0), topic_of(2), "1");
  CAF_CHECK_LESS(received.load(), sent.load());
  node.kill(shard.actor);
  settle();
  CHECK_EQ(received.load(), sent.load());
}

END_FIXTURE_SCOPE()
