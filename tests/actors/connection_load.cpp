// What a loop with too much to do takes from its clients.

#include <callboard/actors/connection.hpp>

#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using type = frame_type;

namespace {

/// Loops shed work from 0.5, 0.625, 0.75 and 0.875 on, and take it again below
/// 0.25, 0.3125, 0.375 and 0.4375.
struct fixture : node_fixture {
  fixture() {
    auto& x = node.options.load;
    x.high = 0.5;
    x.low = 0.25;
    x.weights = {1, 1, 1, 1, 1};
    node.rights.authenticate
      = [](const credentials& shown) -> caf::expected<identity> {
      return identity{shown.token};
    };
  }

  /// Gives the loop this score.
  void load(double score) {
    load_sample found;
    found.cpu_share = score;
    // All that was before is forgotten by then.
    sampled_ms += 1'000'000;
    loops[0]->sample_load(sampled_ms, found);
  }

  static payload token(const std::string& x) {
    return *payload::from_json("{\"token\":\"" + x + "\"}");
  }

  /// Returns what a client hears, and of its last frame how long to wait.
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

  template <class... Ts>
  std::string ask_of(client& x, Ts&&... xs) {
    x.say(std::forward<Ts>(xs)...);
    turn();
    return heard(x);
  }

  std::string publish_one(client& x, uint32_t seq_id = 0) {
    x.publish("a", "x", seq_id);
    turn();
    auto result = heard(x);
    return result.starts_with("response ") ? "response" : result;
  }

  int64_t refusals(limit_kind what) {
    return loops[0]->metrics.refusals_by(what)->value();
  }

  int64_t sampled_ms = 0;
};

const auto overloaded = " overloaded after "
                        + std::to_string(retry_after_ms(errc::overloaded));

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- who is not logged in -----------------------------------------------------

CAF_TEST(who logs in is refused from its stage on) {
  start();
  load(0.6249);
  auto& ann = open(0, {}, true);
  CHECK(say(ann, type::connect, 1, "", token("ann")).starts_with("welcome 1"));
  auto& bob = open(0, {}, true);
  load(0.625);
  CHECK_EQ(ask_of(bob, type::connect, 1, "", token("bob")),
           "error 1" + overloaded);
  CHECK_EQ(bob.close_code(), 4003);
  CHECK_EQ(bob.socket.close_reason, "overloaded");
  CHECK(!bob.alive());
  CHECK_EQ(refusals(limit_kind::load_logins), 1);
  // Who is in shows a fresh token as ever.
  CHECK(say(ann, type::connect, 2, "", token("ann")).starts_with("welcome 2"));
  CHECK(ann.alive());
}

CAF_TEST(who has not logged in yet is closed) {
  start();
  auto& ann = connect();
  auto& bob = open(0, {}, true);
  for (auto* x : {&ann, &bob})
    (*x)->enter([x] { (*x)->shed_login(); });
  turn();
  CHECK(ann.alive());
  CHECK_EQ(ann.heard(), "");
  CHECK_EQ(heard(bob), "error" + overloaded);
  CHECK_EQ(bob.close_code(), 4003);
  CHECK_EQ(refusals(limit_kind::load_logins), 1);
}

// -- publications -------------------------------------------------------------

CAF_TEST(publications without an answer are dropped from their stage on) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::subscribe, 1, "a");
  load(0.7499);
  CHECK_EQ(publish_one(alice), "");
  CHECK_EQ(bob.heard(), "event a @1 \"x\"");
  load(0.75);
  CHECK_EQ(publish_one(alice), "");
  CHECK_EQ(bob.heard(), "");
  CHECK_EQ(refusals(limit_kind::load_publishes), 1);
  // Those with one are not.
  CHECK_EQ(publish_one(alice, 7), "response");
  CHECK_EQ(bob.heard(), "event a @2 \"x\"");
  CHECK_EQ(ask_of(alice, type::request, 8, "callboard.echo"), "response 8");
  CHECK_EQ(refusals(limit_kind::load_requests), 0);
}

// -- requests -----------------------------------------------------------------

CAF_TEST(requests are refused from their stage on) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  load(0.8749);
  CHECK_EQ(ask_of(alice, type::request, 1, "sum"), "");
  CHECK_EQ(bob.heard(), "request 1 sum");
  load(0.875);
  CHECK_EQ(ask_of(alice, type::request, 2, "sum"), "error 2" + overloaded);
  CHECK_EQ(ask_of(alice, type::request, 3, "callboard.echo"),
           "error 3" + overloaded);
  CHECK_EQ(publish_one(alice, 4), "error 4" + overloaded);
  CHECK_EQ(refusals(limit_kind::load_requests), 3);
  // A notify has nobody to be told, whatever its seqId.
  CHECK_EQ(ask_of(alice, type::notify, 0, "sum"), "");
  CHECK_EQ(ask_of(alice, type::request, 0, "sum"), "");
  CHECK_EQ(ask_of(alice, type::notify, 5, "sum"), "");
  CHECK_EQ(bob.heard(), "");
  CHECK_EQ(refusals(limit_kind::load_requests), 6);
  CHECK_EQ(publish_one(alice), "");
  CHECK_EQ(refusals(limit_kind::load_publishes), 1);
}

