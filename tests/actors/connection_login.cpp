#include <callboard/actors/connection.hpp>

#include <string>
#include <vector>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

/// Tokens are `USER`, `USER until MS` or `USER only SUBJECT`.
struct fixture : node_fixture {
  fixture() {
    node.rights.authenticate
      = [this](const credentials& x) -> caf::expected<identity> {
      if (x.token == "old")
        return caf::make_error(errc::token_expired);
      if (x.token.empty())
        return caf::make_error(errc::unauthenticated);
      identity who{x.token.substr(0, x.token.find(' '))};
      if (auto i = x.token.find(" until "); i != std::string::npos)
        who.expires_ms = loops[0]->unix_ms + std::stoi(x.token.substr(i + 7));
      if (auto i = x.token.find(" only "); i != std::string::npos) {
        auto rights = std::make_shared<grants>();
        for (auto what : {operation::subscribe, operation::register_action})
          rights->add(what, x.token.substr(i + 6));
        who.rights = rights;
      }
      if (auto i = x.token.find(" of "); i != std::string::npos)
        who.tenant = x.token.substr(i + 4);
      return who;
    };
    node.rights.authorize = [](const identity& who, operation what,
                               std::string_view subject) {
      return who.rights == nullptr || who.rights->allows(what, subject);
    };
  }

  static payload token(const std::string& x) {
    return *payload::from_json("{\"token\":\"" + x + "\"}");
  }

  /// Opens a connection and shows a token in a `connect` frame.
  client& log_in(const std::string& x) {
    auto epoch = node.next_epoch.load();
    auto& result = open(0, {}, true);
    CHECK(say(result, type::connect, 1, "", token(x)).starts_with("welcome 1"));
    node.next_epoch = epoch;
    return result;
  }

