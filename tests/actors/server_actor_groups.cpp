// Actors of the application as members of groups.

#include <callboard/actors/server_actor.hpp>

#include <deque>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

/// What a worker does with its events.
enum class habit {
  confirms,
  rejects,
  answers_later,
  dies,
};

struct notes {
  habit does = habit::confirms;
  std::vector<std::string> lines;
  std::vector<event> events;
  std::deque<caf::typed_response_promise<void>> promises;

  std::string heard() {
    std::string result;
    for (auto& x : std::exchange(lines, {}))
      result += (result.empty() ? "" : "; ") + x;
    return result;
  }
};

struct fixture : node_fixture {
  fixture() {
    node.options.topics = {{"kept/#", {.history_size = 100}}};
    node.options.group_ack_timeout = 10s;
    node.options.group_attempts_max = 3;
    node.options.group_inflight_max = 2;
    server = start_server();
  }

  ~fixture() override {
    kill(server);
  }

  caf::actor worker(notes& log) {
    return sys.spawn([&log](caf::event_based_actor* self) -> caf::behavior {
      return {
        [&log, self](event& x) -> caf::result<void> {
          auto times = x.attempt > 1 ? 'x' + std::to_string(x.attempt)
                                     : std::string{};
          log.lines.push_back(x.group + '@' + std::to_string(x.offset) + times);
          log.events.push_back(std::move(x));
          switch (log.does) {
            case habit::rejects:
              return caf::make_error(errc::overloaded);
            case habit::answers_later: {
              auto promise = self->make_response_promise<void>();
              log.promises.push_back(promise);
              return promise;
            }
            case habit::dies:
              self->quit(caf::exit_reason::kill);
              [[fallthrough]];
            default:
              return caf::unit;
          }
        },
        [&log](const std::string& topic, const position& x) {
          log.lines.push_back("position " + topic + ' ' + x.epoch + '@'
                              + std::to_string(x.offset));
        },
        [&log](bool good) {
          auto promise = std::move(log.promises.front());
          log.promises.pop_front();
          if (good)
            promise.deliver();
          else
            promise.deliver(caf::make_error(errc::overloaded));
        },
        [&log](unsubscribe_atom, const std::string& topic, const position&) {
          log.lines.push_back("no longer " + topic);
        },
      };
    });
  }

  std::string join(const caf::actor& who, const std::string& topic,
                   const std::string& group = "g", const position& since = {}) {
    std::string result;
    ask(server, subscribe_atom_v, who, topic, group_options{group, since})
      .receive(
        [&](const position& where, bool whole) {
          result = where.epoch + '@' + std::to_string(where.offset)
                   + (whole ? " whole" : "");
        },
        [&](const caf::error& why) { result = words_of(why); });
    return result;
  }

  void leave(const caf::actor& who, const std::string& topic) {
    caf::anon_send(server, unsubscribe_atom_v, who, topic, std::string{"g"});
    turn();
  }

  void publish(const std::string& topic, int n = 1,
               const std::string& key = {}) {
    for (int i = 0; i < n; ++i)
      caf::anon_send(server, publish_atom_v, topic, text("x"), key);
    turn();
  }

  // Lets a worker answer what it has for longest.
  void answer_one(const caf::actor& who, bool good = true) {
    caf::anon_send(who, good);
    turn();
  }

  int64_t events() {
    return loops[0]->metrics.groups.events->value()
           + loops[1]->metrics.groups.events->value();
  }

