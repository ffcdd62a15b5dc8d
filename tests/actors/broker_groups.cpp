#include <callboard/actors/broker_groups.hpp>

#include <string>
#include <vector>

#include "actors/member_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : member_fixture {
  // Returns a topic of the first of two shards whose dead letters are the
  // second one's.
  static std::string name_with_dead_elsewhere() {
    for (int i = 0;; ++i) {
      auto name = "t" + std::to_string(i);
      if (shard_of(name, 2) == 0 && shard_of("$dead/" + name, 2) == 1)
        return name;
    }
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- dead letters -------------------------------------------------------------

CAF_TEST(what nobody confirms becomes a dead letter) {
  start(3);
  auto topic = name_on(0, 3);
  auto dead = "$dead/" + topic;
  auto& alice = connect(1, "alice");
  auto& reader = connect(2);
  say(reader, type::subscribe, 1, dead);
  say(reader, type::subscribe, 2, "$dead/#");
  join(alice, topic);
  publish(alice, topic, 1, "k");
  pass(20s);
  CHECK_EQ(reader.heard(), "");
  pass(10s);
  auto got = reader.take();
  REQUIRE_EQ(got.size(), 2u);
  CHECK_EQ(got[0].words(),
           "event " + dead + " @1 key k attempt 3 from g \"x\"");
  CHECK_EQ(got[0].sender, "alice");
  CHECK_EQ(got[1].pattern, "$dead/#");
  CHECK_EQ(count(&group_metrics::dead_letters), 1);
  CHECK_EQ(count(&group_metrics::lost), 0);
  CHECK_EQ(loops[0]->metrics.groups.events->value(), 0);
  // They are read like any other topic's, and published by the server only.
  auto history = say(reader, type::request, 9, "callboard.history",
                     *payload::from_json("{\"topic\":\"" + dead + "\"}"));
  CHECK(history.find("\"offset\":1,") != std::string::npos);
  CHECK_EQ(say(reader, type::publish, 9, dead), "error 9 bad_subject");
}

CAF_TEST(dead letters can be shared by a group and do not die twice) {
  node.options.group_attempts_max = 1;
  start();
  auto& alice = connect();
  auto& worker = connect();
  join(alice, "a");
  join(worker, "$dead/a");
  publish(alice, "a", 2);
  say(alice, type::error, 1);
  say(alice, type::error, 2);
  CHECK_EQ(worker.heard(), "event 1 $dead/a @1 of g from g \"x\"; "
                           "event 2 $dead/a @2 of g from g \"x\"");
  say(worker, type::ack, 1);
  say(worker, type::error, 2);
  CHECK_EQ(worker.heard(), "");
  CHECK_EQ(count(&group_metrics::lost), 1);
  CHECK_EQ(loops[0]->metrics.groups.events->value(), 0);
}

CAF_TEST(a dead letter waits until there is room for its topic) {
  node.options.group_attempts_max = 1;
  node.options.topics_max = 1;
  start(2);
  auto topic = name_with_dead_elsewhere();
  auto& alice = connect(0);
  auto other = name_on(1, 2);
  say(alice, type::subscribe, 2, other);
  join(alice, topic);
  publish(alice, topic);
  say(alice, type::error, 1);
  pass(5s);
  CHECK_EQ(count(&group_metrics::dead_letters), 1);
  // There is room when the other topic is gone.
  say(alice, type::unsubscribe, 2, other);
  pass(10min);
  auto history
    = say(alice, type::request, 9, "callboard.position",
          *payload::from_json("{\"topic\":\"$dead/" + topic + "\"}"));
  CHECK(history.ends_with("\"offset\":1}"));
  CHECK_EQ(count(&group_metrics::lost), 0);
}

CAF_TEST(a dead letter whose owner died is sent again) {
  node.options.group_attempts_max = 1;
  start(2);
  auto topic = name_with_dead_elsewhere();
  auto& alice = connect(0);
  join(alice, topic);
  publish(alice, topic);
  caf::anon_send_exit(loops[0]->brokers[1].actor, caf::exit_reason::kill);
  say(alice, type::error, 1);
  install(1, make_broker(1));
  pass(2s);
  auto history
    = say(alice, type::request, 9, "callboard.position",
          *payload::from_json("{\"topic\":\"$dead/" + topic + "\"}"));
  CHECK(history.ends_with("\"offset\":1}"));
}

CAF_TEST(dead letters that are sent again keep their order) {
  node.options.group_attempts_max = 1;
  start(2);
  auto topic = name_with_dead_elsewhere();
  auto& alice = connect(0);
  join(alice, topic);
  for (auto* x : {"1", "2", "3", "4", "5"})
    alice.publish(topic, x);
  turn();
  alice.heard();
  caf::anon_send_exit(loops[0]->brokers[1].actor, caf::exit_reason::kill);
  // All are on their way before the first one fails.
  for (uint32_t i = 1; i <= 5; ++i)
    alice.say(type::error, i);
  turn();
  auto& reader = connect(1);
  install(1, make_broker(1));
  say(reader, type::subscribe, 1, "$dead/" + topic);
  pass(2s);
  std::string order;
  for (auto& x : reader.take())
    if (x.type == type::event)
      order += text_of(x.content);
  CHECK_EQ(order, "12345");
}

// -- places -------------------------------------------------------------------

CAF_TEST(a group without members goes on where it was) {
  node.options.group_pending_max = 10;
  start(2);
  auto topic = name_on(1, 2, "kept/");
  auto& alice = connect(0);
  auto& one = connect(1);
  join(one, topic);
  publish(alice, topic, 5);
  say(one, type::ack, 1);
  say(one, type::ack, 2);
  kill(one.handle);
  publish(alice, topic, 200);
  auto& two = connect(0);
  ask_for(two, type::subscribe, topic, "g");
  turn();
  std::vector<uint64_t> offsets;
  for (uint32_t done = 0; done < 203; ++done) {
    for (auto& x : two.take())
      if (x.type == type::event)
        offsets.push_back(x.meta.offset);
    two.say(type::ack, done + 1);
    turn();
  }
  REQUIRE_EQ(offsets.size(), 203u);
  for (size_t i = 0; i < offsets.size(); ++i)
    CHECK_EQ(offsets[i], i + 3);
  CHECK_EQ(loops[1]->metrics.groups.events->value(), 0);
  CHECK_EQ(count(&group_metrics::lost), 0);
}

CAF_TEST(a new group begins where its first member says) {
  start(2);
  auto topic = name_on(1, 2, "kept/");
  auto& alice = connect(0);
  publish(alice, topic, 5);
  CHECK_EQ(join(alice, topic, "a", false, {"run.1", 4}),
           head(4, true) + "; event " + topic + " @5 of a \"x\"");
  CHECK_EQ(join(alice, topic, "b", false, {"run.1", 5}), head(5, true));
  CHECK_EQ(join(alice, topic, "c", false, {"run.1", 6}), head(5, false));
  CHECK_EQ(join(alice, topic, "d", false, {"other", 4}), head(5, false));
  CHECK_EQ(join(alice, topic, "e", false), head(5, false));
  // One that is there goes on where it is.
  CHECK_EQ(join(connect(1), topic, "a", false, {"run.1", 1}), head(5, true));
  auto bare = name_on(1, 2, "bare");
  publish(alice, bare, 2);
  CHECK_EQ(join(alice, bare, "a", false, {"run.2", 1}),
           head(2, false, "run.2"));
}

CAF_TEST(a topic with a group lasts and so does the group) {
  start();
  auto& alice = connect();
  join(alice, "a");
  publish(alice, "a");
  say(alice, type::ack, 1);
  leave(alice, "a");
  pass(1h);
  publish(alice, "a");
  CHECK_EQ(join(alice, "a"), head(1, true) + "; event 2 a @2 of g \"x\"");
  leave(alice, "a");
  // In the end both are forgotten.
  pass(25h);
  CHECK_EQ(loops[0]->metrics.groups.groups->value(), 0);
  CHECK_EQ(join(alice, "a"), head(0, false, "run.2"));
}

CAF_TEST(a topic has so many groups and no more) {
  node.options.topic_groups_max = 2;
  start();
  auto& alice = connect();
  auto& bob = connect();
  join(alice, "a", "g");
  CHECK_EQ(join(bob, "a", "h"), head(0, false));
  CHECK_EQ(join(bob, "a", "i"), refusal("overloaded"));
  CHECK(join(bob, "b", "i").starts_with("response 1 "));
  // One that has had nothing goes with who does not want it any more.
  leave(bob, "b", "i");
  CHECK_EQ(loops[0]->metrics.groups.groups->value(), 2);
  kill(alice.handle);
  publish(bob, "a");
  CHECK_EQ(loops[0]->metrics.groups.groups->value(), 2);
  bob.heard();
  CHECK_EQ(join(bob, "a", "i"), head(1, false));
  CHECK_EQ(count(&group_metrics::lost), 1);
}

CAF_TEST(members hear of what the history has forgotten) {
  node.options.topics = {{"#", {.history_size = 5}}};
  node.options.group_inflight_max = 1;
  node.options.group_pending_max = 1;
  start(2);
  auto topic = name_on(1, 2);
  auto& alice = connect(0);
  join(alice, topic);
  publish(alice, topic, 10);
  alice.heard();
  CHECK_EQ(say(alice, type::ack, 1), "event 2 " + topic + " @2 of g \"x\"; "
                                       + "position " + topic
                                       + " of g {\"epoch\":\"run.1\","
                                         "\"offset\":1,\"reason\":"
                                         "\"history exceeded\"}");
  CHECK_EQ(say(alice, type::ack, 2), "event 3 " + topic + " @6 of g \"x\"");
  CHECK_EQ(count(&group_metrics::lost), 3);
}

// -- dead shards --------------------------------------------------------------

CAF_TEST(a member of a shard that died is one again) {
  start(2);
  auto topic = name_on(0, 2);
  auto other = name_on(1, 2);
  auto& one = connect(0);
  auto& two = connect(1);
  for (auto* x : {&one, &two}) {
    join(*x, topic);
    join(*x, other);
  }
  publish(one, topic, 2);
  publish(one, other, 1);
  one.heard();
  two.heard();
  replace_broker(0);
  auto began = [&](const std::string& epoch) {
    return "position " + topic + " of g {\"epoch\":\"" + epoch
           + "\",\"offset\":0,\"reason\":\"epoch changed\"}";
  };
  CHECK_EQ(one.heard(), began("run.3"));
  CHECK_EQ(two.heard(), began("run.3"));
  // What it was given before is not its own any more.
  CHECK_EQ(say(two, type::ack, 1), "");
  publish(one, topic, 2);
  CHECK(one.heard().ends_with("@1 of g \"x\""));
  CHECK(two.heard().ends_with("@2 of g \"x\""));
  // The group of the other shard did not notice.
  CHECK_EQ(count(&group_metrics::redeliveries), 0);
  CHECK_EQ(loops[1]->metrics.groups.events->value(), 1);
}

CAF_TEST(a subscribe that a dead shard had is answered) {
  start(2);
  auto topic = name_on(1, 2);
  auto& x = connect(0);
  caf::anon_send_exit(loops[0]->brokers[1].actor, caf::exit_reason::kill);
  ask_for(x, type::subscribe, topic, "g");
  turn();
  CHECK_EQ(x.heard(), "");
  install(1, make_broker(1));
  turn();
  CHECK_EQ(x.heard(), refusal("internal"));
  CHECK_EQ(join(x, topic), head(0, false));
}

CAF_TEST(a member that the new shard has no room for is told) {
  node.options.groups_max = 1;
  start();
  auto& one = connect();
  join(one, "a");
  publish(one, "a");
  one.heard();
  kill(loops[0]->brokers[0].actor);
  // Another one's group is there before those that were.
  auto shard = make_broker(0);
  caf::anon_send(shard.actor, subscribe_atom_v,
                 caf::actor_cast<caf::actor>(self), std::string{"b"},
                 group_options{"g", {}}, false);
  turn();
  install(0, shard);
  turn();
  CHECK_EQ(one.heard(), "error overloaded");
  CHECK_EQ(loops[0]->metrics.groups.members->value(), 1);
  CHECK_EQ(loops[0]->metrics.groups.groups->value(), 1);
  // It is a member no longer, and can be one again.
  CHECK_EQ(say(one, type::ack, 1), "");
  CHECK_EQ(leave(one, "a"), refusal("not_subscribed"));
  caf::anon_send(shard.actor, unsubscribe_atom_v,
                 caf::actor_cast<caf::actor>(self), std::string{"b"},
                 std::string{"g"});
  turn();
  CHECK(join(one, "a").starts_with("response 1 "));
}

END_FIXTURE_SCOPE()
