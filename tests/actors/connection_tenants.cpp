// Clients of tenants that share a node and know nothing of each other.

#include <callboard/actors/connection.hpp>

#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/user_table.hpp>

#include "actors/tenant_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;
using fixture = tenant_fixture;

namespace {

bool has(const std::string& words, const std::string& part) {
  return words.find(part) != std::string::npos;
}

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- topics -------------------------------------------------------------------

CAF_TEST(topics of one name in two tenants are two) {
  start(2);
  std::vector<std::pair<client*, std::string>> all{
    {&enter("ann of acme"), "acme"},
    {&enter("bob of acme", 1, wire_form::json), "acme"},
    {&enter("eve of other", 1), "other"},
    {&enter("cid"), ""}};
  for (auto& [x, tenant] : all)
    CHECK(tell(*x, type::subscribe, 2, "news").starts_with("response 2 {"));
  for (size_t i : {0, 2, 3}) {
    all[i].first->publish("news", "hi");
    turn();
    // Each is the first of its topic.
    for (auto& [x, tenant] : all)
      CHECK_EQ(told(*x),
               std::string{tenant == all[i].second ? "event news @1 \"hi\""
                                                   : ""});
  }
}

CAF_TEST(where tenants are not isolated they share their topics) {
  node.options.tenant_isolation = false;
  start();
  auto& ann = enter("ann of acme");
  auto& eve = enter("eve of a/b");
  tell(ann, type::subscribe, 2, "news");
  eve.publish("news", "hi");
  turn();
  CHECK_EQ(told(ann), "event news @1 \"hi\"");
  push(eve, "ann");
  CHECK_EQ(told(ann), "event $user/ann @1 \"hi\"");
}

CAF_TEST(patterns match the own tenant alone) {
  start(2);
  auto& bob = enter("bob of acme");
  auto offset = 0;
  for (std::string pattern : {"#", "+/x", "a/+", "+/+", "a/#"}) {
    auto& ann = enter("ann of acme", 1);
    auto& eve = enter("eve of other", 1);
    auto& cid = enter("cid", 1);
    for (auto* x : {&ann, &eve, &cid})
      CHECK_EQ(tell(*x, type::subscribe, 2, pattern), "response 2 {}");
    bob.publish("a/x", "hi");
    turn();
    CHECK_EQ(told(ann), "event a/x @" + std::to_string(++offset) + " by "
                          + pattern + " \"hi\"");
    CHECK_EQ(told(eve) + told(cid), "");
  }
}

CAF_TEST(patterns match nothing that begins with a dollar) {
  start();
  auto& bob = enter("bob of acme");
  auto& ann = enter("ann of acme");
  for (auto* pattern : {"#", "+/#", "+/+", "+/bob"})
    tell(ann, type::subscribe, 2, pattern);
  push(ann, "bob");
  CHECK_EQ(told(bob), "event $user/bob @1 \"hi\"");
  CHECK_EQ(told(ann), "");
}

CAF_TEST(nobody reaches full names) {
  start();
  enter("eve of other");
  for (auto* who : {"ann of acme", "cid"}) {
    auto& x = enter(who);
    for (std::string name :
         {"$tenant/acme/a", "$tenant/other/a", "$tenant/#", "$tenant/+/#",
          "$tenant//a", "$$tenant/acme/$dead/a", "$$tenant/acme/$user/ann",
          "$$tenant/other/$user/eve", "$dead/$tenant/acme/a", "$dead/$tenant/#",
          "$user/$tenant/acme/ann", "$user/#"}) {
      MESSAGE(who << " and " << name);
      CHECK_EQ(say(x, type::subscribe, 2, name), "error 2 bad_subject");
      CHECK_EQ(say(x, type::unsubscribe, 2, name), "error 2 not_subscribed");
      CHECK_EQ(say(x, type::publish, 2, name, text("x")),
               "error 2 bad_subject");
      CHECK_EQ(join(x, name), refusal("bad_subject"));
      CHECK_EQ(leave(x, name), refusal("not_subscribed"));
      for (auto* action : {"callboard.history", "callboard.position",
                           "callboard.presence", "callboard.presence_count"})
        CHECK_EQ(ask_about(x, action, name), "error 9 bad_subject");
    }
    CHECK_EQ(x.box->subscriptions.size(), 1u);
  }
}

CAF_TEST(visible names keep their bound) {
  start();
  auto& ann = enter("ann of " + std::string(255, 't'));
  std::string name(255, 'x');
  CHECK(tell(ann, type::subscribe, 2, name).starts_with("response 2 {"));
  CHECK(has(tell(ann, type::publish, 3, name, text("hi")),
            "event " + name + " @1 \"hi\""));
  CHECK_EQ(tell(ann, type::subscribe, 4, name + 'x'), "error 4 bad_subject");
  CHECK_EQ(tell(ann, type::publish, 5, name + 'x'), "error 5 bad_subject");
  CHECK_EQ(tell(ann, type::unsubscribe, 6, name), "response 6");
  CHECK_EQ(tell(ann, type::unsubscribe, 7, name), "error 7 not_subscribed");
}

// -- what topics keep ---------------------------------------------------------

CAF_TEST(what is kept is kept for the tenant) {
  start(2);
  auto& ann = enter("ann of acme");
  publish(ann, "kept/a", 3);
  auto& bob = enter("bob of acme", 1, wire_form::json);
  auto& eve = enter("eve of other", 1);
  auto& cid = enter("cid");
  CHECK_EQ(ask_about(bob, "callboard.position", "kept/a"),
           "response 9 {\"epoch\":\"run.1\",\"offset\":3}");
  CHECK(has(ask_about(bob, "callboard.history", "kept/a"), "\"offset\":3,"));
  for (auto* x : {&eve, &cid})
    CHECK(has(ask_about(*x, "callboard.history", "kept/a"),
              "\"offset\":0,\"more\":false,\"events\":[]"));
  frame_view since;
  since.type = type::subscribe;
  since.seq_id = 2;
  since.subject = "kept/a";
  since.meta.mark(meta_key::since);
  since.meta.since = {"run.1", 1};
  CHECK_EQ(tell(bob, since),
           "response 2 {\"epoch\":\"run.1\",\"offset\":3,\"recovered\":true}; "
           "event kept/a @2 \"x\"; event kept/a @3 \"x\"");
  for (auto* x : {&eve, &cid})
    CHECK(has(tell(*x, since), "\"offset\":0,\"recovered\":false}"));
}

CAF_TEST(last values are those of the tenant) {
  node.options.topics.push_back({"last/#", {.retain = true}});
  start(2);
  publish(enter("ann of acme"), "last/a");
  auto& bob = enter("bob of acme", 1);
  CHECK(tell(bob, type::subscribe, 2, "last/a")
          .ends_with("}; event last/a @1 retained \"x\""));
  CHECK_EQ(tell(bob, type::subscribe, 3, "last/+"),
           "response 3 {\"retained\":true}; "
           "event last/a @1 by last/+ retained \"x\"");
  for (auto* who : {"eve of other", "cid"}) {
    auto& x = enter(who, 1);
    CHECK(tell(x, type::subscribe, 2, "last/a").ends_with("}"));
    CHECK_EQ(tell(x, type::subscribe, 3, "#"),
             "response 3 {\"retained\":true}");
  }
}

CAF_TEST(positions have the names that clients know) {
  start();
  auto& ann = enter("ann of acme");
  tell(ann, type::subscribe, 2, "news");
  CHECK(join(ann, "jobs").starts_with("response 1 {"));
  replace_broker(0);
  auto words = told(ann);
  CHECK(has(words, "position news {"));
  CHECK(has(words, "position $user/ann {"));
  CHECK(has(words, "position jobs of g {"));
  ann.publish("news", "hi");
  turn();
  CHECK_EQ(told(ann), "event news @1 \"hi\"");
}

// -- rules and rights ---------------------------------------------------------

CAF_TEST(rules of topics are the same for all) {
  node.options.topics.push_back(
    {"closed/#", {.publishers = publishers::server}});
  node.options.topics.push_back({"small/#", {.payload_bytes_max = 4}});
  node.options.topics.push_back({"slow/#", {.publish_rate = 1}});
  start();
  for (auto* who : {"ann of acme", "eve of other", "cid"}) {
    auto& x = enter(who);
    CHECK_EQ(tell(x, type::publish, 2, "closed/a"), "error 2 forbidden");
    CHECK_EQ(tell(x, type::publish, 3, "small/a", text("1234")),
             "error 3 frame_too_large");
    CHECK(tell(x, type::publish, 4, "small/a", text("123"))
            .starts_with("response 4 {"));
    // Each tenant has the whole rate.
    CHECK(tell(x, type::publish, 5, "slow/a", text("x"))
            .starts_with("response 5 {"));
    CHECK_EQ(tell(x, type::publish, 6, "slow/a", text("x")),
             "error 6 rate_limited");
  }
}

CAF_TEST(rights are asked about visible names) {
  std::set<std::string> asked;
  node.rights.authorize = [&asked](const identity& who, operation,
                                   std::string_view subject) {
    asked.emplace(subject);
    return who.tenant == "acme" && subject != "secret";
  };
  start();
  auto& ann = enter("ann of acme");
  auto& eve = enter("eve of other");
  CHECK(tell(ann, type::subscribe, 2, "a/+").starts_with("response 2"));
  CHECK(has(tell(ann, type::publish, 3, "a/b", text("x")), "response 3"));
  CHECK_EQ(tell(ann, type::subscribe, 4, "secret"), "error 4 forbidden");
  CHECK_EQ(ask_about(ann, "callboard.history", "secret"), "error 9 forbidden");
  CHECK_EQ(tell(eve, type::subscribe, 5, "a/b"), "error 5 forbidden");
  push(ann, "bob");
  CHECK_EQ(asked, (std::set<std::string>{"$user/bob", "a/+", "a/b", "secret"}));
}

CAF_TEST(what a new log in takes away is named as the client knows it) {
  auto allowed = true;
  node.rights.authorize = [&allowed](const identity&, operation,
                                     std::string_view subject) {
    CHECK(!subject.starts_with("$tenant"));
    return allowed;
  };
  start();
  auto& ann = enter("ann of acme");
  tell(ann, type::subscribe, 2, "a");
  tell(ann, type::subscribe, 3, "b/+");
  join(ann, "jobs");
  tell(ann, type::register_action, 4, "act");
  allowed = false;
  ann.say(type::connect, 5, "", token("ann of acme"));
  turn();
  CHECK(ann.socket.received.find("tenant/") == std::string::npos);
  std::vector<std::string> sentences;
  for (auto& x : ann.take())
    if (x.type == type::error)
      sentences.push_back(text_of(x.content));
  CHECK_EQ(sentences,
           (std::vector<std::string>{"No subscriber of 'a' any more.",
                                     "No subscriber of 'b/+' any more.",
                                     "No member of 'g' of 'jobs' any more.",
                                     "No responder of 'act' any more."}));
  // The own topic stays.
  CHECK_EQ(ann.box->subscriptions.size(), 1u);
}

// -- presence -----------------------------------------------------------------

CAF_TEST(who is there is there for the own tenant) {
  node.options.topics.push_back({"room/#", {.presence = true}});
  start(2);
  auto& ann = enter("ann of acme");
  frame_view watch;
  watch.type = type::subscribe;
  watch.seq_id = 2;
  watch.subject = "room/1";
  watch.meta.mark(meta_key::presence);
  watch.meta.presence = true;
  CHECK(tell(ann, watch).starts_with("response 2 {"));
  pass(1s);
  told(ann);
  auto& eve = enter("eve of other", 1);
  CHECK(tell(eve, type::subscribe, 2, "room/1").starts_with("response 2 {"));
  pass(1s);
  CHECK_EQ(told(ann), "");
  auto& bob = enter("bob of acme", 1);
  tell(bob, type::subscribe, 2, "room/1");
  CHECK_EQ(told(ann), "presence room/1 [{\"event\":\"join\",\"user\":\"bob\","
                      "\"connection\":\""
                        + bob->wire_name() + "\"}]");
  CHECK_EQ(ask_about(eve, "callboard.presence", "room/1"),
           "response 9 {\"members\":[{\"user\":\"eve\",\"connections\":[\""
             + eve->wire_name() + "\"]}]}");
  CHECK_EQ(ask_about(bob, "callboard.presence_count", "room/1"),
           "response 9 {\"members\":2,\"connections\":2}");
  CHECK_EQ(ask_about(bob, "callboard.presence_count", "lobby"),
           "error 9 no_presence");
  for (uint32_t shard : {0, 1})
    replace_broker(shard);
  CHECK(has(told(ann), "presence room/1 [{\"event\":\"reset\"}]"));
}

// -- users --------------------------------------------------------------------

CAF_TEST(users of one name in two tenants are two) {
  node.options.topics.push_back({"$user/#", {.history_size = 10}});
  start(2);
  auto& one = enter("bob of acme", 1);
  auto& two = enter("bob of other", 1);
  auto& three = enter("bob");
  auto& ann = enter("ann of acme");
  CHECK(push(ann, "bob").starts_with("response 9 {"));
  CHECK_EQ(told(one), "event $user/bob @1 \"hi\"");
  CHECK_EQ(told(two) + told(three), "");
  auto position = "callboard.position";
  CHECK(has(ask_about(one, position, "$user/bob"), "\"offset\":1}"));
  CHECK(has(ask_about(two, position, "$user/bob"), "\"offset\":0}"));
  CHECK_EQ(tell(ann, type::subscribe, 4, "$user/bob"), "error 4 bad_subject");
  CHECK_EQ(tell(one, type::unsubscribe, 5, "$user/bob"), "response 5");
  push(ann, "bob");
  CHECK_EQ(told(one), "");
  CHECK(tell(one, type::subscribe, 6, "$user/bob").starts_with("response 6 {"));
  CHECK(tell(one, type::subscribe, 7, "$user/bob").starts_with("response 7 {"));
  CHECK_EQ(one.box->subscriptions.size(), 1u);
  CHECK(has(push(three, "bob"), "event $user/bob @1 \"hi\""));
  CHECK_EQ(told(one) + told(two), "");
}

CAF_TEST(the own topic takes no place of a tenant either) {
  node.options.subscriptions_max = 1;
  start();
  auto& ann = enter("ann of acme");
  CHECK(tell(ann, type::subscribe, 2, "a").starts_with("response 2 {"));
  CHECK_EQ(tell(ann, type::subscribe, 3, "b"),
           "error 3 too_many_subscriptions");
  CHECK(tell(ann, type::subscribe, 4, "$user/ann").starts_with("response 4 {"));
}

CAF_TEST(limits of users are those of a tenant) {
  node.options.user_connections_max = 1;
  node.users = std::make_shared<user_table>(node.options);
  start();
  for (auto* who : {"bob of acme", "bob of other", "bob"}) {
    CHECK_EQ(log_in(who), "welcome");
    CHECK_EQ(log_in(who), "error 1 forbidden; close 4504 user_connections");
  }
  // Who goes gives back the place of its own tenant.
  auto& first = *clients.front();
  first->enter([&] { first->lost(1001, "bye"); });
  turn();
  CHECK_EQ(log_in("bob of other"),
           "error 1 forbidden; close 4504 user_connections");
  CHECK_EQ(log_in("bob of acme"), "welcome");
}

// -- names that do not fit ----------------------------------------------------

CAF_TEST(a tenant whose name is no segment is refused) {
  start();
  std::string longest(255, 'x');
  auto refused = "error 1 forbidden; close 4501 tenant_name";
  CHECK_EQ(log_in("ann of " + longest), "welcome");
  CHECK_EQ(log_in("ann of " + longest + 'x'), refused);
  for (auto* tenant : {"a/b", "+", "#", "a+", "$a"})
    CHECK_EQ(log_in(std::string{"ann of "} + tenant), refused);
  CHECK_EQ(loops[0]->metrics.refusals_by(limit_kind::tenant_name)->value(), 6);
}

CAF_TEST(a user without a tenant does not pass for one) {
  start();
  auto refused = "error 1 forbidden; close 4501 tenant_name";
  for (auto* user : {"$tenant/acme/ann", "$tenant//ann", "$$tenant/acme/x"}) {
    auto& x = open(0, {}, true);
    x.say(type::connect, 1, "", token(user));
    turn();
    CHECK_EQ(x.heard(), "error 1 forbidden");
    CHECK_EQ(x.close_code(), 4501);
    CHECK_EQ(x.socket.close_reason, "tenant_name");
  }
  CHECK_EQ(log_in("ann of +"), refused);
  // Behind a tenant the name is that of nobody else.
  auto& x = open(0, {}, true);
  CHECK(say(x, type::connect, 1, "", token("$tenant/acme/ann of acme"))
          .starts_with("welcome 1 {"));
  CHECK_EQ(loops[0]->metrics.refusals_by(limit_kind::tenant_name)->value(), 4);
}

CAF_TEST(operators are told whose user it is) {
  start();
  CHECK_EQ(enter("ann of acme")->history().user, "$tenant/acme/ann");
  CHECK_EQ(enter("ann")->history().user, "ann");
}

END_FIXTURE_SCOPE()
