// What a connection does with requests, as asker and as responder.

#include <callboard/actors/connection.hpp>

#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : node_fixture {
  /// Lets `x` answer a request of the server with an error of its own.
  void fail(client& x, uint32_t seq_id, uint64_t code,
            const std::string& name) {
    auto sentence = text("why");
    frame_view y;
    y.type = type::error;
    y.seq_id = seq_id;
    y.subject = name;
    y.payload = sentence.view();
    y.meta.mark(meta_key::code);
    y.meta.code = code;
    x.say(y);
    turn();
  }

  /// Asks the client of `x` as an embedded actor, and returns the answer's
  /// handle.
  auto ask_client(client& x, const std::string& action,
                  caf::timespan timeout = 10s) {
    return ask(x.handle, request_atom_v, action, text("?"), timeout);
  }

  template <class Handle>
  static std::string result_of(Handle&& x) {
    std::string result;
    x.receive([&](const payload& y) { result = text_of(y); },
              [&](const caf::error& y) { result = words_of(y); });
    return result;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- asking -------------------------------------------------------------------

CAF_TEST(a request goes to a responder on any loop and its answer back) {
  start(2);
  auto& alice = connect(0, "alice");
  auto& bob = connect(1);
  for (uint32_t shard : {0, 1}) {
    auto action = name_on(shard, 2, "sum");
    CHECK_EQ(say(bob, type::register_action, 1, action), "response 1");
    frame_view x;
    auto content = text("1+1");
    x.type = type::request;
    x.seq_id = 7;
    x.subject = action;
    x.payload = content.view();
    x.meta.mark(meta_key::timeout_ms);
    x.meta.timeout_ms = 400'000;
    x.meta.mark(meta_key::trace);
    x.meta.trace = "00-ab-cd-01";
    alice.say(x);
    turn();
    auto asked = bob.take();
    REQUIRE_EQ(asked.size(), 1u);
    auto seq_id = shard + 1;
    CHECK_EQ(asked[0].words(),
             "request " + std::to_string(seq_id) + ' ' + action + " \"1+1\"");
    CHECK_EQ(asked[0].sender, "alice");
    CHECK_EQ(asked[0].meta.timeout_ms, 300'000u);
    CHECK_EQ(asked[0].trace, "00-ab-cd-01");
    CHECK_EQ(say(bob, type::response, seq_id, "", text("2")), "");
    CHECK_EQ(alice.heard(), "response 7 \"2\"");
    // The second answer is nobody's.
    say(bob, type::response, seq_id, "", text("3"));
    CHECK_EQ(alice.heard(), "");
  }
}

CAF_TEST(the errors of a request are those of the protocol) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  CHECK_EQ(say(alice, type::request, 1, "sum"), "error 1 no_responder");
  CHECK_EQ(say(alice, type::request, 2, "callboard.none"),
           "error 2 no_responder");
  CHECK_EQ(say(alice, type::request, 3, "a//b"), "error 3 bad_subject");
  CHECK_EQ(say(alice, type::request, 3, ""), "error 3 bad_subject");
  say(bob, type::register_action, 1, "sum");
  say(alice, type::request, 4, "sum");
  CHECK_EQ(say(alice, type::request, 4, "sum"), "error 4 duplicate_seq_id");
  CHECK_EQ(say(alice, type::publish, 4, "a"), "error 4 duplicate_seq_id");
  CHECK_EQ(say(alice, type::subscribe, 4, "a"), "error 4 duplicate_seq_id");
  CHECK_EQ(say(alice, type::request, 4, "callboard.echo"),
           "error 4 duplicate_seq_id");
  // The first one goes on.
  say(bob, type::response, 1, "", text("ok"));
  CHECK_EQ(alice.heard(), "response 4 \"ok\"");
  say(alice, type::request, 5, "sum");
  pass(10s);
  CHECK_EQ(alice.heard(), "error 5 timeout");
  say(alice, type::request, 6, "sum");
  kill(bob.handle);
  CHECK_EQ(alice.heard(), "error 6 responder_failed");
}

CAF_TEST(a request that times out is withdrawn from the responder) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  frame_view x;
  x.type = type::request;
  x.seq_id = 7;
  x.subject = "sum";
  x.meta.mark(meta_key::timeout_ms);
  x.meta.timeout_ms = 50;
  alice.say(x);
  turn();
  pass(49ms);
  CHECK_EQ(alice.heard(), "");
  CHECK_EQ(bob.heard(), "request 1 sum");
  pass(1ms);
  CHECK_EQ(alice.heard(), "error 7 timeout");
  CHECK_EQ(bob.heard(), "cancel 1");
}