  /// Shows another token on a living connection.
  std::string refresh(client& x, const std::string& shown) {
    auto words = say(x, type::connect, 9, "", token(shown));
    return words.starts_with("welcome 9 {")
             ? "welcome" + words.substr(words.find('}') + 1)
             : words;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- the end of a log-in ------------------------------------------------------

CAF_TEST(the welcome says when the log in ends) {
  start();
  auto& x = open(0, {}, true);
  auto words = say(x, type::connect, 1, "", token("ann until 5000"));
  CHECK(
    words.find(",\"expires\":" + std::to_string(loops[0]->unix_ms + 5000) + "}")
    != std::string::npos);
  CHECK_EQ(x->expires_ms(), loops[0]->steady_ms + 5000);
  CHECK_EQ(x.socket.expiry_changes, 1u);
}

CAF_TEST(a log in without an end asks for no timer) {
  start();
  auto& x = log_in("ann");
  CHECK_EQ(x->expires_ms(), 0);
  CHECK_EQ(x.socket.expiry_changes, 0u);
}

CAF_TEST(a log in that has run out ends the connection) {
  start();
  auto& x = log_in("ann until 5000");
  x->enter([&] { x->expire(); });
  turn();
  CHECK_EQ(x.heard(), "error token_expired");
  CHECK_EQ(x.close_code(), 4500);
  CHECK_EQ(x.socket.close_reason, "token_expired");
  CHECK(!x.alive());
}

// -- another token ------------------------------------------------------------

CAF_TEST(a fresh token moves the end) {
  start();
  auto& x = log_in("ann until 5000");
  CHECK_EQ(refresh(x, "ann until 9000"), "welcome");
  CHECK_EQ(x->expires_ms(), loops[0]->steady_ms + 9000);
  CHECK_EQ(x.socket.expiry_changes, 2u);
  // The same end is no news.
  CHECK_EQ(refresh(x, "ann until 9000"), "welcome");
  CHECK_EQ(x.socket.expiry_changes, 2u);
  CHECK_EQ(refresh(x, "ann"), "welcome");
  CHECK_EQ(x->expires_ms(), 0);
  CHECK_EQ(x.socket.expiry_changes, 3u);
  CHECK_EQ(loops[0]->metrics.connections_connected->value(), 1);
}

CAF_TEST(a refused token leaves the log in as it is) {
  start();
  auto& x = log_in("ann until 5000");
  CHECK_EQ(refresh(x, "old"), "error 9 token_expired");
  CHECK_EQ(refresh(x, ""), "error 9 unauthenticated");
  CHECK_EQ(say(x, type::connect, 9), "error 9 unauthenticated");
  CHECK_EQ(refresh(x, "bob until 9000"), "error 9 forbidden");
  CHECK_EQ(refresh(x, "ann of acme"), "error 9 forbidden");
  CHECK(x.alive());
  CHECK_EQ(x->user(), "ann");
  CHECK_EQ(x->expires_ms(), loops[0]->steady_ms + 5000);
}

CAF_TEST(nobody does not become somebody) {
  start();
  auto& x = connect();
  CHECK_EQ(refresh(x, "ann"), "error 9 forbidden");
  CHECK(x.alive());
  CHECK_EQ(x->user(), "");
}

// -- fewer rights -------------------------------------------------------------

CAF_TEST(subscriptions that are not allowed any more end) {
  start();
  auto& x = log_in("ann");
  for (auto subject : {"a/1", "b/1", "a/+", "#"})
    say(x, type::subscribe, 2, subject);
  CHECK_EQ(refresh(x, "ann only a/#"), "welcome; error forbidden; "
                                       "error forbidden");
  auto& bob = connect(0, "bob");
  bob.publish("a/1", "x");
  bob.publish("b/1", "x");
  turn();
  CHECK_EQ(x.heard(), "event a/1 @1 \"x\"; event a/1 @1 by a/+ \"x\"");
  CHECK_EQ(say(x, type::unsubscribe, 3, "b/1"), "error 3 not_subscribed");
  CHECK_EQ(say(x, type::subscribe, 3, "b/1"), "error 3 forbidden");
}

CAF_TEST(the sentence names what has ended) {
  start();
  auto& x = log_in("ann");
  say(x, type::subscribe, 2, "b");
  x.say(type::connect, 9, "", token("ann only a"));
  turn();
  auto frames = x.take();
  REQUIRE_EQ(frames.size(), 2u);
  CHECK_EQ(text_of(frames[1].content), "No subscriber of 'b' any more.");
}

CAF_TEST(the own topic stays) {
  start();
  auto& x = log_in("ann");
  CHECK_EQ(refresh(x, "ann only a"), "welcome");
  auto& bob = connect(0, "bob");
  say(bob, type::request, 1, "callboard.push",
      *payload::from_json("{\"user\":\"ann\",\"payload\":7}"));
  CHECK_EQ(x.heard(), "event $user/ann @1 7");
}

CAF_TEST(a subscribe that waits is answered) {
  start(2);
  auto& x = log_in("ann");
  // The owner is on another loop, so nothing is answered within the turn.
  auto topic = name_on(1, 2);
  x.say(type::subscribe, 2, topic);
  x.say(type::connect, 9, "", token("ann only a"));
  turn();
  auto words = x.heard();
  CHECK(words.starts_with("welcome 9 "));
  CHECK(words.ends_with("error 2 forbidden"));
}

CAF_TEST(groups that are not allowed any more are left) {
  start();
  auto& x = log_in("ann");
  auto join = [&](const char* topic) {
    frame_view y;
    y.type = type::subscribe;
    y.seq_id = 2;
    y.subject = topic;
    y.meta.mark(meta_key::group);
    y.meta.group = "g";
    return say(x, y);
  };
  join("a");
  join("b");
  CHECK_EQ(refresh(x, "ann only a"), "welcome; error forbidden");
  auto& bob = connect(0, "bob");
  bob.publish("a", "x");
  bob.publish("b", "x");
  turn();
  CHECK_EQ(x.heard(), "event a @1 of g \"x\"");
}

CAF_TEST(actions that are not allowed any more are taken back) {
  start();
  auto& x = log_in("ann");
  say(x, type::register_action, 2, "a");
  say(x, type::register_action, 3, "b");
  CHECK_EQ(refresh(x, "ann only a"), "welcome; error forbidden");
  auto& bob = connect(0, "bob");
  CHECK_EQ(say(bob, type::request, 1, "b"), "error 1 no_responder");
  CHECK_EQ(say(bob, type::request, 1, "a"), "");
  CHECK_EQ(x.heard(), "request 1 a");
}

CAF_TEST(more rights take nothing away) {
  start();
  auto& x = log_in("ann only a");
  say(x, type::subscribe, 2, "a");
  CHECK_EQ(refresh(x, "ann only #"), "welcome");
  CHECK(say(x, type::subscribe, 3, "b").starts_with("response 3 "));
}

END_FIXTURE_SCOPE()
