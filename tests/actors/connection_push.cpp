// What is pushed to a user reaches every connection of the user.

#include <callboard/actors/connection.hpp>

#include <optional>
#include <string>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : node_fixture {
  std::string push(client& x, const std::string& json) {
    return say(x, type::request, 9, "callboard.push",
               *payload::from_json(json));
  }

  std::string subscribe(client& x, const std::string& topic,
                        std::optional<uint64_t> offset = {}) {
    frame_view y;
    y.type = type::subscribe;
    y.seq_id = 2;
    y.subject = topic;
    if (offset) {
      y.meta.mark(meta_key::since);
      y.meta.since = {"run.1", *offset};
    }
    x.say(y);
    turn();
    return x.heard();
  }

  static constexpr const char* hello = R"({"user":"bob","payload":"hello"})";
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(every connection of the user gets it and nobody else) {
  start(3);
  auto& one = connect(0, "bob");
  auto& two = connect(1, "bob");
  auto& eve = connect(2, "eve");
  auto& nobody = connect(2);
  auto& alice = connect(2, "alice");
  CHECK_EQ(push(alice, hello), "response 9 {\"epoch\":\"run.1\",\"offset\":1}");
  CHECK_EQ(one.heard(), "event $user/bob @1 \"hello\"");
  CHECK_EQ(two.heard(), "event $user/bob @1 \"hello\"");
  CHECK_EQ(eve.heard() + nobody.heard() + alice.heard(), "");
}

CAF_TEST(any value can be pushed as it is) {
  start();
  auto& bob = connect(0, "bob");
  auto& alice = connect(0, "alice");
  for (auto value :
       {"[1,-2,3.5,true]", R"({"a":{"$bin":"AAEC"},"b":[]})", "\"\""}) {
    push(alice, std::string{R"({"user":"bob","payload":)"} + value + '}');
    auto events = bob.take();
    CHECK_EQ(events.size(), 1u);
    CHECK_EQ(events.at(0).content.to_json(), value);
  }
}

CAF_TEST(the absent get it when they come where the operator keeps it) {
  node.options.topics.push_back({"$user/#", {.history_size = 10}});
  start(2);
  auto& alice = connect(0, "alice");
  for (auto i : {"1", "2", "3"})
    push(alice, std::string{R"({"user":"bob","payload":)"} + i + '}');
  auto& bob = connect(1, "bob");
  CHECK_EQ(say(bob, type::request, 5, "callboard.position",
               *payload::from_json(R"({"topic":"$user/bob"})")),
           "response 5 {\"epoch\":\"run.1\",\"offset\":3}");
  CHECK_EQ(subscribe(bob, "$user/bob", 1),
           "response 2 {\"epoch\":\"run.1\",\"offset\":3,\"recovered\":true}; "
           "event $user/bob @2 2; event $user/bob @3 3");
  push(alice, hello);
  CHECK_EQ(bob.heard(), "event $user/bob @4 \"hello\"");
}

CAF_TEST(the own topic can be given back and taken again) {
  start();
  auto& bob = connect(0, "bob");
  CHECK_EQ(say(bob, type::unsubscribe, 3, "$user/bob"), "response 3");
  push(bob, hello);
  CHECK_EQ(bob.heard(), "");
  CHECK_EQ(subscribe(bob, "$user/bob"),
           "response 2 {\"epoch\":\"run.1\",\"offset\":1,\"recovered\":"
           "false}");
  CHECK_EQ(bob.box->subscriptions.size(), 1u);
  CHECK_EQ(subscribe(bob, "$user/bob"),
           "response 2 {\"epoch\":\"run.1\",\"offset\":1,\"recovered\":"
           "false}");
  CHECK_EQ(bob.box->subscriptions.size(), 1u);
}

CAF_TEST(others cannot listen in or speak past the action) {
  start();
  auto& eve = connect(0, "eve");
  CHECK_EQ(subscribe(eve, "$user/bob"), "error 2 bad_subject");
  CHECK_EQ(subscribe(eve, "$user/+"), "error 2 bad_subject");
  CHECK_EQ(subscribe(eve, "$user/eve/more"), "error 2 bad_subject");
  CHECK_EQ(say(eve, type::publish, 3, "$user/eve", text("x")),
           "error 3 bad_subject");
  CHECK_EQ(say(eve, type::request, 4, "callboard.history",
               *payload::from_json(R"({"topic":"$user/bob"})")),
           "error 4 bad_subject");
  auto& nobody = connect();
  CHECK_EQ(subscribe(nobody, "$user/"), "error 2 bad_subject");
  CHECK_EQ(nobody.box->subscriptions.size(), 0u);
}

CAF_TEST(the application says who may push to whom) {
  node.rights.authorize = [](const identity& who, operation what,
                             std::string_view topic) {
    return what != operation::publish || who.user == "boss"
           || topic == "$user/" + who.user;
  };
  start();
  auto& bob = connect(0, "bob");
  auto& boss = connect(0, "boss");
  CHECK_EQ(push(bob, R"({"user":"boss","payload":1})"), "error 9 forbidden");
  CHECK_EQ(boss.heard(), "");
  CHECK(push(boss, hello).starts_with("response 9"));
  CHECK_EQ(bob.heard(), "event $user/bob @1 \"hello\"");
}

CAF_TEST(what is pushed is checked) {
  start();
  auto& x = connect(0, "alice");
  CHECK_EQ(push(x, R"({"payload":1})"), "error 9 bad_payload");
  CHECK_EQ(push(x, R"({"user":"","payload":1})"), "error 9 bad_payload");
  CHECK_EQ(push(x, R"({"user":7,"payload":1})"), "error 9 bad_payload");
  CHECK_EQ(push(x, "7"), "error 9 bad_payload");
  CHECK_EQ(push(x, R"({"user":"a+b","payload":1})"), "error 9 bad_subject");
  // `$user/` takes 6 of the 255 bytes.
  CHECK_EQ(push(x,
                R"({"user":")" + std::string(250, 'x') + R"(","payload":1})"),
           "error 9 bad_subject");
  CHECK(push(x, R"({"user":")" + std::string(249, 'x') + R"(","payload":1})")
          .starts_with("response 9"));
}

CAF_TEST(a user whose name fits into no topic is served all the same) {
  start();
  auto& x = connect(0, "a#b");
  CHECK_EQ(x.box->subscriptions.size(), 0u);
  CHECK(subscribe(x, "news").starts_with("response 2"));
}

CAF_TEST(the own topic takes no place) {
  node.options.subscriptions_max = 2;
  start();
  auto& x = connect(0, "alice");
  CHECK(subscribe(x, "a").starts_with("response 2"));
  CHECK(subscribe(x, "b").starts_with("response 2"));
  CHECK_EQ(subscribe(x, "c"), "error 2 too_many_subscriptions");
  CHECK(subscribe(x, "$user/alice").starts_with("response 2"));
}

END_FIXTURE_SCOPE()
