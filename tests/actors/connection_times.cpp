#include <callboard/actors/connection.hpp>

#include <set>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : node_fixture {
  // In how many milliseconds a connection's time runs out.
  int64_t left(client& x) const {
    return x->expires_ms() - loops[0]->steady_ms;
  }

  void expire(client& x) {
    x->enter([&] { x->expire(); });
    turn();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(connection_times_tests, fixture)

CAF_TEST(without limits a connection has no end) {
  start();
  CHECK_EQ(connect()->expires_ms(), 0);
}

// -- idle
// -----------------------------------------------------------------------

CAF_TEST(a frame that is no heartbeat puts the idle end off) {
  node.options.idle_timeout = 10s;
  start();
  auto& x = connect();
  CHECK_EQ(left(x), 10'000);
  pass(4s);
  CHECK_EQ(left(x), 6'000);
  say(x, type::ping, 1);
  CHECK_EQ(left(x), 6'000);
  say(x, type::publish, 0, "news");
  CHECK_EQ(left(x), 10'000);
}

CAF_TEST(who waits for something is not idle) {
  node.options.idle_timeout = 10s;
  start();
  auto& x = connect();
  pass(4s);
  say(x, type::subscribe, 1, "news");
  pass(20s);
  CHECK_EQ(left(x), 10'000);
  say(x, type::unsubscribe, 2, "news");
  pass(4s);
  CHECK_EQ(left(x), 6'000);
  say(x, type::register_action, 3, "add");
  pass(20s);
  CHECK_EQ(left(x), 10'000);
}

CAF_TEST(who was answered has waited until then) {
  node.options.idle_timeout = 10s;
  start();
  auto& responder = connect();
  say(responder, type::register_action, 1, "sum");
  auto& x = connect();
  say(x, type::request, 1, "sum");
  pass(9s);
  CHECK_EQ(left(x), 10'000);
  responder.say(type::response, 1);
  turn();
  CHECK_EQ(x.heard().substr(0, 10), "response 1");
  CHECK_EQ(left(x), 10'000);
  pass(4s);
  CHECK_EQ(left(x), 6'000);
}

CAF_TEST(who is idle for too long is closed with 4001) {
  node.options.idle_timeout = 10s;
  start();
  auto& x = connect();
  pass(10s);
  expire(x);
  CHECK_EQ(x.close_code(), 4001);
  CHECK_EQ(x.socket.close_reason, "idle_timeout");
  CHECK(!x.alive());
}

CAF_TEST(who has not logged in yet is not idle) {
  node.options.idle_timeout = 10s;
  node.rights.authenticate = [](const credentials&) -> caf::expected<identity> {
    return identity{"ann"};
  };
  start();
  CHECK_EQ(open(0, {}, true)->expires_ms(), 0);
}

CAF_TEST(who is closing is not idle) {
  node.options.idle_timeout = 10s;
  start();
  auto& x = connect();
  x->enter([&] { x->close(close_code::kicked); });
  CHECK_EQ(x->expires_ms(), 0);
  // Its actor has ended, and its socket still asks.
  turn();
  CHECK(!x.alive());
  CHECK_EQ(x->expires_ms(), 0);
}

// -- lifetime
// -------------------------------------------------------------------

CAF_TEST(lifetimes are spread over their last tenth) {
  node.options.connection_lifetime = 100s;
  start();
  std::set<int64_t> ends;
  for (auto i = 0; i < 50; ++i) {
    auto end = left(connect());
    CHECK(end >= 90'000);
    CHECK(end <= 100'000);
    ends.insert(end);
  }
  CHECK(ends.size() > 40);
  CHECK(*ends.rbegin() - *ends.begin() > 5'000);
}

CAF_TEST(who has lived long enough is told to come again) {
  node.options.connection_lifetime = 100s;
  start();
  auto& x = connect();
  auto end = left(x);
  say(x, type::publish, 0, "news");
  CHECK_EQ(left(x), end);
  expire(x);
  CHECK_EQ(x.heard(), "goaway {\"reason\":\"lifetime\",\"reconnect\":"
                      "\"backoff\",\"afterMs\":0,\"spreadMs\":0}");
  CHECK_EQ(x.close_code(), 4004);
  CHECK_EQ(x.socket.close_reason, "lifetime");
  CHECK(!x.alive());
}

CAF_TEST(the nearest end counts and says why) {
  node.options.connection_lifetime = 100s;
  node.options.idle_timeout = 95s;
  start();
  auto& x = connect();
  CHECK(left(x) <= 95'000);
  node.options.idle_timeout = 5s;
  CHECK_EQ(left(x), 5'000);
  expire(x);
  CHECK_EQ(x.close_code(), 4001);
}

CAF_TEST_FIXTURE_SCOPE_END()
