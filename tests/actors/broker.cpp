#include <callboard/actors/broker.hpp>

#include <deque>
#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

/// An embedded subscriber: keeps what it gets, with the credit, until told.
struct notes {
  std::vector<std::string> lines;
  std::deque<event> events;
};

struct fixture : node_fixture {
  client& subscriber(uint32_t loop, const std::string& subject) {
    auto& x = connect(loop);
    x.say(type::subscribe, 1, subject);
    turn();
    x.heard();
    return x;
  }

  caf::actor embedded(notes& to) {
    return sys.spawn([&to] {
      return caf::behavior{
        [&to](event& x) {
          auto line = x.topic + '@' + std::to_string(x.offset);
          if (!x.pattern.empty())
            line += " by " + x.pattern;
          to.lines.push_back(line);
          to.events.push_back(std::move(x));
        },
        [&to](const std::string& topic, const position& x) {
          to.lines.push_back("position " + topic + ' ' + x.epoch + '@'
                             + std::to_string(x.offset));
        },
        [&to](unsubscribe_atom, const std::string& subject, const position& x) {
          to.lines.push_back("unsubscribed " + subject + ' ' + x.epoch + '@'
                             + std::to_string(x.offset));
        },
      };
    });
  }

  /// Subscribes an embedded actor; returns its position or the error.
  std::string subscribe(const caf::actor& who, const std::string& subject,
                        uint32_t loop = 0) {
    std::string result;
    ask(loops[loop]->brokers[loop].actor, subscribe_atom_v, who, subject)
      .receive(
        [&](const position& x) {
          result = x.epoch + '@' + std::to_string(x.offset);
        },
        [&](const caf::error& x) { result = words_of(x); });
    return result;
  }

  void publish(client& x, const std::string& topic, int n = 1) {
    for (int i = 0; i < n; ++i)
      x.publish(topic, "x");
    turn();
  }

  static std::string joined(std::vector<std::string>& lines) {
    std::string result;
    for (auto& x : lines)
      result += (result.empty() ? "" : "; ") + x;
    lines.clear();
    return result;
  }

