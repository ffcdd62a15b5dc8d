// A client as a member of groups.

#include <callboard/actors/connection.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "actors/member_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;
using fixture = member_fixture;

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(members on any loop share the events of a topic) {
  start(3);
  auto topic = name_on(2, 3);
  auto& alice = connect(0);
  std::vector<client*> workers;
  for (uint32_t i : {0, 1, 2}) {
    workers.push_back(&connect(i));
    // Events that were confirmed are behind it.
    CHECK_EQ(join(*workers.back(), topic), head(0, i > 0));
  }
  publish(alice, topic, 6);
  uint64_t offset = 0;
  for (auto* x : workers) {
    auto got = x->take();
    REQUIRE_EQ(got.size(), 2u);
    ++offset;
    CHECK_EQ(got[0].words(), "event 1 " + topic + " @" + std::to_string(offset)
                               + " of g \"x\"");
    CHECK_EQ(got[1].meta.offset, offset + 3);
    CHECK_EQ(got[1].seq_id, 2u);
    CHECK_EQ(got[0].sender, alice->wire_name());
    CHECK_EQ(got[0].timestamp, loops[0]->unix_ms);
    x->say(type::ack, 1);
    x->say(type::ack, 2);
  }
  turn();
  CHECK_EQ(count(&group_metrics::confirmations), 6);
  CHECK_EQ(count(&group_metrics::deliveries), 6);
  CHECK_EQ(loops[2]->metrics.groups.events->value(), 0);
  CHECK_EQ(join(connect(1), topic), head(6, true));
}

CAF_TEST(an event comes beside those of other subscriptions) {
  start();
  auto& alice = connect();
  say(alice, type::subscribe, 2, "a");
  CHECK_EQ(join(alice, "a", "g", false), head(0, false));
  CHECK_EQ(join(alice, "a", "h", true), head(0, false));
  CHECK_EQ(join(alice, "a"), refusal("already_subscribed"));
  publish(alice, "a", 1, "k");
  CHECK_EQ(alice.heard(), "event a @1 of g key k \"x\"; "
                          "event 1 a @1 of h key k \"x\"; "
                          "event a @1 key k \"x\"");
  // Without confirmation it is finished when it is on its way.
  CHECK_EQ(count(&group_metrics::confirmations), 1);
  CHECK_EQ(leave(alice, "a"), "response 1");
  publish(alice, "a");
  CHECK_EQ(alice.heard(), "event 2 a @2 of h \"x\"; event a @2 \"x\"");
  CHECK_EQ(leave(alice, "a"), refusal("not_subscribed"));
}

CAF_TEST(what cannot be a group is told why) {
  node.rights.authorize = [](const identity&, operation what,
                             std::string_view subject) {
    return what != operation::subscribe || !subject.ends_with("secret");
  };
  node.options.subscriptions_max = 2;
  node.options.groups_max = 2;
  start();
  auto& x = connect();
  CHECK_EQ(join(x, "a/+"), refusal("bad_subject"));
  CHECK_EQ(join(x, "a//b"), refusal("bad_subject"));
  CHECK_EQ(join(x, "$sys/a"), refusal("bad_subject"));
  CHECK_EQ(join(x, "secret"), refusal("forbidden"));
  CHECK_EQ(join(x, "$dead/secret"), refusal("forbidden"));
  CHECK_EQ(join(x, "a"), head(0, false));
  say(x, type::subscribe, 2, "b");
  CHECK_EQ(join(x, "c"), refusal("too_many_subscriptions"));
  CHECK_EQ(say(x, type::subscribe, 1, "c"), refusal("too_many_subscriptions"));
  say(x, type::unsubscribe, 2, "b");
  CHECK_EQ(join(x, "c"), head(0, false, "run.3"));
  CHECK_EQ(join(connect(), "d"), refusal("overloaded"));
  // It can ask again once there is room.
  auto& y = connect();
  join(y, "e");
  leave(x, "c");
  CHECK(join(y, "e").starts_with("response 1 "));
}

