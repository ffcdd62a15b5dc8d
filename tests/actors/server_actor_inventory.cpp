// What a node tells of itself: connections and topics, by pages.

#include <callboard/actors/server_actor.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>
#include <caf/response_promise.hpp>
#include <caf/typed_response_promise.hpp>

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

  connection_page connections(connection_query x) {
    connection_page result;
    ask(server, lookup_atom_v, std::move(x))
      .receive([&](connection_page& page) { result = std::move(page); },
               [](const caf::error& why) { CAF_FAIL(why); });
    return result;
  }

  /// Returns a page's numbers, and behind which one the next begins.
  std::string ids(connection_query x) {
    auto page = connections(std::move(x));
    std::string result;
    for (auto& y : page.connections)
      result += std::to_string(y.id) + ' ';
    return result + "next " + std::to_string(page.next);
  }

  topic_page topics(topic_query x) {
    topic_page result;
    auto answer = self->request(server, caf::infinite, lookup_atom_v,
                                std::move(x));
    // A shard looks at its topics in steps.
    turn();
    pass(100ms);
    answer.receive([&](topic_page& page) { result = std::move(page); },
                   [](const caf::error& why) { CAF_FAIL(why); });
    return result;
  }

  std::string names(topic_query x) {
    auto page = topics(std::move(x));
    std::string result;
    for (auto& y : page.topics)
      result += y.topic + ' ';
    return result + "next " + page.next;
  }

  /// Publishes and returns its place, or the error.
  std::string publish(const std::string& topic, publish_options x = {}) {
    std::string result;
    ask(server, publish_atom_v, topic, text("x"), std::move(x))
      .receive(
        [&](const position& y) {
          result = y.epoch + '@' + std::to_string(y.offset);
        },
        [&](const caf::error& y) { result = words_of(y); });
    return result;
  }

  uint64_t close(const std::string& user) {
    uint64_t result = 0;
    ask(server, callboard::close_atom_v, user, uint16_t{4503},
        std::string{"kicked"})
      .receive([&](uint64_t n) { result = n; },
               [](const caf::error& why) { CAF_FAIL(why); });
    return result;
  }

  /// Adds connections, from the number 1 on, that take 1900 ms to answer.
  void add_slow(connection_id n);

  /// Asks for all connections. What comes is in words, and empty before.
  std::shared_ptr<std::string> count_connections() {
    auto result = std::make_shared<std::string>();
    sys.spawn([result, to = server](caf::event_based_actor* me) {
      me->request(to, caf::infinite, lookup_atom_v,
                  connection_query{0, 1000, ""})
        .then(
          [result](const connection_page& x) {
            *result = std::to_string(x.connections.size());
          },
          [result](const caf::error& x) { *result = words_of(x); });
    });
    turn();
    return result;
  }

  void kill_slow() {
    for (auto& x : slow_ones)
      caf::anon_send_exit(x, caf::exit_reason::kill);
    turn();
  }

  server_handle server;
  std::vector<caf::actor> slow_ones;
};

/// A connection that answers nothing, ever.
caf::behavior mute(caf::event_based_actor* me) {
  auto kept = std::make_shared<std::vector<caf::response_promise>>();
  return caf::behavior{[=](lookup_atom) {
    auto promise = me->make_response_promise();
    kept->push_back(promise);
    return promise;
  }};
}

/// One that takes its time.
caf::behavior slow(caf::event_based_actor* me, connection_id id) {
  return caf::behavior{[=](lookup_atom) -> caf::result<connection_facts> {
    auto promise = me->make_response_promise<connection_facts>();
    me->run_delayed(1900ms, [promise, id]() mutable {
      connection_facts x;
      x.id = id;
      promise.deliver(std::move(x));
    });
    return promise;
  }};
}

void fixture::add_slow(connection_id n) {
  for (connection_id id = 1; id <= n; ++id) {
    auto& x = slow_ones.emplace_back(sys.spawn(slow, id));
    lifecycle_event life;
    life.connection = id;
    caf::anon_send(pool, opened_atom_v,
                   caf::actor_cast<caf::strong_actor_ptr>(x), life);
  }
  turn();
}

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- connections --------------------------------------------------------------