  /// Kills a broker shard and puts another in its place.
  void replace(uint32_t index) {
    kill(loops[0]->brokers[index].actor);
    install(index, make_broker(index));
    turn();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- across loops -------------------------------------------------------------

CAF_TEST(what is published on one loop reaches the others in order) {
  start(3);
  auto topic = name_on(1, 3);
  std::vector<client*> all;
  for (uint32_t loop : {0, 1, 2})
    all.push_back(&subscriber(loop, topic));
  auto& by_pattern = subscriber(0, "+");
  std::vector<client*> publishers{&connect(0), &connect(2)};
  for (int round = 0; round < 5; ++round)
    for (auto* x : publishers)
      publish(*x, topic, 3);
  for (auto* x : all) {
    auto events = x->take();
    REQUIRE_EQ(events.size(), 30u);
    for (uint64_t i = 0; i < events.size(); ++i)
      CHECK_EQ(events[i].meta.offset, i + 1);
  }
  CHECK_EQ(by_pattern.take().size(), 30u);
  for (uint32_t shard = 0; shard < 3; ++shard)
    CHECK_EQ(loops[0]->brokers[shard].waiting->count(), 0);
}

CAF_TEST(a loop without subscribers gets nothing) {
  start(2);
  auto topic = name_on(0, 2);
  auto& x = subscriber(1, topic);
  auto& y = connect(0);
  publish(y, topic);
  CHECK_EQ(x.take().size(), 1u);
  CHECK_EQ(loops[1]->metrics.deliveries->value(), 1);
  CHECK_EQ(loops[0]->metrics.deliveries->value(), 0);
  kill(x.handle);
  publish(y, topic);
  CHECK_EQ(loops[1]->metrics.deliveries->value(), 1);
  CHECK_EQ(loops[1]->topics.topics(), 0u);
  CHECK(loops[1]->subscribers.empty());
}

CAF_TEST(a topic is kept for the linger and then starts over) {
  start();
  auto& x = connect();
  x.publish("a", "x", 1);
  turn();
  CHECK_EQ(x.heard(), "response 1 {\"epoch\":\"run.1\",\"offset\":1}");
  pass(4min);
  x.publish("a", "x", 2);
  turn();
  CHECK_EQ(x.heard(), "response 2 {\"epoch\":\"run.1\",\"offset\":2}");
  pass(10min);
  x.publish("a", "x", 3);
  turn();
  CHECK_EQ(x.heard(), "response 3 {\"epoch\":\"run.2\",\"offset\":1}");
}

// -- shards that die ----------------------------------------------------------

CAF_TEST(a shard that dies is replaced and subscribers are told) {
  start(2);
  auto mine = name_on(0, 2);
  auto other = name_on(1, 2);
  auto& local = subscriber(0, mine);
  auto& remote = subscriber(1, mine);
  auto& unaffected = subscriber(0, other);
  auto& pattern = subscriber(1, "#");
  auto& publisher = connect(1);
  publish(publisher, mine, 2);
  publish(publisher, other);
  for (auto* x : {&local, &remote, &unaffected, &pattern})
    x->heard();
  replace(0);
  auto position = "position " + mine
                  + " {\"epoch\":\"run.3\",\"offset\":0,"
                    "\"reason\":\"epoch changed\"}";
  CHECK_EQ(local.heard(), position);
  CHECK_EQ(remote.heard(), position);
  CHECK_EQ(unaffected.heard(), "");
  CHECK_EQ(pattern.heard(), "position # {\"reason\":\"events lost\"}");
  publish(publisher, mine, 2);
  auto events = "event " + mine + " @1 \"x\"; event " + mine + " @2 \"x\"";
  CHECK_EQ(local.heard(), events);
  CHECK_EQ(remote.heard(), events);
  CHECK_EQ(pattern.take().size(), 2u);
  publish(publisher, other);
  CHECK_EQ(unaffected.heard(), "event " + other + " @2 \"x\"");
  CHECK_EQ(pattern.take().size(), 1u);
}

CAF_TEST(a subscribe that a dead shard had is answered by the next) {
  start(2);
  auto topic = name_on(0, 2);
  auto& x = connect(1);
  caf::anon_send_exit(loops[0]->brokers[0].actor, caf::exit_reason::kill);
  x.say(type::subscribe, 1, topic);
  x.say(type::subscribe, 2, "+");
  turn();
  CHECK_EQ(x.heard(), "");
  install(0, make_broker(0));
  turn();
  auto words = x.heard();
  CHECK(words.find("response 1 {\"epoch\"") != std::string::npos);
  CHECK(words.find("response 2 {}") != std::string::npos);
}

CAF_TEST(a shard that takes over sees subscribers die) {
  start();
  auto& x = subscriber(0, "a");
  auto& y = subscriber(0, "a");
  kill(loops[0]->brokers[0].actor);
  // One dies while nobody looks, the other afterwards.
  kill(x.handle);
  install(0, make_broker(0));
  turn();
  CHECK_EQ(loops[0]->subscribers.size(), 1u);
  CHECK_EQ(loops[0]->topics.subscriptions(), 1u);
  kill(y.handle);
  CHECK(loops[0]->subscribers.empty());
  CHECK_EQ(loops[0]->topics.topics(), 0u);
}

CAF_TEST(a replaced shard starts without load) {
  start(2);
  auto topic = name_on(0, 2);
  auto& x = connect(1);
  caf::anon_send_exit(loops[0]->brokers[0].actor, caf::exit_reason::kill);
  x.publish(topic, "x");
  auto old = loops[0]->brokers[0];
  CHECK_GT(old.waiting->count(), 0);
  turn();
  auto made = make_broker(0);
  // What is still sent to the dead one is not charged to its successor.
  x.publish(topic, "x");
  install(0, made);
  turn();
  CHECK_GT(old.waiting->count(), 0);
  CHECK_EQ(made.waiting->count(), 0);
  x.publish(topic, "x", 1);
  CHECK_GT(made.waiting->count(), 0);
  turn();
  CHECK(x.heard().starts_with("response 1 "));
  CHECK_EQ(made.waiting->count(), 0);
}

// -- congestion ---------------------------------------------------------------

CAF_TEST(a shard with as much waiting as may refuses publications) {
  start(2);
  auto topic = name_on(0, 2);
  auto& x = connect(0);
  auto& waiting = *loops[0]->brokers[0].waiting;
  auto bound = static_cast<int64_t>(node.options.shard_bytes_max);
  waiting.add(bound);
  x.publish(topic, "x", 1);
  turn();
  CHECK(x.heard().starts_with("response 1 "));
  waiting.add(1);
  x.publish(topic, "x", 2);
  turn();
  auto frames = x.take();
  REQUIRE_EQ(frames.size(), 1u);
  CHECK_EQ(frames[0].words(), "error 2 overloaded");
  CHECK_EQ(frames[0].meta.retry_after_ms, 1000u);
  CHECK_EQ(waiting.count(), bound + 1);
}

CAF_TEST(a loop that lags makes its topics refuse publications) {
  start(2);
  auto wanted = name_on(0, 2);
  auto unwanted = name_on(0, 2, "u");
  auto& lagging = subscriber(1, wanted);
  auto& x = connect(0);
  auto& waiting = *loops[0]->brokers[1].waiting;
  auto much = static_cast<int64_t>(node.options.shard_bytes_max) + 1;
  waiting.add(much);
  x.publish(wanted, "x", 1);
  x.publish(unwanted, "x", 2);
  turn();
  auto heard = x.heard();
  CHECK(heard.starts_with("error 1 overloaded; response 2 "));
  waiting.remove(much);
  publish(x, wanted);
  CHECK_EQ(lagging.heard(), "event " + wanted + " @1 \"x\"");
}

// -- embedded subscribers -----------------------------------------------------

CAF_TEST(an embedded actor gets events as messages) {
  start(2);
  notes log;
  auto who = embedded(log);
  auto topic = name_on(1, 2);
  CHECK_EQ(subscribe(who, topic), "run.1@0");
  CHECK_EQ(subscribe(who, topic), "already_subscribed");
  CHECK_EQ(subscribe(who, "+"), "@0");
  CHECK_EQ(subscribe(who, "a//b"), "bad_subject");
  auto& x = connect(1, "alice");
  publish(x, topic);
  REQUIRE_EQ(log.events.size(), 2u);
  CHECK_EQ(joined(log.lines), topic + "@1; " + topic + "@1 by +");
  auto& got = log.events[0];
  CHECK_EQ(got.sender, "alice");
  CHECK_EQ(got.epoch, "run.1");
  CHECK_EQ(got.timestamp, loops[0]->unix_ms);
  CHECK_EQ(text_of(got.payload), "x");
  replace(1);
  CHECK_EQ(joined(log.lines), "position " + topic + " run.2@0; position + @0");
  caf::anon_send(loops[0]->brokers[0].actor, unsubscribe_atom_v, who, topic);
  turn();
  publish(x, topic);
  CHECK_EQ(joined(log.lines), topic + "@1 by +");
  kill(who);
  CHECK(loops[0]->subscribers.empty());
  CHECK_EQ(loops[0]->topics.topics(), 0u);
}

CAF_TEST(an embedded actor comes back and misses nothing) {
  node.options.topics = {{"#", {.history_size = 100}}};
  start(2);
  for (uint32_t owner : {0, 1}) {
    auto topic = name_on(owner, 2);
    auto& x = connect(1);
    for (int i = 0; i < 5; ++i)
      publish(x, topic);
    notes log;
    auto who = embedded(log);
    auto ask_from = [&](uint64_t offset) {
      std::string result;
      ask(loops[0]->brokers[0].actor, subscribe_atom_v, who, topic,
          position{"run." + std::to_string(owner + 1), offset})
        .receive(
          [&](const position& where, bool whole) {
            result = std::to_string(where.offset)
                     + (whole ? " whole" : " lost");
          },
          [&](const caf::error& why) { result = words_of(why); });
      return result;
    };
    CHECK_EQ(ask_from(3), "5 whole");
    CHECK_EQ(log.lines.size(), 2u);
    CHECK_EQ(ask_from(3), "already_subscribed");
    caf::anon_send(loops[0]->brokers[0].actor, unsubscribe_atom_v, who, topic);
    turn();
    CHECK_EQ(ask_from(9), "5 lost");
    CHECK_EQ(log.lines.size(), 2u);
    publish(x, topic);
    CHECK_EQ(log.lines.size(), 3u);
  }
}

CAF_TEST(an embedded actor hears that the shard it asked has died) {
  start(2);
  // The loop's shard waits for the owner, which does not answer any more.
  auto topic = name_on(1, 2);
  caf::anon_send_exit(loops[0]->brokers[1].actor, caf::exit_reason::kill);
  turn();
  notes log;
  auto who = embedded(log);
  auto asked = self->request(loops[0]->brokers[0].actor, caf::infinite,
                             subscribe_atom_v, who, topic);
  turn();
  CHECK_EQ(loops[0]->topics.topics(), 1u);
  kill(loops[0]->brokers[0].actor);
  std::string heard;
  asked.receive([&](const position&) { heard = "subscribed"; },
                [&](const caf::error& why) { heard = words_of(why); });
  CHECK_EQ(heard, "internal");
  CHECK_EQ(loops[0]->topics.topics(), 0u);
  // The next one can be asked again.
  install(1, make_broker(1));
  install(0, make_broker(0));
  turn();
  CHECK_EQ(subscribe(who, topic), "run.1@0");
}

CAF_TEST(an embedded actor that does not keep up is unsubscribed and told) {
  publication one;
  one.topic = "a";
  one.payload = text("x");
  one.sender = "n-1";
  node.options.outbox_bytes_max = static_cast<size_t>(3 * one.cost());
  start();
  notes log;
  auto who = embedded(log);
  subscribe(who, "a");
  subscribe(who, "b");
  auto& x = connect();
  publish(x, "a", 3);
  CHECK_EQ(joined(log.lines), "a@1; a@2; a@3");
  // A credit that comes back makes room for one more.
  log.events.pop_front();
  publish(x, "a", 1);
  CHECK_EQ(joined(log.lines), "a@4");
  publish(x, "a", 3);
  CHECK_EQ(joined(log.lines), "unsubscribed a run.1@4");
  CHECK_EQ(loops[0]->metrics.drops_by(overflow_policy::disconnect)->value(), 1);
  CHECK_EQ(loops[0]->topics.subscriptions(), 1u);
  // Its other subscription goes on as it catches up, and this one anew.
  log.events.clear();
  publish(x, "b", 1);
  CHECK_EQ(joined(log.lines), "b@1");
  CHECK_EQ(subscribe(who, "a"), "run.1@7");
  publish(x, "a", 1);
  CHECK_EQ(joined(log.lines), "a@8");
}

END_FIXTURE_SCOPE()