CAF_TEST(a cancelled request is answered once and withdrawn) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  CHECK_EQ(say(alice, type::cancel, 7), "");
  say(alice, type::request, 7, "sum");
  bob.heard();
  CHECK_EQ(say(alice, type::cancel, 7), "error 7 cancelled");
  CHECK_EQ(bob.heard(), "cancel 1");
  say(bob, type::response, 1, "", text("late"));
  CHECK_EQ(alice.heard(), "");
  CHECK_EQ(say(alice, type::cancel, 7), "");
  // Publications cannot be cancelled.
  alice.publish("a", "x", 8);
  alice.say(type::cancel, 8);
  turn();
  CHECK(alice.heard().starts_with("response 8 "));
}

CAF_TEST(a seqId is free at once after a cancel) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  say(alice, type::request, 7, "sum");
  bob.heard();
  // The old answer is on its way when the seqId is used again.
  bob.say(type::response, 1, "", text("old"));
  alice.say(type::cancel, 7);
  alice.say(type::request, 7, "sum");
  turn();
  CHECK_EQ(alice.heard(), "error 7 cancelled");
  CHECK_EQ(bob.heard(), "request 2 sum");
  say(bob, type::response, 2, "", text("new"));
  CHECK_EQ(alice.heard(), "response 7 \"new\"");
}

CAF_TEST(the server answers its own actions) {
  start();
  auto& x = connect();
  CHECK_EQ(say(x, type::request, 1, "callboard.echo", text("hi")),
           "response 1 \"hi\"");
  CHECK_EQ(say(x, type::request, 2, "callboard.time"),
           "response 2 " + std::to_string(loops[0]->unix_ms));
}

CAF_TEST(a notify is never answered) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  CHECK_EQ(say(alice, type::notify, 0, "log", text("x")), "");
  CHECK_EQ(say(alice, type::notify, 0, "a//b"), "");
  say(bob, type::register_action, 1, "log");
  say(alice, type::notify, 0, "log", text("x"));
  CHECK_EQ(bob.heard(), "notify log \"x\"");
  // A request without a seqId is one as well.
  say(alice, type::request, 0, "log", text("y"));
  CHECK_EQ(bob.heard(), "notify log \"y\"");
  say(bob, type::response, 0, "", text("z"));
  CHECK_EQ(alice.heard(), "");
}

// -- answering ----------------------------------------------------------------

CAF_TEST(errors of the responder itself pass through and no others) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  say(alice, type::request, 1, "sum");
  fail(bob, 1, 1000, "too_hard");
  CHECK_EQ(alice.heard(), "error 1 too_hard code=1000");
  say(alice, type::request, 2, "sum");
  fail(bob, 2, 999, "too_hard");
  CHECK_EQ(alice.heard(), "error 2 responder_failed");
  say(alice, type::request, 3, "sum");
  fail(bob, 3, 65'536, "too_hard");
  CHECK_EQ(alice.heard(), "error 3 responder_failed");
}

CAF_TEST(an answer to no request is dropped) {
  start();
  auto& x = connect();
  CHECK_EQ(say(x, type::response, 7), "");
  say(x, type::register_action, 1, "sum");
  CHECK_EQ(say(x, type::response, 7), "");
  CHECK_EQ(say(x, type::error, 7), "");
  CHECK(x.alive());
}

CAF_TEST(actions are registered and taken back) {
  node.options.registrations_max = 2;
  start(2);
  auto& x = connect();
  CHECK_EQ(say(x, type::register_action, 1, "a//b"), "error 1 bad_subject");
  CHECK_EQ(say(x, type::register_action, 2, "callboard.x"),
           "error 2 forbidden");
  CHECK_EQ(say(x, type::unregister_action, 3, "a"), "error 3 not_subscribed");
  CHECK_EQ(say(x, type::register_action, 4, "a"), "response 4");
  CHECK_EQ(say(x, type::register_action, 5, "b"), "response 5");
  CHECK_EQ(say(x, type::register_action, 6, "c"),
           "error 6 too_many_subscriptions");
  CHECK_EQ(say(x, type::register_action, 7, "a"), "response 7");
  CHECK_EQ(say(x, type::unregister_action, 8, "a"), "response 8");
  CHECK_EQ(say(x, type::unregister_action, 9, "a"), "error 9 not_subscribed");
  CHECK_EQ(say(x, type::register_action, 10, "c"), "response 10");
  CHECK_EQ(say(x, type::request, 11, "a"), "error 11 no_responder");
}

