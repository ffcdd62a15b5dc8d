// How much a client may send in a time.

#include <callboard/actors/connection.hpp>

#include <memory>
#include <string>
#include <vector>

#include <callboard/actors/user_table.hpp>

#include "actors/member_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : member_fixture {
  /// Makes the loops, with a register of users.
  void begin(uint32_t n = 1) {
    node.users = std::make_shared<user_table>(node.options);
    start(n);
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

  std::string ping(client& x, uint32_t seq_id) {
    x.say(type::ping, seq_id);
    turn();
    return heard(x);
  }

  /// Publishes and returns "response", or why not.
  std::string publish_one(client& x, const std::string& topic = "a") {
    x.publish(topic, "x", 7);
    turn();
    auto result = heard(x);
    return result.starts_with("response 7 ") ? "response" : result;
  }

  int64_t refusals(limit_kind what, uint32_t loop = 0) {
    return loops[loop]->metrics.refusals_by(what)->value();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- frames -------------------------------------------------------------------

CAF_TEST(without limits nothing is refused) {
  begin();
  auto& alice = connect();
  for (uint32_t i = 1; i <= 5000; ++i)
    alice.say(type::ping, i);
  turn();
  CHECK_EQ(alice.take().size(), 5000u);
  CHECK(alice.alive());
}

CAF_TEST(frames beyond the rate are told when to come again) {
  node.options.frames = {10, 2};
  begin();
  auto& alice = connect();
  CHECK_EQ(ping(alice, 1), "pong 1");
  CHECK_EQ(ping(alice, 2), "pong 2");
  CHECK_EQ(ping(alice, 3), "error 3 rate_limited after 100");
  pass(99ms);
  CHECK_EQ(ping(alice, 4), "error 4 rate_limited after 1");
  pass(1ms);
  CHECK_EQ(ping(alice, 5), "pong 5");
  CHECK_EQ(ping(connect(), 1), "pong 1");
  CHECK_EQ(refusals(limit_kind::frames), 2);
  CHECK_EQ(refusals(limit_kind::flood), 0);
}

CAF_TEST(each frame that wants an answer gets it) {
  node.options.frames = {10, 8};
  begin();
  auto& alice = connect();
  for (auto i = 0; i < 8; ++i)
    alice.say(type::pong, 0);
  for (auto x : {type::connect, type::request, type::subscribe,
                 type::unsubscribe, type::publish, type::ping,
                 type::register_action, type::unregister_action})
    CHECK_EQ(say(alice, x, 5, "a"), "error 5 rate_limited");
  CHECK_EQ(refusals(limit_kind::frames), 8);
}

CAF_TEST(frames that want no answer are dropped without a word) {
  node.options.frames = {10, 2};
  begin();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::subscribe, 1, "a");
  for (auto i = 0; i < 3; ++i)
    alice.publish("a", "x");
  turn();
  CHECK_EQ(bob.heard(), "event a @1 \"x\"; event a @2 \"x\"");
  // A seqId that is not the client's, or means nothing, is not answered.
  CHECK_EQ(say(alice, type::response, 5), "");
  CHECK_EQ(alice.heard(), "");
  CHECK_EQ(refusals(limit_kind::frames), 2);
  CHECK(alice.alive());
}

CAF_TEST(a notify beyond the rate is dropped whatever its seqId) {
  node.options.frames = {10, 1};
  begin();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "log");
  alice.say(type::notify, 0, "log", text("1"));
  alice.say(type::notify, 5, "log", text("2"));
  turn();
  CHECK_EQ(alice.heard(), "");
  CHECK_EQ(bob.heard(), "notify log \"1\"");
}

CAF_TEST(answers to requests cost nothing and others do) {
  node.options.frames = {10, 2};
  begin();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  std::vector<client*> askers;
  for (auto i = 0; i < 3; ++i) {
    askers.push_back(&connect());
    say(*askers.back(), type::request, 1, "sum");
  }
  CHECK_EQ(bob.heard(), "request 1 sum; request 2 sum; request 3 sum");
  for (uint32_t i = 1; i <= 2; ++i)
    bob.say(type::response, i);
  bob.say(type::error, 3);
  turn();
  CHECK_EQ(askers[0]->heard(), "response 1");
  CHECK_EQ(askers[1]->heard(), "response 1");
  CHECK_EQ(askers[2]->heard(), "error 1 responder_failed");
  CHECK_EQ(ping(bob, 9), "pong 9");
  pass(100ms);
  // The same again answers nothing, and takes what is there.
  CHECK_EQ(say(bob, type::response, 1), "");
  CHECK_EQ(ping(bob, 10), "error 10 rate_limited after 100");
}