  server_handle server;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(actors and clients share the events) {
  for (uint32_t shard : {0, 1}) {
    auto topic = name_on(shard, 2);
    notes log;
    auto who = worker(log);
    auto epoch = "run." + std::to_string(shard + 1);
    CHECK_EQ(join(who, topic), epoch + "@0");
    CHECK_EQ(join(who, topic), "already_subscribed");
    auto& alice = connect(1 - shard);
    frame_view x;
    x.type = type::subscribe;
    x.seq_id = 1;
    x.subject = topic;
    x.meta.mark(meta_key::group);
    x.meta.group = "g";
    alice.say(x);
    turn();
    alice.heard();
    publish(topic, 4, "k");
    publish(topic, 4);
    auto mine = log.events.size();
    CHECK_EQ(mine + alice.take().size(), 8u);
    CHECK(mine >= 2 && mine <= 6);
    CHECK_EQ(log.events[0].topic, topic);
    CHECK_EQ(log.events[0].group, "g");
    CHECK_EQ(text_of(log.events[0].payload), "x");
    CHECK_EQ(events(), 0);
    kill(who);
  }
}

CAF_TEST(a handler that returns has confirmed and one that fails has not ) {
  auto topic = name_on(1, 2);
  notes first;
  notes second;
  first.does = habit::rejects;
  auto one = worker(first);
  auto two = worker(second);
  join(one, topic);
  join(two, topic);
  publish(topic, 2);
  CHECK_EQ(first.heard(), "g@1");
  CHECK_EQ(second.heard(), "g@2; g@1x2");
  CHECK_EQ(events(), 0);
}

CAF_TEST(an answer may come later and another one has it where it is late) {
  auto topic = name_on(1, 2);
  notes first;
  notes second;
  first.does = habit::answers_later;
  auto one = worker(first);
  auto two = worker(second);
  join(one, topic);
  publish(topic, 3);
  // No more than it may have.
  CHECK_EQ(first.heard(), "g@1; g@2");
  answer_one(one);
  CHECK_EQ(first.heard(), "g@3");
  CHECK_EQ(events(), 2);
  pass(10s);
  // Nothing more until it has answered.
  CHECK_EQ(first.heard(), "");
  join(two, topic);
  CHECK_EQ(second.heard(), "g@2x2; g@3x2");
  CHECK_EQ(events(), 0);
  publish(topic, 4);
  CHECK_EQ(second.heard(), "g@4; g@5; g@6; g@7");
  // A late answer makes room, whatever it says.
  answer_one(one);
  answer_one(one, false);
  publish(topic, 2);
  CHECK_EQ(first.heard() + '|' + second.heard(), "g@8|g@9");
}

CAF_TEST(what nobody takes is a dead letter) {
  auto topic = name_on(0, 2);
  notes log;
  notes dead;
  log.does = habit::rejects;
  auto who = worker(log);
  auto reader = worker(dead);
  join(who, topic);
  ask(server, subscribe_atom_v, reader, "$dead/" + topic)
    .receive([](const position&) {}, [](const caf::error&) { CHECK(false); });
  publish(topic, 1, "k");
  CHECK_EQ(log.heard(), "g@1; g@1x2; g@1x3");
  REQUIRE_EQ(dead.events.size(), 1u);
  auto& x = dead.events[0];
  CHECK_EQ(x.topic, "$dead/" + topic);
  CHECK_EQ(x.origin, "g");
  CHECK_EQ(x.group, "");
  CHECK_EQ(x.key, "k");
  CHECK_EQ(x.attempt, 3u);
  CHECK_EQ(text_of(x.payload), "x");
}

CAF_TEST(what an actor had when it died is there for the next one) {
  auto topic = name_on(1, 2);
  notes log;
  log.does = habit::dies;
  auto who = worker(log);
  join(who, topic);
  publish(topic, 2);
  // It died of the first one, before it saw the second.
  CHECK_EQ(log.heard(), "g@1");
  CHECK(events() >= 1);
  log.does = habit::confirms;
  auto next = worker(log);
  CHECK(join(next, topic).ends_with(" whole"));
  auto heard = log.heard();
  CHECK(heard == "g@2x2" || heard == "g@1x2; g@2x2");
  CHECK_EQ(events(), 0);
  CHECK_EQ(loops[1]->metrics.groups.members->value(), 1);
}

CAF_TEST(an actor that leaves gets nothing more) {
  auto topic = name_on(1, 2);
  notes log;
  auto who = worker(log);
  join(who, topic);
  join(who, topic, "h");
  publish(topic);
  CHECK_EQ(log.heard(), "g@1; h@1");
  leave(who, topic);
  leave(who, topic);
  publish(topic);
  CHECK_EQ(log.heard(), "h@2");
  CHECK_EQ(join(who, topic), "run.1@1 whole");
  CHECK_EQ(log.heard(), "g@2");
}

CAF_TEST(membership does not keep an actor alive) {
  auto topic = name_on(1, 2);
  caf::weak_actor_ptr weak;
  notes log;
  {
    auto who = worker(log);
    weak = caf::actor_cast<caf::weak_actor_ptr>(who);
    join(who, topic);
    publish(topic);
  }
  turn();
  CHECK(weak.lock() == nullptr);
  CHECK_EQ(loops[1]->metrics.groups.members->value(), 0);
}

CAF_TEST(what cannot be a group is told why) {
  notes log;
  auto who = worker(log);
  CHECK_EQ(join(who, "a/+"), "bad_subject");
  CHECK_EQ(join(who, "$sys/a"), "bad_subject");
  CHECK_EQ(join(who, "a", ""), "bad_payload");
  CHECK_EQ(join(who, "a", std::string(65, 'g')), "bad_payload");
  CHECK_EQ(join(who, "a", std::string(64, 'g')), "run.1@0");
  std::string result;
  ask(server, publish_atom_v, std::string{"a"}, text("x"), std::string(65, 'k'))
    .receive([](const position&) {},
             [&](const caf::error& why) { result = words_of(why); });
  CHECK_EQ(result, "bad_payload");
}

CAF_TEST(a new group begins where its first member says) {
  auto topic = name_on(1, 2, "kept/");
  publish(topic, 3);
  notes log;
  auto who = worker(log);
  CHECK_EQ(join(who, topic, "g", {"run.1", 1}), "run.1@1 whole");
  CHECK_EQ(log.heard(), "g@2; g@3");
}

CAF_TEST(an actor is a member again when the shard has died) {
  auto topic = name_on(1, 2);
  notes log;
  auto who = worker(log);
  join(who, topic);
  publish(topic);
  log.heard();
  for (auto epoch : {"run.2", "run.3"}) {
    kill(loops[0]->brokers[1].actor);
    CHECK_EQ(log.heard(), "position " + topic + ' ' + epoch + "@0");
    publish(topic);
    CHECK_EQ(log.heard(), "g@1");
  }
  leave(who, topic);
  kill(loops[0]->brokers[1].actor);
  publish(topic);
  CHECK_EQ(log.heard(), "");
}

CAF_TEST(an actor that the new shard has no room for is told) {
  node.options.groups_max = 1;
  kill(loops[0]->brokers[1].actor);
  auto topic = name_on(1, 2);
  notes log;
  auto who = worker(log);
  join(who, topic);
  node.options.topics_max = 0;
  kill(loops[0]->brokers[1].actor);
  CHECK_EQ(log.heard(), "no longer " + topic);
}

END_FIXTURE_SCOPE()
