#include <callboard/actors/server_actor.hpp>

#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

/// The server actor on a node whose shards it has made itself.
struct fixture : node_fixture {
  fixture() {
    server = start_server();
  }

  ~fixture() override {
    kill(server);
  }

  /// Asks the server and returns its position, payload or error in words.
  template <class... Ts>
  std::string position_of(Ts&&... xs) {
    std::string result;
    ask(server, std::forward<Ts>(xs)...)
      .receive(
        [&](const position& x) {
          result = x.epoch + '@' + std::to_string(x.offset);
        },
        [&](const caf::error& x) { result = words_of(x); });
    return result;
  }

  template <class... Ts>
  std::string done(Ts&&... xs) {
    std::string result;
    ask(server, std::forward<Ts>(xs)...)
      .receive([&] { result = "done"; },
               [&](const caf::error& x) { result = words_of(x); });
    return result;
  }

  template <class Handle>
  static std::string result_of(Handle&& x) {
    std::string result;
    x.receive([&](const payload& y) { result = text_of(y); },
              [&](const caf::error& y) { result = words_of(y); });
    return result;
  }

  template <class... Ts>
  std::string answer_of(Ts&&... xs) {
    return result_of(ask(server, std::forward<Ts>(xs)...));
  }

  /// Spawns an actor that answers every request with `word`.
  caf::actor responder(const std::string& word) {
    return sys.spawn([word] {
      return caf::behavior{
        [word](const action_request& x) { return text(word + x.action); }};
    });
  }

