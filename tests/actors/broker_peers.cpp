// Topics that other nodes own.

#include <callboard/actors/broker.hpp>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/cluster/peer_topic_frames.hpp>

#include "support/sites_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : sites_fixture {
  fixture() {
    rules.push_back({"last/+", {.retain = true}});
    rules.push_back({"kept/+", {.history_size = 10}});
    for (uint32_t loops : {1, 2, 1})
      add(loops);
    view({0, 1, 2});
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(what any node publishes reaches the subscribers of all in one order) {
  std::vector<client*> all{&connect(0), &connect(1, 0), &connect(1, 1),
                           &connect(2)};
  for (size_t owner : {0, 1, 2}) {
    auto topic = topic_of(owner, 0, "o" + std::to_string(owner) + '/');
    for (auto* x : all)
      CHECK_EQ(subscribe(*x, topic),
               subscribed(1, sites[owner].self.name + ".1", 0));
    for (size_t i = 0; i < all.size(); ++i) {
      all[i]->publish(topic, "hi");
      settle();
      for (auto* x : all)
        CHECK_EQ(x->heard(),
                 "event " + topic + " @" + std::to_string(i + 1) + " \"hi\"");
    }
  }
}

CAF_TEST(a publisher is told the place that the owner gave) {
  auto& x = connect(1, 1);
  for (size_t owner : {0, 1, 2}) {
    auto epoch = sites[owner].self.name + ".1";
    auto topic = topic_of(owner);
    CHECK_EQ(publish(x, topic, "1", 7), answered(7, epoch, 1));
    CHECK_EQ(publish(x, topic, "2", 8), answered(8, epoch, 2));
  }
}

CAF_TEST(the same id is accepted once whichever node it comes to) {
  auto topic = topic_of(2);
  auto offset = [&](client& x) {
    auto told = publish(x, topic, "1", 1, false, "x");
    return told.substr(told.rfind(':'));
  };
  CHECK_EQ(offset(connect(0, 0, "eve")), ":1}");
  CHECK_EQ(offset(connect(1, 0, "eve")), ":1}");
  CHECK_EQ(offset(connect(1, 0, "bob")), ":2}");
}

CAF_TEST(a publication goes to a node once for all its subscribers) {
  auto topic = topic_of(0);
  for (int i = 0; i < 20; ++i)
    subscribe(connect(1, i % 2), topic);
  auto before = frames(0, 1);
  auto others = frames(0, 2);
  publish(connect(0), topic, "hi");
  CHECK_EQ(frames(0, 1), before + 1);
  CHECK_EQ(frames(0, 2), others);
  for (auto& x : sites[1].node.clients)
    CHECK_EQ(x->heard(), "event " + topic + " @1 \"hi\"");
}

CAF_TEST(both a topic and a pattern at a node make one frame and two events) {
  auto topic = topic_of(0, 0, "p/");
  auto& x = connect(1);
  subscribe(x, topic);
  say(x, type::subscribe, 2, "p/#");
  auto before = frames(0, 1);
  publish(connect(0), topic, "hi");
  CHECK_EQ(frames(0, 1), before + 1);
  auto heard = x.heard();
  CHECK_EQ(heard, "event " + topic + " @1 \"hi\"; event " + topic
                    + " @1 by p/# \"hi\"");
}

CAF_TEST(no echo is for the publisher alone and not for who has its number) {
  for (size_t owner : {0, 1, 2}) {
    auto topic = topic_of(owner, 0, "e" + std::to_string(owner) + '/');
    // The first connections of their nodes have the same number.
    std::vector<client*> all{&connect(0), &connect(1), &connect(2)};
    for (auto* x : all)
      subscribe(*x, topic);
    for (auto* publisher : all) {
      publisher->publish(topic, "hi", 0, true);
      settle();
      for (auto* x : all)
        CHECK_EQ(x->heard().empty(), x == publisher);
    }
  }
}

CAF_TEST(all nodes but the publisher get the same frame of an event) {
  auto topic = topic_of(0);
  for (size_t site : {1, 2})
    subscribe(connect(site), topic);
  auto& near = connect(0);
  auto& far = connect(1);
  auto& sent = *sites[0].sent;
  near.publish(topic, "hi");
  sites[0].node.turn();
  REQUIRE_EQ(sent.size(), 2u);
  CHECK(sent[0].what.frames == sent[1].what.frames);
  settle();
  far.publish(topic, "hi");
  sites[1].node.turn();
  carry(1);
  sites[0].node.turn();
  REQUIRE_EQ(sent.size(), 2u);
  CHECK_EQ(sent[0].what.frames.size(), sent[1].what.frames.size());
  CHECK(sent[0].what.frames != sent[1].what.frames);
}

CAF_TEST(a pattern is answered when all nodes know it) {
  auto& x = connect(1, 1);
  x.say(type::subscribe, 1, "p/#");
  sites[1].node.turn();
  CHECK(x.heard().empty());
  CAF_CHECK_GREATER(carry(), 0u);
  settle();
  CHECK_EQ(x.heard(), "response 1 {}");
  for (size_t owner : {0, 1, 2}) {
    auto topic = topic_of(owner, 0, "p/");
    publish(connect(2), topic, "hi");
    CHECK_EQ(x.heard(), "event " + topic + " @1 by p/# \"hi\"");
  }
  CHECK_EQ(say(x, type::unsubscribe, 2, "p/#"), "response 2");
  auto before = frames(0, 1);
  publish(connect(0), topic_of(0, 0, "p/"), "hi");
  CHECK_EQ(frames(0, 1), before);
  CHECK(x.heard().empty());
}

CAF_TEST(what was missed comes from the owner) {
  auto topic = topic_of(2, 0, "kept/");
  auto& alice = connect(0);
  for (int i = 1; i <= 4; ++i)
    publish(alice, topic, std::to_string(i));
  auto& bob = connect(1, 1);
  frame_view since;
  since.type = type::subscribe;
  since.seq_id = 1;
  since.subject = topic;
  since.meta.mark(meta_key::since);
  since.meta.since = {"c.1", 2};
  CHECK_EQ(say(bob, since),
           "response 1 {\"epoch\":\"c.1\",\"offset\":4,\"recovered\":true}; "
           "event "
             + topic + " @3 \"3\"; event " + topic + " @4 \"4\"");
  publish(alice, topic, "5");
  CHECK_EQ(bob.heard(), "event " + topic + " @5 \"5\"");
}

CAF_TEST(history and positions come from the owner) {
  auto topic = topic_of(2, 0, "kept/");
  auto& x = connect(0);
  publish(x, topic, "1");
  auto ask = [&](const std::string& action) {
    return say(x, type::request, 9, action,
               *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  };
  CHECK_EQ(ask("callboard.position"), answered(9, "c.1", 1));
  auto told = ask("callboard.history");
  CHECK(told.starts_with("response 9 {\"epoch\":\"c.1\",\"offset\":1,"));
  CAF_CHECK_NOT_EQUAL(told.find("\"payload\":\"1\""), std::string::npos);
}

CAF_TEST(the last value comes to subscribers at all nodes) {
  auto topic = topic_of(2, 0, "last/");
  auto& x = connect(0);
  auto last = [&](const std::string& value) {
    return "; event " + topic + value;
  };
  publish(x, topic, "1");
  auto& first = connect(1, 0);
  CHECK(subscribe(first, topic).ends_with(last(" @1 retained \"1\"")));
  // The home knows the newest one without asking.
  publish(x, topic, "2");
  first.heard();
  CHECK(subscribe(connect(1, 1), topic).ends_with(last(" @2 retained \"2\"")));
  x.say(type::publish, 0, topic);
  settle();
  first.heard();
  CHECK_EQ(subscribe(connect(1, 1), topic), subscribed(1, "c.1", 3));
}

CAF_TEST(a newcomer to a pattern gets the last values of all nodes first) {
  auto& x = connect(0);
  std::vector<std::string> topics;
  for (size_t owner : {0, 1, 2})
    for (int i = 0; i < 40; ++i) {
      auto prefix = "last/" + std::to_string(i) + "-";
      topics.push_back(topic_of(owner, 0, prefix));
      publish(x, topics.back(), "1");
    }
  for (auto [site, loop] : {std::pair{0u, 0u}, {1u, 0u}, {1u, 1u}, {2u, 0u}}) {
    auto& y = connect(site, loop);
    y.say(type::subscribe, 1, "last/+");
    sites[site].node.turn();
    x.publish(topics[50], "2");
    settle();
    auto heard = y.take();
    CAF_REQUIRE(heard.size() > topics.size());
    CHECK_EQ(heard[0].words(), "response 1 {\"retained\":true}");
    std::map<std::string, std::string> values;
    for (size_t i = 1; i <= topics.size(); ++i) {
      CHECK(heard[i].meta.has(meta_key::retained));
      values[heard[i].subject] = text_of(heard[i].content);
    }
    CHECK_EQ(values.size(), topics.size());
    // What is published meanwhile comes as a last value or as an event.
    for (size_t i = topics.size() + 1; i < heard.size(); ++i)
      values[heard[i].subject] = text_of(heard[i].content);
    CHECK_EQ(values[topics[50]], "2");
  }
}

CAF_TEST(a newcomer to a pattern does not wait for a node that is gone) {
  auto topic = topic_of(0, 0, "last/");
  publish(connect(0), topic, "1");
  auto& y = connect(0);
  y.say(type::subscribe, 1, "last/+");
  for (int i = 0; i < 4; ++i) {
    sites[0].node.turn();
    carry();
    sites[1].node.turn();
    sites[2].node.turn();
  }
  sites[0].sent->clear();
  view({0});
  CHECK_EQ(y.heard(), "response 1 {\"retained\":true}; event " + topic
                        + " @1 by last/+ retained \"1\"");
}

CAF_TEST(who leaves last takes the interest of its node along) {
  auto topic = topic_of(0);
  auto& x = connect(1, 0);
  auto& y = connect(1, 1);
  subscribe(x, topic);
  subscribe(y, topic);
  CHECK_EQ(say(x, type::unsubscribe, 2, topic), "response 2");
  publish(connect(0), topic, "1");
  CHECK_EQ(y.heard(), "event " + topic + " @1 \"1\"");
  sites[1].node.kill(y.handle);
  settle();
  auto before = frames(0, 1);
  publish(connect(0), topic, "2");
  CHECK_EQ(frames(0, 1), before);
}

CAF_TEST(more than half of what may be on its way is refused) {
  auto topic = topic_of(2);
  auto& x = connect(0);
  auto& traffic = *sites[0].nodes->at(2)->traffic;
  auto half = sites[0].nodes->outbox_bytes_max / 2;
  traffic.sent = traffic.acknowledged + half;
  CHECK_EQ(publish(x, topic, "1", 5), answered(5, "c.1", 1));
  traffic.sent = traffic.acknowledged + half + 1;
  CHECK_EQ(publish(x, topic, "2", 6), "error 6 overloaded");
  traffic.sent = traffic.acknowledged + half;
  CHECK_EQ(publish(x, topic, "3", 7), answered(7, "c.1", 2));
}

CAF_TEST(an owner answers no question of history while the way back is full) {
  auto topic = topic_of(2, 0, "kept/");
  auto& x = connect(0);
  publish(x, topic, "1");
  auto ask = [&](const std::string& action) {
    return say(x, type::request, 9, action,
               *payload::from_json("{\"topic\":\"" + topic + "\"}"));
  };
  auto& back = *sites[2].nodes->at(0)->traffic;
  auto most = sites[2].nodes->outbox_bytes_max;
  back.sent += most;
  CHECK_EQ(ask("callboard.history"), "error 9 overloaded");
  CHECK_EQ(ask("callboard.position"), answered(9, "c.1", 1));
  back.acknowledged += most;
  CHECK(ask("callboard.history").starts_with("response 9 "));
}

CAF_TEST(what is done with is acknowledged) {
  auto topic = topic_of(2);
  publish(connect(0), topic, "1", 5);
  CHECK_EQ(sites[2].nodes->at(0)->traffic->received.load(),
           sites[0].nodes->at(2)->traffic->sent.load());
  CHECK_EQ(sites[0].nodes->at(2)->traffic->received.load(),
           sites[2].nodes->at(0)->traffic->sent.load());
}

CAF_TEST(what is no frame ends a batch and nothing else) {
  auto topic = topic_of(0);
  auto& x = connect(0);
  subscribe(x, topic);
  caf::byte_buffer frames;
  auto event = caf::make_counted<publication>();
  event->topic = topic;
  event->payload = text("hi");
  append_frame(frames, peer_publish{0, {event, 0}});
  auto whole = frames.size();
  append_frame(frames, peer_publish{0, {event, 0}});
  auto& ctx = *sites[0].node.loops[0];
  int64_t malformed = 0;
  // Any end within the second one, and a number that there is none of.
  for (auto size = whole + 1; size <= frames.size(); ++size) {
    caf::byte_buffer cut{frames.begin(), frames.begin() + size};
    if (size == frames.size())
      cut[whole] = caf::byte{255};
    caf::anon_send(ctx.brokers[0].actor, shard_batch{1, number, cut});
    settle();
    CHECK_EQ(x.take().size(), 1u);
    CHECK_EQ(ctx.metrics.cluster_malformed->value(), ++malformed);
  }
}

CAF_TEST(nothing is taken from who is no node) {
  auto topic = topic_of(0);
  auto& x = connect(0);
  subscribe(x, topic);
  auto event = caf::make_counted<publication>();
  event->topic = topic;
  event->payload = text("hi");
  shard_batch batch{0, number, {}};
  append_frame(batch.frames, peer_publish{0, {event, 0}});
  for (uint32_t slot : {0, 3, 100}) {
    batch.slot = slot;
    caf::anon_send(sites[0].node.loops[0]->brokers[0].actor, batch);
  }
  settle();
  CHECK(x.heard().empty());
}

CAF_TEST(a group can be joined whichever node owns its topic) {
  frame_view wish;
  wish.type = type::subscribe;
  wish.seq_id = 1;
  wish.meta.mark(meta_key::group);
  wish.meta.group = "workers";
  for (size_t owner : {0, 1}) {
    auto topic = topic_of(owner);
    wish.subject = topic;
    CHECK_EQ(say(connect(0), wish),
             subscribed(1, sites[owner].self.name + ".1", 0));
  }
}

END_FIXTURE_SCOPE()
