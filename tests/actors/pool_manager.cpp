#include <callboard/actors/pool_manager.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture : node_fixture {
  fixture() {
    start(2);
  }

  /// Returns the actor ID of connection `id`, or the error.
  std::string find(connection_id id) {
    std::string result;
    ask(pool, lookup_atom_v, id)
      .receive(
        [&](const caf::strong_actor_ptr& x) {
          result = std::to_string(x->id());
        },
        [&](const caf::error& x) { result = words_of(x); });
    return result;
  }

  std::vector<caf::actor_id> find(const std::string& user) {
    std::vector<caf::actor_id> result;
    ask(pool, lookup_atom_v, user)
      .receive(
        [&](const std::vector<caf::strong_actor_ptr>& xs) {
          for (auto& x : xs)
            result.push_back(x->id());
        },
        [](const caf::error& x) { CAF_FAIL(x); });
    std::ranges::sort(result);
    return result;
  }

  caf::actor watcher(std::vector<std::string>& lines) {
    return sys.spawn([&lines] {
      return caf::behavior{[&lines](const lifecycle_event& x) {
        lines.push_back(to_string(x.kind) + ' ' + x.name);
      }};
    });
  }

  void lose(client& x) {
    x->enter([&] { x->lost(1001, "bye"); });
    turn();
  }

  using lines = std::vector<std::string>;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(connections are found by number) {
  auto& x = connect(0);
  auto& y = connect(1);
  CHECK_EQ(find(1), std::to_string(x.handle.id()));
  CHECK_EQ(find(2), std::to_string(y.handle.id()));
  CHECK_EQ(find(3), "no_responder");
  lose(x);
  CHECK_EQ(find(1), "no_responder");
  CHECK_EQ(find(2), std::to_string(y.handle.id()));
}

CAF_TEST(connections are found by user) {
  auto& x = connect(0, "alice");
  auto& y = connect(1, "alice");
  auto& z = connect(0, "bob");
  connect(0);
  std::vector<caf::actor_id> both{x.handle.id(), y.handle.id()};
  std::ranges::sort(both);
  CHECK_EQ(find("alice"), both);
  CHECK_EQ(find("bob"), std::vector<caf::actor_id>{z.handle.id()});
  CHECK(find("carol").empty());
  // Those who are not logged in are nobody's.
  CHECK(find("").empty());
  lose(x);
  CHECK_EQ(find("alice"), std::vector<caf::actor_id>{y.handle.id()});
  lose(y);
  CHECK(find("alice").empty());
}

CAF_TEST(who must log in first is found when it has) {
  node.rights.authenticate = [](auto&) -> caf::expected<identity> {
    return identity{"alice"};
  };
  auto& x = open(0, {}, true);
  CHECK_EQ(find(1), "no_responder");
  x.say(frame_type::connect, 1, "", *payload::from_json("{\"token\":\"t\"}"));
  turn();
  CHECK_EQ(find(1), std::to_string(x.handle.id()));
  CHECK_EQ(find("alice").size(), 1u);
}

CAF_TEST(watchers are told until they unwatch or die) {
  lines first;
  lines second;
  auto one = watcher(first);
  auto two = watcher(second);
  CHECK(!node.watched);
  for (auto& x : {one, two, one})
    caf::anon_send(pool, watch_atom_v, x);
  turn();
  CHECK(node.watched);
  auto& x = connect();
  CHECK_EQ(first, lines{"connected n-1"});
  CHECK_EQ(second, lines{"connected n-1"});
  caf::anon_send(pool, unwatch_atom_v, one);
  turn();
  CHECK(node.watched);
  lose(x);
  CHECK_EQ(first.size(), 1u);
  CHECK_EQ(second, (lines{"connected n-1", "disconnected n-1"}));
  kill(two);
  CHECK(!node.watched);
  connect();
  CHECK_EQ(second.size(), 2u);
  kill(one);
}

// -- draining -----------------------------------------------------------------