CAF_TEST(connections come in order and by pages) {
  for (uint32_t i = 0; i < 5; ++i)
    connect(i % 2);
  CHECK_EQ(ids({0, 100, ""}), "1 2 3 4 5 next 0");
  CHECK_EQ(ids({0, 5, ""}), "1 2 3 4 5 next 0");
  CHECK_EQ(ids({0, 4, ""}), "1 2 3 4 next 4");
  CHECK_EQ(ids({4, 4, ""}), "5 next 0");
  CHECK_EQ(ids({5, 4, ""}), "next 0");
  CHECK_EQ(ids({0, 0, ""}), "1 next 1");
  kill(clients[1]->handle);
  CHECK_EQ(ids({0, 3, ""}), "1 3 4 next 4");
}

CAF_TEST(connections of a user come in the same way) {
  for (auto user : {"ann", "bob", "ann", "ann", "bob"})
    connect(0, user);
  CHECK_EQ(ids({0, 100, "ann"}), "1 3 4 next 0");
  CHECK_EQ(ids({0, 2, "ann"}), "1 3 next 3");
  CHECK_EQ(ids({3, 2, "ann"}), "4 next 0");
  CHECK_EQ(ids({0, 2, "bob"}), "2 5 next 0");
  CHECK_EQ(ids({0, 2, "carol"}), "next 0");
}

CAF_TEST(more than are asked at a time) {
  for (auto i = 0; i < 205; ++i)
    connect();
  auto page = connections({0, 1000, ""});
  REQUIRE(page.connections.size() == 205u);
  for (size_t i = 0; i < 205; ++i)
    CHECK_EQ(page.connections[i].id, i + 1);
  CHECK_EQ(page.next, 0u);
}

CAF_TEST(a connection tells of itself) {
  auto& x = connect(1, "ann");
  say(x, type::subscribe, 1, "a");
  say(x, type::subscribe, 2, "b/+");
  pass(3s);
  auto page = connections({});
  REQUIRE(page.connections.size() == 1u);
  auto& y = page.connections[0];
  CHECK_EQ(y.id, 1u);
  CHECK_EQ(y.name, "n-1");
  CHECK_EQ(y.user, "ann");
  CHECK_EQ(y.tenant, "");
  CHECK_EQ(y.address, "192.0.2.1");
  CHECK_EQ(y.state, "connected");
  CHECK_EQ(y.loop, 1u);
  // The user's own topic does not count.
  CHECK_EQ(y.subscriptions, 2u);
  CHECK_EQ(y.inflight, 0u);
  CHECK_EQ(y.outbox_bytes, 0u);
  CHECK_EQ(y.idle_ms, 3000);
}

CAF_TEST(what waits for a connection is told) {
  auto& x = connect();
  say(x, type::subscribe, 1, "a");
  x.socket.stuck = true;
  publish("a");
  say(x, type::request, 2, "nobody");
  auto page = connections({});
  REQUIRE(page.connections.size() == 1u);
  CHECK(page.connections[0].outbox_bytes > 0);
}

CAF_TEST(who does not answer does not keep others waiting for ever) {
  connect();
  auto silent = sys.spawn(mute);
  lifecycle_event life;
  life.connection = 99;
  caf::anon_send(pool, opened_atom_v,
                 caf::actor_cast<caf::strong_actor_ptr>(silent), life);
  turn();
  std::string result;
  auto answer = ask(server, lookup_atom_v, connection_query{});
  pass(2s);
  answer.receive([&](const connection_page&) { result = "page"; },
                 [&](const caf::error& why) { result = words_of(why); });
  CHECK_EQ(result, "timeout");
  // One that has ended is left out.
  kill(silent);
  CHECK_EQ(ids({}), "1 next 0");
}

CAF_TEST(a page that takes long comes within its time) {
  // A hundred after the other.
  add_slow(200);
  auto result = count_connections();
  pass(3799ms);
  CHECK_EQ(*result, "");
  pass(1ms);
  CHECK_EQ(*result, "200");
  kill_slow();
}