CAF_TEST(confirmations of events cost nothing) {
  node.options.frames = {10, 2};
  begin();
  auto& bob = connect();
  join(bob, "a");
  auto& alice = connect();
  publish(alice, "a", 2);
  CHECK_EQ(bob.take().size(), 2u);
  bob.say(type::ack, 1);
  bob.say(type::ack, 2);
  turn();
  CHECK_EQ(count(&group_metrics::confirmations), 2);
  CHECK_EQ(ping(bob, 3), "pong 3");
  CHECK_EQ(ping(bob, 4), "error 4 rate_limited after 100");
  say(bob, type::ack, 1);
  CHECK_EQ(refusals(limit_kind::frames), 2);
}

CAF_TEST(to cancel what is in flight costs nothing) {
  node.options.frames = {10, 2};
  begin();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  auto& alice = connect();
  say(alice, type::request, 1, "sum");
  say(alice, type::request, 2, "sum");
  CHECK_EQ(say(alice, type::cancel, 1), "error 1 cancelled");
  CHECK_EQ(refusals(limit_kind::frames), 0);
  CHECK_EQ(say(alice, type::cancel, 1), "");
  CHECK_EQ(refusals(limit_kind::frames), 1);
  // The other one goes on.
  say(bob, type::response, 2);
  CHECK_EQ(alice.heard(), "response 2");
}

// -- those who go on ----------------------------------------------------------

CAF_TEST(who goes on far beyond the rate is closed) {
  node.options.frames = {10, 2};
  begin();
  auto& alice = connect();
  for (uint32_t i = 1; i <= 4; ++i)
    alice.say(type::ping, i);
  turn();
  CHECK(alice.alive());
  alice.take();
  CHECK_EQ(ping(alice, 5), "error 5 rate_limited after 100");
  CHECK(!alice.alive());
  CHECK_EQ(alice.close_code(), 1008);
  CHECK_EQ(alice.socket.close_reason, "rate_limited");
  CHECK_EQ(refusals(limit_kind::flood), 1);
}

CAF_TEST(the rest of a message is not looked at then) {
  node.options.frames = {10, 1};
  begin();
  auto& alice = connect();
  std::string message;
  for (uint32_t i = 1; i <= 9; ++i) {
    frame_view x;
    x.type = type::ping;
    x.seq_id = i;
    message += alice.encode(x);
  }
  alice.say_bytes(message);
  turn();
  CHECK_EQ(alice.heard(), "pong 1; error 2 rate_limited; error 3 rate_limited");
  CHECK_EQ(alice.close_code(), 1008);
  CHECK_EQ(refusals(limit_kind::flood), 1);
}

// -- bytes --------------------------------------------------------------------

CAF_TEST(messages without a frame cost one) {
  node.options.frames = {10, 2};
  begin();
  auto& x = connect();
  for (auto i = 0; i < 4; ++i)
    x.say_bytes("");
  CHECK(x.alive());
  CHECK_EQ(refusals(limit_kind::frames), 2);
  x.say_bytes("");
  turn();
  CHECK_EQ(x.close_code(), 1008);
  CHECK_EQ(x.heard(), "");
}

CAF_TEST(control frames of the transport cost one) {
  node.options.frames = {10, 2};
  begin();
  auto& x = connect();
  auto control = [&x] { x->enter([&x] { x->receive_control(5); }); };
  for (auto i = 0; i < 4; ++i)
    control();
  CHECK(x.alive());
  CHECK_EQ(ping(x, 1), "error 1 rate_limited after 100");
  CHECK_EQ(x.close_code(), 1008);
}

