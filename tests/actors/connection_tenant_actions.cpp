// Actions of tenants that share a node.

#include <callboard/actors/connection.hpp>

#include <string>
#include <utility>

#include <callboard/actors/action_options.hpp>

#include "actors/tenant_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : tenant_fixture {
  /// Lets an actor of the application answer `action` with its name and who
  /// asks.
  caf::actor embed(const std::string& action) {
    auto who = sys.spawn([] {
      return caf::behavior{[](const action_request& x) {
        return text(x.action + " for " + x.sender);
      }};
    });
    auto done = false;
    ask(loops[0]->router_of(action).actor, register_atom_v, action, who)
      .receive([&] { done = true; }, [](const caf::error& x) { CAF_FAIL(x); });
    CHECK(done);
    return who;
  }

  /// Returns what `x` was asked, with the sender in front.
  static std::string asked(client& x) {
    std::string result;
    CHECK(x.socket.received.find("tenant/") == std::string::npos);
    for (auto& y : x.take())
      result += y.sender + ": " + y.words();
    return result;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(clients answer their own tenant alone) {
  start(2);
  auto& ann = enter("ann of acme");
  auto& bob = enter("bob of acme", 1, wire_form::json);
  auto& eve = enter("eve of other", 1);
  auto& cid = enter("cid");
  for (uint32_t shard : {0, 1}) {
    auto action = name_on(shard, 2, "sum");
    CHECK_EQ(tell(bob, type::register_action, 2, action), "response 2");
    for (auto* x : {&eve, &cid})
      CHECK_EQ(tell(*x, type::request, 7, action), "error 7 no_responder");
    CHECK_EQ(tell(ann, type::request, 7, action, text("?")), "");
    auto seq_id = shard + 1;
    CHECK_EQ(asked(bob), "ann: request " + std::to_string(seq_id) + ' ' + action
                           + " \"?\"");
    CHECK_EQ(tell(bob, type::response, seq_id, "", text("!")), "");
    CHECK_EQ(told(ann), "response 7 \"!\"");
    tell(eve, type::notify, 0, action);
    CHECK_EQ(asked(bob), "");
    tell(ann, type::notify, 0, action, text("psst"));
    CHECK_EQ(asked(bob), "ann: notify " + action + " \"psst\"");
    CHECK_EQ(tell(bob, type::unregister_action, 3, action), "response 3");
    CHECK_EQ(tell(ann, type::request, 8, action), "error 8 no_responder");
  }
}

CAF_TEST(clients without a tenant answer each other) {
  start(2);
  auto& cid = enter("cid");
  auto& dan = enter("dan", 1);
  auto& ann = enter("ann of acme", 1);
  CHECK_EQ(tell(cid, type::register_action, 2, "sum"), "response 2");
  CHECK_EQ(tell(ann, type::request, 7, "sum"), "error 7 no_responder");
  CHECK_EQ(tell(dan, type::request, 7, "sum", text("?")), "");
  CHECK_EQ(asked(cid), "dan: request 1 sum \"?\"");
}

CAF_TEST(the application answers all and nobody in its place) {
  start(2);
  auto& bob = enter("bob of acme", 1);
  auto& cid = enter("cid", 1);
  for (uint32_t shard : {0, 1}) {
    auto action = name_on(shard, 2, "app");
    for (auto* x : {&bob, &cid})
      CHECK_EQ(tell(*x, type::register_action, 2, action), "response 2");
    auto who = embed(action);
    for (auto [user, sender] : {std::pair{"ann of acme", "$tenant/acme/ann"},
                                std::pair{"eve of other", "$tenant/other/eve"},
                                std::pair{"dan", "dan"}}) {
      auto& x = enter(user);
      CHECK_EQ(say(x, type::request, 7, action),
               "response 7 \"" + action + " for " + sender + '"');
    }
    CHECK_EQ(asked(bob) + asked(cid), "");
    kill(who);
    // Now it is theirs.
    auto& ann = enter("ann of acme");
    CHECK_EQ(tell(ann, type::request, 7, action), "");
    CHECK(asked(bob).starts_with("ann: request "));
  }
}

CAF_TEST(a router that takes over knows whose the actions are) {
  start();
  auto& ann = enter("ann of acme");
  auto& bob = enter("bob of acme");
  auto& eve = enter("eve of other");
  tell(bob, type::register_action, 2, "sum");
  kill(loops[0]->routers[0].actor);
  install(0, make_router(0));
  turn();
  CHECK_EQ(tell(eve, type::request, 7, "sum"), "error 7 no_responder");
  CHECK_EQ(tell(ann, type::request, 7, "sum", text("?")), "");
  CHECK_EQ(asked(bob), "ann: request 1 sum \"?\"");
}

CAF_TEST(who is draining is asked nothing more) {
  start();
  auto& ann = enter("ann of acme");
  auto& bob = enter("bob of acme");
  tell(bob, type::register_action, 2, "sum");
  tell(ann, type::request, 7, "sum", text("?"));
  CHECK_EQ(asked(bob), "ann: request 1 sum \"?\"");
  bob->enter([&] { bob->drain(); });
  turn();
  // It has yet to answer.
  CHECK(bob.alive());
  CHECK_EQ(tell(ann, type::request, 8, "sum"), "error 8 no_responder");
}

CAF_TEST(a right that is lost takes the action back) {
  auto allowed = true;
  node.rights.authorize = [&allowed](const identity&, operation what,
                                     std::string_view) {
    return allowed || what != operation::register_action;
  };
  start();
  auto& ann = enter("ann of acme");
  auto& bob = enter("bob of acme");
  tell(bob, type::register_action, 2, "sum");
  allowed = false;
  CHECK(tell(bob, type::connect, 3, "", token("bob of acme"))
          .ends_with("; error forbidden"));
  CHECK_EQ(tell(ann, type::request, 7, "sum"), "error 7 no_responder");
}

CAF_TEST(rules of actions hold for each tenant) {
  action_rule rule{"sum/+", {}};
  rule.options.rate = {1, 1};
  node.options.action_rules.push_back(rule);
  start();
  for (auto* tenant : {"acme", "other"}) {
    auto& bob = enter(std::string{"bob of "} + tenant);
    auto& ann = enter(std::string{"ann of "} + tenant);
    tell(bob, type::register_action, 2, "sum/1");
    CHECK_EQ(tell(ann, type::request, 7, "sum/1"), "");
    CHECK_EQ(tell(ann, type::request, 8, "sum/1"), "error 8 rate_limited");
  }
}

CAF_TEST(full names of actions are for nobody) {
  start();
  auto& bob = enter("bob of acme");
  tell(bob, type::register_action, 2, "sum");
  for (auto* who : {"ann of acme", "cid"}) {
    auto& x = enter(who);
    for (auto* name : {"$tenant/acme/sum", "$tenant/acme/x/sum"}) {
      CHECK_EQ(tell(x, type::request, 7, name), "error 7 no_responder");
      CHECK_EQ(tell(x, type::register_action, 8, name), "error 8 forbidden");
      CHECK_EQ(tell(x, type::notify, 0, name), "");
    }
  }
  CHECK_EQ(asked(bob), "");
}

CAF_TEST(where tenants are not isolated the sender is the user) {
  node.options.tenant_isolation = false;
  start();
  auto who = embed("app");
  auto& ann = enter("ann of acme");
  auto& bob = enter("bob of other");
  CHECK_EQ(tell(ann, type::request, 7, "app"), "response 7 \"app for ann\"");
  tell(bob, type::register_action, 2, "sum");
  CHECK_EQ(tell(ann, type::request, 8, "sum", text("?")), "");
  CHECK_EQ(asked(bob), "ann: request 1 sum \"?\"");
  kill(who);
}

END_FIXTURE_SCOPE()