CAF_TEST(dead letters need the right to the topic that they come from) {
  node.rights.authorize = [](const identity&, operation,
                             std::string_view subject) {
    return !subject.starts_with("secret/");
  };
  start();
  auto& x = connect();
  for (auto* topic : {"secret/a", "$dead/secret/a"}) {
    CHECK_EQ(join(x, topic), refusal("forbidden"));
    CHECK_EQ(say(x, type::subscribe, 1, topic), refusal("forbidden"));
    auto query
      = *payload::from_json(R"({"topic":")" + std::string{topic} + R"("})");
    for (auto* action : {"callboard.history", "callboard.position",
                         "callboard.presence", "callboard.presence_count"})
      CHECK_EQ(say(x, type::request, 1, action, query), refusal("forbidden"));
  }
  for (auto* pattern : {"$dead/secret/#", "$dead/secret/+"})
    CHECK_EQ(say(x, type::subscribe, 1, pattern), refusal("forbidden"));
  CHECK_EQ(join(x, "$dead/a"), head(0, false));
  CHECK_EQ(say(x, type::subscribe, 1, "$dead/+"), "response 1 {}");
  // Nor does the right to a topic give that to its dead letters.
  node.rights.authorize = [](const identity&, operation,
                             std::string_view subject) {
    return subject.starts_with("a/");
  };
  CHECK(join(x, "a/b").starts_with("response 1 "));
  CHECK_EQ(join(x, "$dead/a/b"), refusal("forbidden"));
}

CAF_TEST(the own topic takes no place from groups) {
  node.options.subscriptions_max = 2;
  start();
  auto& x = connect(0, "alice");
  CHECK(join(x, "a").starts_with("response 1 "));
  CHECK(join(x, "b").starts_with("response 1 "));
  CHECK_EQ(join(x, "c"), refusal("too_many_subscriptions"));
  // Nor does it leave one where it is given up.
  leave(x, "b");
  CHECK_EQ(say(x, type::unsubscribe, 2, "$user/alice"), "response 2");
  CHECK(say(x, type::subscribe, 1, "c").starts_with("response 1 "));
  CHECK_EQ(say(x, type::subscribe, 1, "d"), refusal("too_many_subscriptions"));
  CHECK_EQ(join(x, "d"), refusal("too_many_subscriptions"));
}

CAF_TEST(a subscribe whose unsubscribe came first is cancelled) {
  start(2);
  auto topic = name_on(1, 2);
  auto& x = connect(0);
  ask_for(x, type::subscribe, topic, "g");
  frame_view y;
  y.type = type::unsubscribe;
  y.seq_id = 2;
  y.subject = topic;
  y.meta.mark(meta_key::group);
  y.meta.group = "g";
  x.say(y);
  turn();
  CHECK_EQ(x.heard(), "error 1 cancelled; response 2");
  publish(x, topic);
  CHECK_EQ(x.heard(), "");
  CHECK_EQ(loops[1]->metrics.groups.members->value(), 0);
}

// -- failures -----------------------------------------------------------------

CAF_TEST(what a dead member had goes to another at once) {
  start(2);
  auto topic = name_on(0, 2);
  auto& one = connect(1);
  auto& two = connect(0);
  join(one, topic);
  join(two, topic);
  publish(two, topic, 2);
  CHECK_EQ(two.heard(), "event 1 " + topic + " @2 of g \"x\"");
  kill(one.handle);
  CHECK_EQ(two.heard(), "event 2 " + topic + " @1 of g attempt 2 \"x\"");
  CHECK_EQ(count(&group_metrics::redeliveries), 1);
  CHECK_EQ(loops[0]->metrics.groups.members->value(), 1);
}

CAF_TEST(what is not confirmed in time is taken back) {
  start(2);
  auto topic = name_on(0, 2);
  auto& one = connect(1);
  auto& two = connect(0);
  join(one, topic);
  join(two, topic);
  publish(two, topic);
  CHECK_EQ(one.heard(), "event 1 " + topic + " @1 of g \"x\"");
  pass(10s);
  CHECK_EQ(one.heard(), "cancel 1");
  CHECK_EQ(two.heard(), "event 1 " + topic + " @1 of g attempt 2 \"x\"");
  // Too late.
  CHECK_EQ(say(one, type::ack, 1), "");
  CHECK_EQ(count(&group_metrics::confirmations), 0);
  CHECK_EQ(count(&group_metrics::timeouts), 1);
  say(two, type::ack, 1);
  CHECK_EQ(count(&group_metrics::confirmations), 1);
  pass(60s);
  CHECK_EQ(one.heard() + two.heard(), "");
}

