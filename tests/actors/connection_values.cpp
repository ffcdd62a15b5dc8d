// Last values for clients and actors that are new to a pattern.

#include <callboard/actors/connection.hpp>

#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using type = frame_type;

namespace {

struct fixture : node_fixture {
  fixture() {
    node.options.topics.push_back({"room/#", {.retain = true}});
    node.options.topics.push_back({"$dead/#", {.retain = true}});
  }

  void publish(const std::string& topic, const std::string& content = "x") {
    clients.front()->publish(topic, content);
    turn();
  }

  /// Returns a topic `room/…` of a shard.
  static std::string room(uint32_t shard, uint32_t shards) {
    return name_on(shard, shards, "room/");
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a newcomer to a pattern gets the last values of every shard) {
  start(3);
  connect(0, "ann");
  std::map<std::string, std::string> rooms;
  for (uint32_t shard : {0, 1, 2}) {
    auto topic = room(shard, 3);
    publish(topic, "old");
    publish(topic, "new");
    rooms[topic] = "event " + topic + " @2 by room/# retained \"new\"";
  }
  publish("other/1");
  for (uint32_t loop : {0, 1, 2, 1}) {
    auto& x = connect(loop);
    say(x, type::subscribe, 1, "room/#");
    // `say` hears the answer; all comes in one turn here.
    auto& y = connect(loop);
    y.say(type::subscribe, 1, "room/#");
    turn();
    auto frames = y.take();
    REQUIRE_EQ(frames.size(), 4u);
    CHECK_EQ(frames[0].words(), "response 1 {\"retained\":true}");
    std::map<std::string, std::string> got;
    for (size_t i = 1; i < frames.size(); ++i) {
      got[frames[i].subject] = frames[i].words();
      CHECK_EQ(frames[i].sender, "ann");
    }
    CHECK_EQ(got, rooms);
  }
  CHECK_EQ(loops[0]->metrics.last_values_withheld->value(), 0);
}

CAF_TEST(both codecs and a position that means nothing to patterns) {
  start();
  connect();
  publish("room/1");
  auto& x = open(0, {}, false, wire_form::json);
  x.heard();
  frame_view y;
  y.type = type::subscribe;
  y.seq_id = 3;
  y.subject = "room/+";
  y.meta.mark(meta_key::since);
  y.meta.since = {"run.1", 1};
  CHECK_EQ(say(x, y), "response 3 {\"recovered\":false,\"retained\":true}; "
                      "event room/1 @1 by room/+ retained \"x\"");
  CHECK_EQ(say(x, type::subscribe, 4, "else/+"), "response 4 {}");
}

CAF_TEST(more last values than one may get are withheld) {
  node.options.last_values_max = 2;
  start(2);
  connect();
  publish("room/1");
  publish("room/2");
  auto& x = connect(1);
  say(x, type::subscribe, 1, "room/#");
  publish("room/3");
  x.heard();
  auto& y = connect(1);
  CHECK_EQ(say(y, type::subscribe, 1, "room/#"),
           "response 1 {\"retained\":false}");
  CHECK_EQ(loops[1]->metrics.last_values_withheld->value(), 1);
  // One less and they come; a narrower pattern helps, too.
  clients[0]->say(type::publish, 0, "room/2");
  turn();
  auto& z = connect(1);
  auto heard = say(z, type::subscribe, 1, "room/#");
  CHECK(heard.starts_with("response 1 {\"retained\":true}; event room/"));
  CHECK_EQ(y.heard(), "event room/2 @2 by room/#");
}

CAF_TEST(an embedded actor gets them too) {
  start(2);
  connect();
  publish("room/1", "one");
  publish("room/2", "two");
  std::vector<std::string> heard;
  auto me = sys.spawn([&heard](caf::event_based_actor*) {
    return caf::behavior{[&heard](const event& x) {
      heard.push_back(x.topic + ' ' + x.pattern + ' ' + text_of(x.payload)
                      + (x.retained ? " retained" : ""));
    }};
  });
  auto server = loops[1]->brokers[1].actor;
  auto subscribed = false;
  ask(server, subscribe_atom_v, me, std::string{"room/+"})
    .receive([&](const position&) { subscribed = true; }, [](caf::error&) {});
  CHECK(subscribed);
  std::ranges::sort(heard);
  CHECK_EQ(heard, (std::vector<std::string>{"room/1 room/+ one retained",
                                            "room/2 room/+ two retained"}));
  heard.clear();
  publish("room/1", "more");
  CHECK_EQ(heard, std::vector<std::string>{"room/1 room/+ more"});
  kill(me);
}

CAF_TEST(a newcomer is answered although a shard dies) {
  start(2);
  connect(0);
  auto here = room(0, 2);
  auto there = room(1, 2);
  publish(here);
  publish(there);
  for (uint32_t dead : {1, 0}) {
    auto& x = connect(0);
    x.say(type::subscribe, 1, "room/#");
    caf::anon_send_exit(loops[0]->brokers[dead].actor, caf::exit_reason::kill);
    turn();
    CHECK_EQ(x.heard(), "");
    install(dead, make_broker(dead));
    turn();
    // What the dead one had is lost.
    CHECK_EQ(x.heard(),
             "response 1 {\"retained\":true}"
               + (dead == 1 ? "; event " + here + " @1 by room/# retained \"x\""
                            : std::string{}));
  }
}

CAF_TEST(no order of events and newcomers makes a gap or a duplicate) {
  start(3);
  std::mt19937 random{7};
  auto pick = [&](uint32_t n) { return static_cast<uint32_t>(random() % n); };
  std::vector<std::string> rooms;
  for (int i = 0; i < 1500; ++i)
    rooms.push_back("room/" + std::to_string(i));
  std::map<std::string, uint64_t> heads;
  std::vector<client*> publishers{&connect(0), &connect(1), &connect(2)};
  auto publish_some = [&](uint32_t n) {
    for (uint32_t i = 0; i < n; ++i) {
      auto& topic = rooms[pick(1500)];
      // One publisher for each topic, so that its order is known.
      publishers[std::hash<std::string>{}(topic) % 3]->publish(topic, "x");
      ++heads[topic];
    }
  };
  publish_some(2000);
  turn();
  std::vector<client*> readers;
  for (int round = 0; round < 40; ++round) {
    if (round % 2 == 0) {
      auto& x = *readers.emplace_back(&open(pick(3)));
      x.heard();
      x.say(type::subscribe, 1, pick(2) == 0 ? "room/#" : "room/+");
    }
    publish_some(pick(60));
    if (pick(3) == 0)
      sched.run_once();
    else
      step();
  }
  turn();
  publish_some(300);
  turn();
  for (auto* x : readers) {
    auto frames = x->take();
    REQUIRE(!frames.empty());
    CHECK_EQ(frames[0].words(), "response 1 {\"retained\":true}");
    std::map<std::string, uint64_t> seen;
    auto live = false;
    for (size_t i = 1; i < frames.size(); ++i) {
      auto& y = frames[i];
      auto retained = y.meta.has(meta_key::retained);
      CHECK(!(retained && live));
      live |= !retained;
      auto& last = seen[y.subject];
      if (retained)
        REQUIRE_EQ(last, 0u);
      else if (last != 0)
        REQUIRE_EQ(y.meta.offset, last + 1);
      last = y.meta.offset;
    }
    // Who got all values knows where every topic stands.
    CHECK_EQ(seen, heads);
  }
}

END_FIXTURE_SCOPE()