  server_handle server;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- shards -------------------------------------------------------------------

CAF_TEST(every loop has the shards of all) {
  for (auto& ctx : loops) {
    REQUIRE(ctx->heartbeats != nullptr);
    for (uint32_t i = 0; i < 2; ++i) {
      REQUIRE(ctx->brokers[i].actor != nullptr);
      REQUIRE(ctx->routers[i].actor != nullptr);
      CHECK_EQ(ctx->brokers[i].actor, loops[0]->brokers[i].actor);
      CHECK_EQ(ctx->routers[i].actor, loops[0]->routers[i].actor);
    }
    CHECK_NE(ctx->brokers[0].actor, ctx->brokers[1].actor);
    CHECK_NE(ctx->routers[0].actor, ctx->routers[1].actor);
  }
  CHECK_NE(loops[0]->heartbeats, loops[1]->heartbeats);
  CHECK(restarts.empty());
}

CAF_TEST(a shard that dies is made again and serves on) {
  auto& alice = connect(0);
  auto& bob = connect(1);
  auto topic = name_on(1, 2);
  say(alice, type::subscribe, 1, topic);
  for (auto round : {1, 2}) {
    auto old = loops[0]->brokers[1].actor;
    kill(old);
    CHECK_NE(loops[0]->brokers[1].actor, old);
    CHECK_EQ(loops[0]->brokers[1].actor, loops[1]->brokers[1].actor);
    CHECK_EQ(restarts.size(), static_cast<size_t>(round));
    CHECK_EQ(restarts.back(), "broker 1");
    CHECK(alice.heard().starts_with("position " + topic));
    bob.publish(topic, "hi");
    turn();
    CHECK_EQ(alice.heard(), "event " + topic + " @1 \"hi\"");
  }
  auto old = loops[1]->heartbeats;
  kill(old);
  CHECK_NE(loops[1]->heartbeats, old);
  CHECK_EQ(restarts.back(), "heartbeat_monitor 1");
  kill(loops[0]->routers[0].actor);
  CHECK_EQ(restarts.back(), "router 0");
  CHECK_EQ(restarts.size(), 4u);
}

CAF_TEST(what embedded actors serve survives the router) {
  std::vector<std::string> actions{name_on(0, 2, "a"), name_on(1, 2, "a")};
  auto who = responder("it ");
  for (auto& x : actions)
    CHECK_EQ(done(register_atom_v, x, who), "done");
  auto& x = connect(1);
  for (uint32_t shard : {0, 1}) {
    kill(loops[0]->routers[shard].actor);
    for (auto& action : actions)
      CHECK_EQ(say(x, type::request, 1, action),
               "response 1 \"it " + action + "\"");
  }
  CHECK_EQ(done(unregister_atom_v, actions[0], who), "done");
  kill(loops[0]->routers[0].actor);
  CHECK_EQ(say(x, type::request, 1, actions[0]), "error 1 no_responder");
  // One that has died is not registered again.
  kill(who);
  CHECK_EQ(say(x, type::request, 1, actions[1]), "error 1 no_responder");
  kill(loops[0]->routers[1].actor);
  CHECK_EQ(say(x, type::request, 1, actions[1]), "error 1 no_responder");
}

CAF_TEST(without the pool manager there is no server) {
  auto& x = connect();
  auto ends = 0;
  auto watcher = sys.spawn([&](caf::event_based_actor* me) {
    me->set_down_handler([&](const caf::down_msg&) { ++ends; });
    me->monitor(server);
    return caf::behavior{[](int) {}};
  });
  turn();
  kill(pool);
  CHECK_EQ(ends, 1);
  CHECK(x.alive());
  kill(watcher);
}

// -- topics -------------------------------------------------------------------

CAF_TEST(applications publish with and without an answer) {
  auto& x = connect();
  say(x, type::subscribe, 1, "a");
  CHECK_EQ(position_of(publish_atom_v, std::string{"a"}, text("one")),
           "run.1@1");
  CHECK_EQ(x.heard(), "event a @1 \"one\"");
  caf::anon_send(server, publish_atom_v, std::string{"a"}, text("two"));
  turn();
  CHECK_EQ(x.heard(), "event a @2 \"two\"");
  CHECK_EQ(position_of(publish_atom_v, std::string{"a/+"}, text("x")),
           "bad_subject");
  auto& waiting = *loops[0]->brokers[shard_of("a", 2)].waiting;
  waiting.add(static_cast<int64_t>(node.options.shard_bytes_max) + 1);
  CHECK_EQ(position_of(publish_atom_v, std::string{"a"}, text("x")),
           "overloaded");
  CHECK_EQ(x.heard(), "");
}

CAF_TEST(applications subscribe actors and take it back) {
  std::vector<std::string> events;
  auto who = sys.spawn([&events] {
    return caf::behavior{
      [&events](const event& x) { events.push_back(text_of(x.payload)); }};
  });
  CHECK_EQ(position_of(subscribe_atom_v, who, std::string{"a"}), "run.1@0");
  connect().publish("a", "one");
  turn();
  CHECK_EQ(events, std::vector<std::string>{"one"});
  CHECK_EQ(done(unsubscribe_atom_v, who, std::string{"a"}), "done");
  clients[0]->publish("a", "two");
  turn();
  CHECK_EQ(events.size(), 1u);
  kill(who);
}

// -- requests -----------------------------------------------------------------

CAF_TEST(applications ask whoever answers the action) {
  auto who = responder("r ");
  CHECK_EQ(answer_of(request_atom_v, std::string{"sum"}, text("?"),
                     caf::timespan{1s}),
           "no_responder");
  done(register_atom_v, std::string{"sum"}, who);
  CHECK_EQ(answer_of(request_atom_v, std::string{"sum"}, text("?"),
                     caf::timespan{1s}),
           "r sum");
  CHECK_EQ(done(register_atom_v, std::string{"a//b"}, who), "bad_subject");
  CHECK_EQ(done(register_atom_v, std::string{"callboard.x"}, who),
           "bad_subject");
  kill(who);
}

CAF_TEST(applications ask a client that answers the action) {
  auto& x = connect();
  say(x, type::register_action, 1, "sum");
  x.heard();
  auto asked = ask(server, request_atom_v, std::string{"sum"}, text("?"),
                   caf::timespan{1s});
  CHECK_EQ(x.heard(), "request 1 sum \"?\"");
  say(x, type::response, 1, "", text("three"));
  CHECK_EQ(result_of(asked), "three");
}

CAF_TEST(applications ask the client of a connection or of a user) {
  auto& x = connect(1, "alice");
  auto one = ask(server, request_atom_v, connection_id{1}, std::string{"sum"},
                 text("?"), caf::timespan{1s});
  auto two = ask(server, request_atom_v, std::string{"alice"},
                 std::string{"sum"}, text("?"), caf::timespan{1s});
  CHECK_EQ(x.heard(), "request 1 sum \"?\"; request 2 sum \"?\"");
  say(x, type::response, 1, "", text("one"));
  say(x, type::response, 2, "", text("two"));
  CHECK_EQ(result_of(one), "one");
  CHECK_EQ(result_of(two), "two");
  CHECK_EQ(answer_of(request_atom_v, connection_id{9}, std::string{"sum"},
                     text("?"), caf::timespan{1s}),
           "no_responder");
  CHECK_EQ(answer_of(request_atom_v, std::string{"bob"}, std::string{"sum"},
                     text("?"), caf::timespan{1s}),
           "no_responder");
}

// -- connections --------------------------------------------------------------

CAF_TEST(applications watch close and drain connections) {
  std::vector<std::string> lives;
  auto who = sys.spawn([&lives] {
    return caf::behavior{[&lives](const lifecycle_event& x) {
      lives.push_back(to_string(x.kind) + ' ' + std::to_string(x.code));
    }};
  });
  CHECK_EQ(done(watch_atom_v, who), "done");
  auto& x = connect();
  auto& y = connect(1);
  CHECK_EQ(done(callboard::close_atom_v, connection_id{1}, uint16_t{4503},
                std::string{"out"}),
           "done");
  CHECK_EQ(x.close_code(), 4503);
  CHECK_EQ(lives, (std::vector<std::string>{"connected 0", "connected 0",
                                            "disconnected 4503"}));
  CHECK_EQ(done(callboard::close_atom_v, connection_id{1}, uint16_t{4503},
                std::string{"out"}),
           "no_responder");
  CHECK_EQ(done(unwatch_atom_v, who), "done");
  CHECK_EQ(done(drain_atom_v), "done");
  CHECK_EQ(y.close_code(), 4004);
  CHECK_EQ(lives.size(), 3u);
  kill(who);
}

END_FIXTURE_SCOPE()