CAF_TEST(a page that takes too long comes not at all) {
  add_slow(201);
  auto result = count_connections();
  pass(3999ms);
  CHECK_EQ(*result, "");
  pass(1ms);
  CHECK_EQ(*result, "timeout");
  kill_slow();
}

CAF_TEST(all connections of a user are closed) {
  auto& a = connect(0, "ann");
  auto& b = connect(1, "ann");
  auto& c = connect(1, "bob");
  CHECK_EQ(close("ann"), 2u);
  CHECK_EQ(a.close_code(), 4503);
  CHECK_EQ(b.close_code(), 4503);
  CHECK(c.alive());
  CHECK_EQ(close("ann"), 0u);
  CHECK_EQ(close("carol"), 0u);
  CHECK(c.alive());
}

// -- topics -------------------------------------------------------------------

CAF_TEST(topics of all shards come in order and by pages) {
  CHECK_EQ(names({}), "next ");
  for (auto topic : {"d", "b", "a", "c", "e"})
    publish(topic);
  CHECK_EQ(names({"", 100, ""}), "a b c d e next ");
  CHECK_EQ(names({"", 5, ""}), "a b c d e next ");
  CHECK_EQ(names({"", 4, ""}), "a b c d next d");
  CHECK_EQ(names({"d", 4, ""}), "e next ");
  CHECK_EQ(names({"e", 4, ""}), "next ");
  CHECK_EQ(names({"", 1, ""}), "a next a");
  // As many on each shard as a page has.
  std::vector<std::string> sorted;
  for (uint32_t shard : {0, 1})
    for (auto prefix : {"x", "y"})
      sorted.push_back(name_on(shard, 2, prefix));
  std::ranges::sort(sorted);
  for (auto& x : sorted)
    publish(x);
  CHECK_EQ(names({"e", 2, ""}),
           sorted[0] + ' ' + sorted[1] + " next " + sorted[1]);
  CHECK_EQ(names({sorted[1], 2, ""}), sorted[2] + ' ' + sorted[3] + " next ");
}

CAF_TEST(a pattern chooses topics) {
  for (auto topic : {"a/x", "a/y", "b"})
    publish(topic);
  CHECK_EQ(names({"", 100, "a/+"}), "a/x a/y next ");
  CHECK_EQ(names({"", 1, "a/+"}), "a/x next a/x");
  CHECK_EQ(names({"a/x", 1, "a/+"}), "a/y next ");
}

CAF_TEST(a topic is told with its subscribers on all loops) {
  publish("a");
  publish("a");
  for (uint32_t loop : {0, 1, 1})
    say(connect(loop), type::subscribe, 1, "a");
  // By a pattern it is none of the topic's own.
  say(connect(0), type::subscribe, 1, "#");
  auto page = topics({});
  REQUIRE(page.topics.size() == 1u);
  auto& x = page.topics[0];
  CHECK_EQ(x.topic, "a");
  CHECK_EQ(x.epoch, "run.1");
  CHECK_EQ(x.offset, 2u);
  CHECK_EQ(x.subscribers, 3u);
  CHECK_EQ(x.history_events, 0u);
}

// -- publications -------------------------------------------------------------

CAF_TEST(an id is accepted once) {
  CHECK_EQ(publish("a", {"", "1"}), "run.1@1");
  CHECK_EQ(publish("a", {"", "1"}), "run.1@1");
  CHECK_EQ(publish("a", {"", "2"}), "run.1@2");
  CHECK_EQ(publish("a"), "run.1@3");
}

CAF_TEST(ids and keys are bounded) {
  std::string longest(64, 'x');
  CHECK_EQ(publish("a", {longest, longest}), "run.1@1");
  CHECK_EQ(publish("a", {longest + 'x', ""}), "bad_payload");
  CHECK_EQ(publish("a", {"", longest + 'x'}), "bad_payload");
}

END_FIXTURE_SCOPE()