CAF_TEST(an empty node is drained at once) {
  auto done = false;
  ask(pool, drain_atom_v)
    .receive([&] { done = true; }, [](const caf::error& x) { CAF_FAIL(x); });
  CHECK(done);
  CHECK(node.draining);
}

CAF_TEST(a drain says goaway to all and is over when the last is gone) {
  auto& x = connect(0);
  auto& y = connect(1);
  auto& late = open(0, {}, true);
  auto done = 0;
  auto waiter = sys.spawn([&done, this](caf::event_based_actor* me) {
    me->request(pool, caf::infinite, drain_atom_v).then([&done] { ++done; });
  });
  // The pool has told them, and they have not yet heard it.
  sched.run_once();
  while (!node.draining)
    sched.run_once();
  CHECK_EQ(done, 0);
  turn();
  CHECK_EQ(done, 1);
  for (auto* c : {&x, &y}) {
    CHECK_EQ(c->close_code(), 4004);
    CHECK_EQ(c->heard(), "goaway {\"reason\":\"draining\","
                         "\"reconnect\":\"backoff\",\"afterMs\":0,"
                         "\"spreadMs\":0}");
  }
  // Who is not connected yet is the listener's to close.
  CHECK(late.alive());
  kill(waiter);
}

CAF_TEST(who connects while the node drains is sent away as well) {
  auto& x = connect(0);
  // One that never goes by itself keeps the drain waiting.
  auto stubborn = sys.spawn([] {
    return caf::behavior{
      [](callboard::close_atom, uint16_t, const std::string&) {}};
  });
  lifecycle_event life;
  life.connection = 99;
  caf::anon_send(pool, opened_atom_v,
                 caf::actor_cast<caf::strong_actor_ptr>(stubborn), life);
  turn();
  auto done = self->request(pool, caf::infinite, drain_atom_v);
  turn();
  CHECK_EQ(x.close_code(), 4004);
  auto& y = open(1);
  turn();
  CHECK_EQ(y.close_code(), 4004);
  auto answered = false;
  kill(stubborn);
  done.receive([&] { answered = true; },
               [](const caf::error& e) { CAF_FAIL(e); });
  CHECK(answered);
}

CAF_TEST(who connects when the drain is over is sent away as well) {
  auto& x = connect(0);
  ask(pool, drain_atom_v)
    .receive([] {}, [](const caf::error& e) { CAF_FAIL(e); });
  CHECK_EQ(x.close_code(), 4004);
  auto& y = open(1);
  CHECK_EQ(y.close_code(), 4004);
  auto frames = y.take();
  CAF_REQUIRE_EQUAL(frames.size(), 2u);
  CHECK(frames[0].type == frame_type::welcome);
  CHECK(frames[1].type == frame_type::goaway);
  CHECK_EQ(find(2), "no_responder");
}

CAF_TEST(a drain with time is paced in the order in which all came) {
  constexpr size_t n = 40;
  for (size_t i = 0; i < n; ++i)
    connect(static_cast<uint32_t>(i % 2));
  auto done = self->request(pool, caf::infinite, drain_atom_v,
                            caf::timespan{400ms});
  turn();
  CHECK(node.draining);
  auto closed = [this] {
    size_t result = 0;
    while (result < n && clients[result]->close_code() == 4004)
      ++result;
    // None behind one who is still there.
    for (auto i = result; i < n; ++i)
      CHECK_EQ(clients[i]->close_code(), 0);
    return result;
  };
  CHECK_EQ(closed(), 0u);
  pass(9ms);
  CHECK_EQ(closed(), 0u);
  pass(1ms);
  for (size_t t = 10; t < 300; t += 10) {
    CHECK_EQ(closed(), n * t / 300);
    pass(10ms);
  }
  CHECK_EQ(closed(), n);
  CHECK_EQ(clients[0]->heard(),
           "goaway {\"reason\":\"draining\",\"reconnect\":\"backoff\","
           "\"afterMs\":0,\"spreadMs\":1000}");
  auto answered = false;
  done.receive([&] { answered = true; },
               [](const caf::error& x) { CAF_FAIL(x); });
  CHECK(answered);
  // The pool looks at nobody any more.
  auto timers = sched.clock().schedule.size();
  pass(20ms);
  CHECK_EQ(sched.clock().schedule.size(), timers - 1);
}