CAF_TEST(what is under way and what keeps a client goes on) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  say(alice, type::request, 1, "sum");
  say(alice, type::request, 2, "sum");
  load(1);
  CHECK_EQ(bob.heard(), "request 1 sum; request 2 sum");
  say(bob, type::response, 1);
  CHECK_EQ(alice.heard(), "response 1");
  CHECK_EQ(ask_of(alice, type::cancel, 2), "error 2 cancelled");
  CHECK_EQ(ask_of(alice, type::ping, 3), "pong 3");
  CHECK(ask_of(alice, type::subscribe, 4, "b").starts_with("response 4"));
  CHECK_EQ(ask_of(alice, type::unsubscribe, 5, "b"), "response 5");
  CHECK(alice.alive());
  CHECK(bob.alive());
}

CAF_TEST(a number that is in flight stays so) {
  start();
  auto& alice = connect();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  say(alice, type::request, 1, "sum");
  bob.take();
  load(1);
  CHECK_EQ(ask_of(alice, type::request, 1, "sum"), "error 1 duplicate_seq_id");
  CHECK_EQ(publish_one(alice, 1), "error 1 duplicate_seq_id");
  say(bob, type::response, 1);
  CHECK_EQ(alice.heard(), "response 1");
}

CAF_TEST(all is taken again below the low marks) {
  start();
  auto& alice = connect();
  load(1);
  CHECK_EQ(ask_of(alice, type::request, 1, "callboard.echo"),
           "error 1" + overloaded);
  load(0.4374);
  CHECK_EQ(ask_of(alice, type::request, 2, "callboard.echo"), "response 2");
  CHECK(loops[0]->load.sheds(load_stage::publishes));
  load(0.2499);
  CHECK(loops[0]->load.stage() == load_stage::none);
  auto& bob = open(0, {}, true);
  CHECK(say(bob, type::connect, 1, "", token("bob")).starts_with("welcome 1"));
}

CAF_TEST(loops shed by themselves) {
  start(2);
  auto& alice = connect(0);
  auto& bob = connect(1);
  load(1);
  CHECK_EQ(ask_of(alice, type::request, 1, "callboard.echo"),
           "error 1" + overloaded);
  CHECK_EQ(ask_of(bob, type::request, 1, "callboard.echo"), "response 1");
}

CAF_TEST(a high mark of 0 sheds nothing) {
  node.options.load.high = 0;
  start();
  auto& alice = connect();
  load(1);
  CHECK_EQ(ask_of(alice, type::request, 1, "callboard.echo"), "response 1");
}

// -- rates --------------------------------------------------------------------

CAF_TEST(frames and publications have a lower rate then) {
  node.options.load.high = 1;
  node.options.frames = {16, 16};
  node.options.publishes = {16, 8};
  start();
  auto& alice = connect();
  // At 1600 thousandths a token.
  load(0.625);
  for (uint32_t i = 1; i <= 5; ++i)
    CHECK_EQ(publish_one(alice, i), "response");
  CHECK_EQ(publish_one(alice, 6), "error 6 rate_limited after 100");
  auto& bob = connect();
  for (uint32_t i = 1; i <= 10; ++i)
    CHECK_EQ(ask_of(bob, type::ping, i), "pong " + std::to_string(i));
  CHECK_EQ(ask_of(bob, type::ping, 11), "error 11 rate_limited after 100");
  CHECK_EQ(refusals(limit_kind::publishes), 1);
  CHECK_EQ(refusals(limit_kind::frames), 1);
  pass(std::chrono::milliseconds{100});
  CHECK_EQ(ask_of(bob, type::ping, 12), "pong 12");
}

CAF_TEST(so do actions) {
  node.options.load.high = 1;
  node.options.action_rules.push_back({"sum", {.rate = {16, 8}}});
  start();
  auto& bob = connect();
  say(bob, type::register_action, 1, "sum");
  auto& alice = connect();
  load(0.625);
  for (uint32_t i = 1; i <= 5; ++i)
    CHECK_EQ(ask_of(alice, type::request, i, "sum"), "");
  CHECK_EQ(ask_of(alice, type::request, 6, "sum"),
           "error 6 rate_limited after 100");
}

// -- what is told -------------------------------------------------------------

CAF_TEST(the load is told) {
  start();
  std::vector<load_stage> before;
  loops[0]->load_changed = [&](load_stage x) { before.push_back(x); };
  load(0.625);
  auto& m = loops[0]->metrics;
  CHECK_EQ(m.load_score->value(), 0.625);
  CHECK_EQ(m.load_peak->value(), 0.625);
  CHECK_EQ(m.load_parts[static_cast<size_t>(load_part::cpu)]->value(), 0.625);
  CHECK_EQ(m.load_parts[static_cast<size_t>(load_part::turn)]->value(), 0.0);
  CHECK_EQ(m.load_stage->value(), 2);
  load(0.626);
  load(0);
  CHECK_EQ(m.load_stage->value(), 0);
  CHECK_EQ(before.size(), 2u);
  CHECK(before == (std::vector{load_stage::none, load_stage::logins}));
}

END_FIXTURE_SCOPE()
