// Rules that change, as an application has them change; and drains with time.

#include <callboard/actors/server_actor.hpp>

#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : node_fixture {
  fixture() {
    server = start_server();
  }

  ~fixture() override {
    kill(server);
  }

  /// Returns the answer to a reload in words.
  std::string reload(std::vector<topic_rule> topics,
                     std::vector<action_rule> actions = {}) {
    std::string result;
    auto rules = caf::make_counted<rule_set>(std::move(topics),
                                             std::move(actions));
    ask(server, reload_atom_v, rules)
      .receive([&](uint64_t n) { result = std::to_string(n); },
               [&](const caf::error& why) { result = words_of(why); });
    return result;
  }

  /// Publishes as the application does.
  std::string publish(const std::string& topic) {
    std::string result;
    ask(server, publish_atom_v, topic, text("x"))
      .receive([&](const position&) { result = "done"; },
               [&](const caf::error& why) { result = words_of(why); });
    return result;
  }

  /// Returns how many events a topic has kept.
  size_t kept(const std::string& topic) {
    size_t result = 0;
    ask(server, history_atom_v, topic, history_options{})
      .receive([&](const history_page& x) { result = x.events.size(); },
               [](const caf::error& why) { CAF_FAIL(why); });
    return result;
  }

  server_handle server;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(every shard goes by the new rules) {
  CHECK_EQ(reload({{"#", {.history_size = 5}}}), "0");
  for (uint32_t shard : {0, 1}) {
    auto topic = name_on(shard, 2);
    publish(topic);
    publish(topic);
    CHECK_EQ(kept(topic), 2u);
  }
  CHECK_EQ(reload({}), "0");
  for (uint32_t shard : {0, 1})
    CHECK_EQ(kept(name_on(shard, 2)), 0u);
}

CAF_TEST(a shard that dies before it has the rules has a successor with them) {
  // It ends first, and the head hears of that behind the rules.
  caf::anon_send_exit(loops[0]->brokers[1].actor, caf::exit_reason::kill);
  CHECK_EQ(reload({{"#", {.history_size = 5}}}), "0");
  CHECK_EQ(restarts, std::vector<std::string>{"broker 1"});
  for (uint32_t shard : {0, 1}) {
    auto topic = name_on(shard, 2);
    publish(topic);
    CHECK_EQ(kept(topic), 1u);
  }
}

CAF_TEST(every router goes by the new rules and so does its successor) {
  CHECK_EQ(reload({}, {{"#", {.rate = {1}}}}), "0");
  auto& bob = connect();
  auto& alice = connect();
  uint32_t seq_id = 0;
  auto ask_twice = [&](const std::string& action) {
    alice.say(type::request, ++seq_id, action);
    turn();
    CHECK_EQ(alice.heard(), "");
    ++seq_id;
    CHECK_EQ(say(alice, type::request, seq_id, action),
             "error " + std::to_string(seq_id) + " rate_limited");
  };
  for (uint32_t shard : {0, 1}) {
    bob.say(type::register_action, shard + 1, name_on(shard, 2));
    turn();
    ask_twice(name_on(shard, 2));
  }
  kill(loops[0]->routers[1].actor);
  CHECK_EQ(restarts, std::vector<std::string>{"router 1"});
  CHECK_EQ(alice.heard(), "error 3 internal");
  ask_twice(name_on(1, 2));
}

CAF_TEST(what limits clients does not limit the application) {
  reload({{"a",
           {.payload_bytes_max = 1,
            .publish_rate = 1,
            .publishers = publishers::server}}});
  for (int i = 0; i < 5; ++i)
    CHECK_EQ(publish("a"), "done");
  auto& x = connect();
  x.publish("a", "x", 1);
  turn();
  CHECK_EQ(x.heard(), "error 1 forbidden");
}

CAF_TEST(an application drains with time) {
  auto& x = connect();
  auto done = self->request(server, caf::infinite, drain_atom_v,
                            caf::timespan{10s});
  turn();
  CHECK(node.draining);
  CHECK(x.alive());
  pass(10ms);
  CHECK_EQ(x.close_code(), 4004);
  auto answered = false;
  done.receive([&] { answered = true; },
               [](const caf::error& e) { CAF_FAIL(e); });
  CHECK(answered);
}

END_FIXTURE_SCOPE()
