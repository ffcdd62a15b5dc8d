// Groups of tenants that share a node.

#include <callboard/actors/connection.hpp>

#include <string>

#include <callboard/actors/tenant_space.hpp>

#include "actors/tenant_fixture.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : tenant_fixture {
  fixture() {
    node.options.group_attempts_max = 1;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(groups share the events of their tenant) {
  start(2);
  auto& ann = enter("ann of acme");
  auto& bob = enter("bob of acme", 1, wire_form::json);
  auto& eve = enter("eve of other", 1);
  auto& cid = enter("cid", 1);
  for (auto* x : {&ann, &bob, &eve, &cid})
    CHECK(join(*x, "jobs").starts_with("response 1 {"));
  CHECK_EQ(join(ann, "jobs"), refusal("already_subscribed"));
  publish(ann, "jobs", 2);
  CHECK_EQ(told(ann), "event 1 jobs @1 of g \"x\"");
  CHECK_EQ(told(bob), "event 1 jobs @2 of g \"x\"");
  CHECK_EQ(told(eve) + told(cid), "");
  CHECK_EQ(tell(ann, type::ack, 1) + tell(bob, type::ack, 1), "");
  CHECK_EQ(count(&group_metrics::confirmations), 2);
  CHECK_EQ(leave(ann, "jobs"), "response 1");
  CHECK_EQ(leave(ann, "jobs"), refusal("not_subscribed"));
  publish(eve, "jobs");
  CHECK_EQ(told(eve), "event 1 jobs @1 of g \"x\"");
  CHECK_EQ(told(ann) + told(bob) + told(cid), "");
}

CAF_TEST(dead letters stay with their tenant) {
  start(2);
  auto& ann = enter("ann of acme");
  auto& bob = enter("bob of acme", 1);
  auto& eve = enter("eve of other", 1);
  auto& cid = enter("cid", 1);
  for (auto* x : {&bob, &eve, &cid}) {
    CHECK_EQ(tell(*x, type::subscribe, 2, "$dead/#"), "response 2 {}");
    CHECK(tell(*x, type::subscribe, 3, "$dead/jobs").starts_with("response 3"));
    CHECK_EQ(tell(*x, type::subscribe, 4, "#"), "response 4 {}");
  }
  join(ann, "jobs");
  publish(ann, "jobs");
  CHECK_EQ(told(ann), "event 1 jobs @1 of g \"x\"");
  CHECK_EQ(told(bob), "event jobs @1 by # \"x\"");
  CHECK_EQ(tell(ann, type::error, 1, "busy"), "");
  auto letters = told(bob);
  for (std::string words :
       {"event $dead/jobs @1 attempt 1 from g \"x\"",
        "event $dead/jobs @1 by $dead/# attempt 1 from g \"x\""})
    CHECK(letters.find(words) != std::string::npos);
  CHECK(letters.find(" by # ") == std::string::npos);
  CHECK_EQ(told(eve) + told(cid) + told(ann), "");
  CHECK_EQ(count(&group_metrics::dead_letters), 1);
  // They are kept as the rule for `$dead/#` says.
  auto offset_of = [&](client& x) {
    auto words = ask_about(x, "callboard.history", "$dead/jobs");
    return words.substr(words.find("\"offset\":"), 10);
  };
  CHECK_EQ(offset_of(ann), "\"offset\":1");
  CHECK_EQ(offset_of(eve), "\"offset\":0");
  CHECK_EQ(offset_of(cid), "\"offset\":0");
}

CAF_TEST(the longest full name is that of a dead letter) {
  start(2);
  std::string tenant(255, 't');
  // As many segments as a name can have.
  std::string topic = "x";
  for (int i = 0; i < 127; ++i)
    topic += "/x";
  auto dead = "$dead/" + topic;
  CHECK_EQ(tenant_topic(tenant, dead).size(), 526u);
  auto& ann = enter("ann of " + tenant);
  auto& bob = enter("bob of " + tenant, 1);
  CHECK(tell(bob, type::subscribe, 2, dead).starts_with("response 2 {"));
  CHECK_EQ(tell(bob, type::subscribe, 3, "$dead/x/#"), "response 3 {}");
  CHECK_EQ(tell(bob, type::subscribe, 4, dead + 'x'), "error 4 bad_subject");
  CHECK(join(ann, topic).starts_with("response 1 {"));
  CHECK_EQ(tell(ann, type::subscribe, 4, topic + 'x'), "error 4 bad_subject");
  publish(ann, topic);
  CHECK_EQ(told(ann), "event 1 " + topic + " @1 of g \"x\"");
  CHECK_EQ(tell(ann, type::error, 1, "busy"), "");
  auto letters = told(bob);
  for (std::string words : {" @1 attempt 1 from g \"x\"",
                            " @1 by $dead/x/# attempt 1 from g \"x\""})
    CHECK(letters.find("event " + dead + words) != std::string::npos);
  CHECK_EQ(count(&group_metrics::dead_letters), 1);
}

CAF_TEST(dead letters of dead letters are none) {
  start();
  auto& ann = enter("ann of acme");
  join(ann, "jobs");
  publish(ann, "jobs");
  told(ann);
  // From where the letter is.
  CHECK(join(ann, "$dead/jobs").starts_with("response 1 {"));
  tell(ann, type::error, 1, "busy");
  pass(1s);
  CHECK_EQ(count(&group_metrics::dead_letters), 1);
  CHECK_EQ(count(&group_metrics::lost), 0);
  tell(ann, type::error, 2, "busy");
  CHECK_EQ(count(&group_metrics::dead_letters), 2);
  CHECK_EQ(count(&group_metrics::lost), 1);
}

END_FIXTURE_SCOPE()