CAF_TEST(who is let in as a drain with time begins goes like the others) {
  auto& alice = connect();
  auto& bob = connect();
  say(bob, frame_type::register_action, 1, "sum");
  say(alice, frame_type::request, 2, "sum");
  caf::anon_send(pool, drain_atom_v, caf::timespan{1s});
  turn();
  auto& late = open(1);
  auto heard = late.heard();
  CHECK(heard.starts_with("welcome"));
  CHECK(heard.ends_with("\"spreadMs\":1000}"));
  CHECK_EQ(late.close_code(), 4004);
  // From nine tenths on there is no time any more.
  pass(900ms);
  auto& later = open(1);
  CHECK_EQ(later.close_code(), 4004);
}

CAF_TEST(who goes by itself leaves the others their time) {
  auto& x = connect();
  connect();
  auto& z = connect();
  lose(x);
  caf::anon_send(pool, drain_atom_v, caf::timespan{10s});
  turn();
  pass(10ms);
  CHECK_EQ(clients[1]->close_code(), 4004);
  lose(z);
  pass(10ms);
  CHECK_EQ(find(1), "no_responder");
  CHECK_EQ(find(3), "no_responder");
}

CAF_TEST(requests in flight are answered before the close) {
  auto& alice = connect();
  auto& bob = connect();
  auto& carol = connect(1);
  say(bob, frame_type::register_action, 1, "sum");
  say(alice, frame_type::request, 2, "sum");
  auto asked = bob.take();
  REQUIRE_EQ(asked.size(), 1u);
  auto done = self->request(pool, caf::infinite, drain_atom_v,
                            caf::timespan{10s});
  turn();
  pass(30ms);
  CHECK_EQ(carol.close_code(), 4004);
  CHECK(alice.alive());
  CHECK(bob.alive());
  pass(5s);
  CHECK(alice.alive());
  alice.heard();
  say(bob, frame_type::response, asked[0].seq_id, "", text("three"));
  CHECK_EQ(alice.heard(), "response 2 \"three\"");
  CHECK_EQ(alice.close_code(), 4004);
  CHECK_EQ(bob.close_code(), 4004);
  auto answered = false;
  done.receive([&] { answered = true; },
               [](const caf::error& x) { CAF_FAIL(x); });
  CHECK(answered);
}

CAF_TEST(who still waits near the end is closed) {
  auto& alice = connect();
  auto& bob = connect();
  say(bob, frame_type::register_action, 1, "sum");
  say(alice, frame_type::request, 2, "sum");
  caf::anon_send(pool, drain_atom_v, caf::timespan{1s});
  turn();
  pass(899ms);
  CHECK(alice.alive());
  CHECK(bob.alive());
  pass(1ms);
  CHECK_EQ(alice.close_code(), 4004);
  CHECK_EQ(bob.close_code(), 4004);
}

CAF_TEST(a second drain without time closes all at once) {
  auto& alice = connect();
  auto& bob = connect();
  say(bob, frame_type::register_action, 1, "sum");
  say(alice, frame_type::request, 2, "sum");
  auto done = 0;
  auto waiter = sys.spawn([&done, this](caf::event_based_actor* me) {
    me->request(pool, caf::infinite, drain_atom_v, caf::timespan{10s})
      .then([&done] { ++done; });
    me->request(pool, caf::infinite, drain_atom_v).then([&done] { ++done; });
  });
  turn();
  CHECK_EQ(alice.close_code(), 4004);
  CHECK_EQ(bob.close_code(), 4004);
  CHECK_EQ(done, 2);
  kill(waiter);
}

END_FIXTURE_SCOPE()