CAF_TEST(each of many events is taken back by its own number) {
  static constexpr size_t topics = 4;
  static constexpr size_t groups = 90;
  static constexpr size_t events = 64;
  start();
  auto& alice = connect();
  auto& worker = connect();
  for (size_t i = 0; i < topics * groups; ++i)
    join(worker, "t" + std::to_string(i % topics), "g" + std::to_string(i));
  for (size_t i = 0; i < topics; ++i)
    publish(alice, "t" + std::to_string(i), events);
  auto numbers_of = [&](type what, const std::vector<frame>& frames) {
    std::vector<uint32_t> result;
    for (auto& x : frames)
      if (x.type == what)
        result.push_back(x.seq_id);
    std::ranges::sort(result);
    return result;
  };
  auto first = numbers_of(type::event, worker.take());
  REQUIRE_EQ(first.size(), topics * groups * events);
  // What was confirmed is not taken back.
  for (size_t i = 0; i < events; ++i)
    worker.say(type::ack, first[i]);
  first.erase(first.begin(), first.begin() + events);
  pass(10s);
  auto frames = worker.take();
  CHECK(numbers_of(type::cancel, frames) == first);
  auto second = numbers_of(type::event, frames);
  CHECK_EQ(second.size(), first.size());
  for (auto seq_id : first)
    worker.say(type::ack, seq_id);
  turn();
  CHECK_EQ(count(&group_metrics::confirmations), events);
  for (auto seq_id : second)
    worker.say(type::ack, seq_id);
  turn();
  CHECK_EQ(loops[0]->metrics.groups.events->value(), 0);
}

CAF_TEST(an error gives the event to another at once) {
  start();
  auto& one = connect();
  auto& two = connect();
  join(one, "a");
  join(two, "a");
  publish(one, "a");
  CHECK_EQ(one.heard(), "event 1 a @1 of g \"x\"");
  CHECK_EQ(say(one, type::error, 1, "busy"), "");
  CHECK_EQ(two.heard(), "event 1 a @1 of g attempt 2 \"x\"");
  // Answers to what is not there mean nothing.
  for (auto id : {0u, 1u, 77u}) {
    CHECK_EQ(say(one, type::ack, id), "");
    CHECK_EQ(say(one, type::error, id), "");
  }
  CHECK_EQ(say(two, type::response, 1), "");
  CHECK_EQ(loops[0]->metrics.groups.events->value(), 1);
}

CAF_TEST(a member that leaves gets nothing more and what it had goes on) {
  start(2);
  auto topic = name_on(1, 2);
  auto& one = connect(0);
  auto& two = connect(1);
  join(one, topic);
  publish(two, topic);
  one.heard();
  // One more is on its way.
  two.publish(topic, "y");
  ask_for(one, type::unsubscribe, topic, "g", false);
  turn();
  CHECK_EQ(one.heard(), "response 1");
  CHECK_EQ(say(one, type::ack, 1), "");
  CHECK_EQ(join(two, topic), head(0, true) + "; event 1 " + topic
                               + " @1 of g attempt 2 \"x\"; event 2 " + topic
                               + " @2 of g attempt 2 \"y\"");
}

CAF_TEST(events and requests have different numbers) {
  start();
  auto& x = connect();
  join(x, "a");
  say(x, type::register_action, 2, "sum");
  publish(x, "a");
  auto& alice = connect();
  say(alice, type::request, 1, "sum");
  publish(x, "a");
  auto got = x.take();
  REQUIRE_EQ(got.size(), 3u);
  CHECK_EQ(got[0].words(), "event 1 a @1 of g \"x\"");
  CHECK(got[1].type == type::request);
  CHECK_EQ(got[1].seq_id, 2u);
  CHECK_EQ(got[2].words(), "event 3 a @2 of g \"x\"");
  say(x, type::error, 3);
  CHECK_EQ(x.heard(), "");
  CHECK(alice.heard().empty());
  say(x, type::response, 2);
  CHECK(alice.heard().starts_with("response 1"));
}

CAF_TEST(a member whose outbox is full lets others have the events) {
  node.options.outbox_bytes_max = 4096;
  node.options.group_inflight_max = 100;
  start();
  auto& one = connect();
  auto& two = connect();
  join(one, "a", "g", false);
  one.socket.stuck = true;
  publish(two, "a", 100);
  CHECK(one.alive());
  CHECK_LE(one.box->queued_bytes(), 4096u / 2);
  auto waiting = loops[0]->metrics.groups.events->value();
  CHECK(waiting > 20);
  auto done = count(&group_metrics::confirmations);
  CHECK_EQ(done + waiting, 100);
  // It goes on where there is room again.
  one.socket.stuck = false;
  one.socket.flush(*one.box);
  turn();
  CHECK_EQ(count(&group_metrics::confirmations), 100);
  auto got = one.take();
  REQUIRE_EQ(got.size(), 100u);
  for (size_t i = 0; i < got.size(); ++i)
    CHECK_EQ(got[i].meta.offset, i + 1);
}

END_FIXTURE_SCOPE()