// -- asked by the application -------------------------------------------------

CAF_TEST(a client answers a request of the application) {
  start();
  auto& x = connect();
  auto first = ask_client(x, "sum");
  auto second = ask_client(x, "sum");
  CHECK_EQ(x.heard(), "request 1 sum \"?\"; request 2 sum \"?\"");
  say(x, type::response, 2, "", text("two"));
  say(x, type::response, 1, "", text("one"));
  CHECK_EQ(result_of(first), "one");
  CHECK_EQ(result_of(second), "two");
  pass(20s);
  CHECK_EQ(x.heard(), "");
}

CAF_TEST(a client that does not answer in time is told to stop) {
  start();
  auto& x = connect();
  auto late = ask_client(x, "sum", 2s);
  x.heard();
  pass(1999ms);
  CHECK_EQ(x.heard(), "");
  pass(1ms);
  CHECK_EQ(x.heard(), "cancel 1");
  CHECK_EQ(result_of(late), "timeout");
  say(x, type::response, 1, "", text("late"));
  CHECK(x.alive());
}

CAF_TEST(what the application asks of a client can fail) {
  node.options.inflight_max = 2;
  start();
  auto& x = connect();
  CHECK_EQ(result_of(ask_client(x, "a//b")), "bad_subject");
  auto failing = ask_client(x, "sum");
  fail(x, 1, 5, "any");
  CHECK_EQ(result_of(failing), "responder_failed");
  auto one = ask_client(x, "sum");
  auto two = ask_client(x, "sum");
  CHECK_EQ(result_of(ask_client(x, "sum")), "too_many_inflight");
  x->enter([&] { x->lost(1006, ""); });
  turn();
  CHECK_EQ(result_of(one), "responder_failed");
  CHECK_EQ(result_of(two), "responder_failed");
}

// -- shards that die ----------------------------------------------------------

CAF_TEST(what a dead router had is answered and what a client serves stays) {
  start(2);
  auto& alice = connect(0);
  auto& bob = connect(1);
  auto here = name_on(0, 2);
  auto there = name_on(1, 2);
  say(bob, type::register_action, 1, here);
  say(bob, type::register_action, 2, there);
  say(alice, type::request, 1, here);
  say(alice, type::request, 2, there);
  bob.heard();
  kill(loops[0]->routers[0].actor);
  install(0, make_router(0));
  turn();
  CHECK_EQ(alice.heard(), "error 1 internal");
  // The other shard's goes on; the answer to the dead one's is nobody's.
  say(bob, type::response, 1, "", text("dead"));
  say(bob, type::response, 2, "", text("ok"));
  CHECK_EQ(alice.heard(), "response 2 \"ok\"");
  CHECK_EQ(loops[0]->metrics.stray_answers->value(), 0);
  say(alice, type::request, 3, here);
  CHECK_EQ(bob.heard(), "request 3 " + here);
  say(bob, type::response, 3, "", text("again"));
  CHECK_EQ(alice.heard(), "response 3 \"again\"");
}

CAF_TEST(a publication that a dead broker had is answered) {
  start(2);
  auto& x = connect(1);
  auto dying = name_on(0, 2);
  auto living = name_on(1, 2);
  caf::anon_send_exit(loops[0]->brokers[0].actor, caf::exit_reason::kill);
  x.publish(dying, "x", 1);
  x.publish(living, "x", 2);
  turn();
  CHECK(x.heard().starts_with("response 2 "));
  install(0, make_broker(0));
  turn();
  CHECK_EQ(x.heard(), "error 1 internal");
  x.publish(dying, "x", 1);
  turn();
  CHECK(x.heard().starts_with("response 1 "));
}

END_FIXTURE_SCOPE()
