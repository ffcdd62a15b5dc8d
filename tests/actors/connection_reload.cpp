// Limits that change while connections live.

#include <callboard/actors/connection.hpp>

#include <memory>
#include <string>

#include <callboard/actors/user_table.hpp>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : node_fixture {
  void begin(uint32_t n = 1) {
    node.users = std::make_shared<user_table>(node.options);
    start(n);
  }

  /// Changes the limits, as a server does: `f` sets what is to be another one.
  template <class F>
  void change(F f) {
    client_limits wanted = loops[0]->limits();
    f(wanted);
    node.users->set_limits(wanted);
    auto limits = std::make_shared<const client_limits>(wanted);
    for (auto& x : loops)
      x->set_limits(limits);
  }

  /// Returns what a client hears, and of its last frame how long to wait:
  /// "error 3 rate_limited after 100".
  std::string heard(client& x) {
    std::string result;
    uint64_t wait_ms = 0;
    for (auto& y : x.take()) {
      result += (result.empty() ? "" : "; ") + y.words();
      wait_ms = y.meta.has(meta_key::retry_after_ms) ? y.meta.retry_after_ms
                                                     : 0;
    }
    return wait_ms == 0 ? result : result + " after " + std::to_string(wait_ms);
  }

  std::string ping(client& x) {
    x.say(type::ping, 1);
    turn();
    return heard(x);
  }

  /// Publishes and returns "response", or why not.
  std::string publish(client& x) {
    x.publish("a", "x", 7);
    turn();
    auto result = heard(x);
    return result.starts_with("response 7 ") ? "response" : result;
  }

  /// Subscribes and returns "response", or why not.
  std::string subscribe(client& x, const std::string& topic) {
    auto result = say(x, type::subscribe, 5, topic);
    return result.starts_with("response 5 ") ? "response" : result;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- rates --------------------------------------------------------------------

CAF_TEST(a rate of frames comes to connections that live and goes) {
  begin();
  auto& x = connect();
  for (int i = 0; i < 10; ++i)
    CHECK_EQ(ping(x), "pong 1");
  change([](client_limits& y) { y.frames = {1, 2}; });
  CHECK_EQ(ping(x), "pong 1");
  CHECK_EQ(ping(x), "pong 1");
  CHECK_EQ(ping(x), "error 1 rate_limited after 1000");
  // A higher one brings no burst.
  change([](client_limits& y) { y.frames = {1000, 100}; });
  CHECK_EQ(ping(x), "error 1 rate_limited after 1");
  pass(1ms);
  CHECK_EQ(ping(x), "pong 1");
  CHECK_EQ(ping(x), "error 1 rate_limited after 1");
  change([](client_limits& y) { y.frames = {}; });
  for (int i = 0; i < 200; ++i)
    CHECK_EQ(ping(x), "pong 1");
  CHECK(x.alive());
}

CAF_TEST(other limits leave a rate that stays as it is) {
  node.options.frames = {1, 2};
  begin();
  auto& x = connect();
  CHECK_EQ(ping(x), "pong 1");
  CHECK_EQ(ping(x), "pong 1");
  change([](client_limits& y) { y.inflight_max = 7; });
  CHECK_EQ(ping(x), "error 1 rate_limited after 1000");
}

CAF_TEST(control frames are held to the new rate) {
  begin();
  auto& x = connect();
  change([](client_limits& y) { y.frames = {1, 2}; });
  for (int i = 0; i < 2; ++i)
    x->enter([&] { x->receive_control(1); });
  turn();
  CHECK_EQ(ping(x), "error 1 rate_limited after 1000");
}

CAF_TEST(connections of a user share a rate that comes later) {
  begin(2);
  auto& x = connect(0, "ann");
  auto& y = connect(1, "ann");
  auto& z = connect(0);
  for (int i = 0; i < 10; ++i)
    CHECK_EQ(publish(x), "response");
  change([](client_limits& l) { l.publishes = {1, 3}; });
  CHECK_EQ(publish(x), "response");
  CHECK_EQ(publish(y), "response");
  CHECK_EQ(publish(x), "response");
  CHECK_EQ(publish(y), "error 7 rate_limited after 1000");
  CHECK_EQ(publish(z), "response");
  // A connection that comes now as well.
  CHECK_EQ(publish(connect(1, "ann")), "error 7 rate_limited after 1000");
  change([](client_limits& l) { l.publishes = {1000, 100}; });
  CHECK_EQ(publish(x), "error 7 rate_limited after 1");
  pass(1ms);
  CHECK_EQ(publish(y), "response");
  CHECK_EQ(publish(x), "error 7 rate_limited after 1");
  change([](client_limits& l) { l.publishes = {}; });
  for (int i = 0; i < 200; ++i)
    CHECK_EQ(publish(i % 2 == 0 ? x : z), "response");
}

CAF_TEST(who has no user has a rate of its own that changes) {
  node.options.publishes = {1, 2};
  begin();
  auto& x = connect();
  CHECK_EQ(publish(x), "response");
  CHECK_EQ(publish(x), "response");
  change([](client_limits& l) { l.publishes = {10, 20}; });
  CHECK_EQ(publish(x), "error 7 rate_limited after 100");
  CHECK_EQ(publish(connect()), "response");
}

// -- counts -------------------------------------------------------------------

CAF_TEST(a connection keeps the subscriptions that are too many by now) {
  begin();
  auto& x = connect();
  for (auto* topic : {"a", "b", "c"})
    CHECK_EQ(subscribe(x, topic), "response");
  change([](client_limits& y) { y.subscriptions_max = 2; });
  CHECK_EQ(subscribe(x, "d"), "error 5 too_many_subscriptions");
  connect().publish("c", "x");
  turn();
  CHECK_EQ(x.heard(), "event c @1 \"x\"");
  say(x, type::unsubscribe, 6, "a");
  CHECK_EQ(subscribe(x, "d"), "error 5 too_many_subscriptions");
  say(x, type::unsubscribe, 6, "b");
  CHECK_EQ(subscribe(x, "d"), "response");
  change([](client_limits& y) { y.subscriptions_max = 3; });
  CHECK_EQ(subscribe(x, "e"), "response");
  CHECK_EQ(subscribe(x, "f"), "error 5 too_many_subscriptions");
}

CAF_TEST(requests that wait are not given up) {
  begin();
  auto& bob = connect();
  auto& x = connect();
  CHECK_EQ(say(bob, type::register_action, 1, "sum"), "response 1");
  for (uint32_t i = 1; i <= 3; ++i)
    CHECK_EQ(say(x, type::request, i, "sum"), "");
  change([](client_limits& y) { y.inflight_max = 2; });
  CHECK_EQ(say(x, type::request, 4, "sum"), "error 4 too_many_inflight");
  for (auto& y : bob.take())
    bob.say(type::response, y.seq_id, "", text("ok"));
  turn();
  CHECK_EQ(x.take().size(), 3u);
  CHECK_EQ(say(x, type::request, 5, "sum"), "");
}

CAF_TEST(actions that are registered stay so) {
  begin();
  auto& x = connect();
  say(x, type::register_action, 1, "a");
  say(x, type::register_action, 2, "b");
  change([](client_limits& y) { y.registrations_max = 1; });
  CHECK(say(x, type::register_action, 3, "c").starts_with("error 3 "));
  CHECK_EQ(say(connect(), type::request, 1, "b"), "");
  CHECK_EQ(x.take().size(), 1u);
}

CAF_TEST(a user keeps the connections that are too many by now) {
  begin();
  auto& x = connect(0, "ann");
  auto& y = connect(0, "ann");
  change([](client_limits& l) { l.user_connections_max = 1; });
  CHECK_EQ(open(0, "ann").close_code(), 4504);
  CHECK(x.alive());
  CHECK(y.alive());
  x->enter([&] { x->lost(1001, "bye"); });
  turn();
  CHECK_EQ(open(0, "ann").close_code(), 4504);
  y->enter([&] { y->lost(1001, "bye"); });
  turn();
  CHECK_EQ(open(0, "ann").close_code(), 0);
}

CAF_TEST(a welcome says what counts by now) {
  begin();
  change([](client_limits& y) { y.inflight_max = 7; });
  CHECK(open().heard().find("\"inflightMax\":7") != std::string::npos);
}

// -- load ---------------------------------------------------------------------

CAF_TEST(other thresholds count with the next sample) {
  begin();
  auto& load = loops[0]->load;
  change([](client_limits& y) {
    y.load.high = 0.5;
    y.load.low = 0.25;
    y.load.weights = {0, 0, 0, 1, 0};
  });
  load_sample busy;
  busy.cpu_share = 1;
  loops[0]->sample_load(1'000'000, {});
  loops[0]->sample_load(2'000'000, busy);
  CHECK(load.stage() == load_stage::requests);
  auto& x = connect();
  CHECK_EQ(say(x, type::request, 1, "sum"), "error 1 overloaded");
  change([](client_limits& y) { y.load.high = 0; });
  CHECK(load.stage() == load_stage::none);
  CHECK_EQ(say(x, type::request, 1, "sum"), "error 1 no_responder");
}

END_FIXTURE_SCOPE()