CAF_TEST(bytes beyond the rate are refused with all frames of the message) {
  node.options.frame_bytes_max = 1000;
  node.options.bytes = {1000, 1000};
  begin();
  auto& alice = connect();
  auto content = text(std::string(700, 'x'));
  frame_view x;
  x.type = type::request;
  x.subject = "callboard.echo";
  x.payload = content.view();
  x.seq_id = 1;
  auto one = alice.encode(x);
  REQUIRE_LT(one.size(), 800u);
  alice.say_bytes(one);
  turn();
  CHECK(alice.heard().starts_with("response 1 "));
  x.seq_id = 2;
  frame_view y;
  y.type = type::ping;
  y.seq_id = 3;
  auto two = alice.encode(x) + alice.encode(y);
  alice.say_bytes(two);
  turn();
  auto wait_ms = one.size() + two.size() - 1000;
  CHECK_EQ(heard(alice), "error 2 rate_limited; error 3 rate_limited after "
                           + std::to_string(wait_ms));
  CHECK_EQ(refusals(limit_kind::bytes), 2);
  CHECK_EQ(refusals(limit_kind::frames), 0);
  pass(std::chrono::milliseconds{wait_ms});
  alice.say_bytes(two);
  turn();
  auto words = alice.heard();
  CHECK(words.starts_with("response 2 "));
  CHECK(words.ends_with("; pong 3"));
}

CAF_TEST(a message of nothing but awaited answers costs no bytes) {
  node.options.frame_bytes_max = 1000;
  node.options.bytes = {1000, 1000};
  begin();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  auto& alice = connect();
  auto large = text(std::string(900, 'x'));
  for (uint32_t i = 1; i <= 3; ++i) {
    say(alice, type::request, i, "sum");
    say(bob, type::response, i, "", large);
    CHECK(alice.heard().starts_with("response " + std::to_string(i)));
  }
  CHECK_EQ(refusals(limit_kind::bytes), 0);
}

// -- publications -------------------------------------------------------------

CAF_TEST(publications beyond the rate are told when to come again) {
  node.options.publishes = {10, 2};
  begin();
  auto& alice = connect();
  CHECK_EQ(publish_one(alice), "response");
  CHECK_EQ(publish_one(alice), "response");
  CHECK_EQ(publish_one(alice), "error 7 rate_limited after 100");
  // Other frames are not meant.
  CHECK_EQ(ping(alice, 1), "pong 1");
  pass(99ms);
  CHECK_EQ(publish_one(alice), "error 7 rate_limited after 1");
  pass(1ms);
  CHECK_EQ(publish_one(alice), "response");
  CHECK_EQ(refusals(limit_kind::publishes), 2);
}

CAF_TEST(publications that want no answer are dropped) {
  node.options.publishes = {10, 2};
  begin();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::subscribe, 1, "a");
  for (auto i = 0; i < 3; ++i)
    alice.publish("a", "x");
  turn();
  CHECK_EQ(alice.heard(), "");
  CHECK_EQ(bob.heard(), "event a @1 \"x\"; event a @2 \"x\"");
}

CAF_TEST(a publication that is refused anyway does not count) {
  node.options.publishes = {10, 1};
  begin();
  auto& alice = connect();
  CHECK_EQ(publish_one(alice, "a//b"), "error 7 bad_subject");
  CHECK_EQ(publish_one(alice), "response");
}

CAF_TEST(who is not logged in has a rate by connection) {
  node.options.publishes = {10, 1};
  begin();
  for (auto i = 0; i < 3; ++i) {
    auto& x = connect();
    CHECK_EQ(publish_one(x), "response");
    CHECK_EQ(publish_one(x), "error 7 rate_limited after 100");
  }
}

CAF_TEST(connections of a user share a rate over all loops) {
  node.options.publishes = {10, 2};
  begin(2);
  auto& one = connect(0, "ann");
  auto& two = connect(1, "ann");
  CHECK_EQ(publish_one(one), "response");
  CHECK_EQ(publish_one(two), "response");
  for (auto* x : {&one, &two})
    CHECK_EQ(publish_one(*x), "error 7 rate_limited after 100");
  CHECK_EQ(refusals(limit_kind::publishes, 0), 1);
  CHECK_EQ(refusals(limit_kind::publishes, 1), 1);
  CHECK_EQ(publish_one(connect(1, "bob")), "response");
}

CAF_TEST(what is pushed is a publication as well) {
  node.options.publishes = {10, 1};
  begin();
  auto& ann = connect(0, "ann");
  auto push = [&] {
    ann.say(type::request, 9, "callboard.push",
            *payload::from_json(R"({"user":"bob","payload":1})"));
    turn();
    return heard(ann);
  };
  CHECK(push().starts_with("response 9 "));
  CHECK_EQ(push(), "error 9 rate_limited after 100");
}

END_FIXTURE_SCOPE()
