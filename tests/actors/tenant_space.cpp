// Visible names and full ones.

#include <callboard/actors/tenant_space.hpp>

#include <string>
#include <utility>

#include <callboard/actors/action_options.hpp>
#include <callboard/actors/topic_options.hpp>

#include "support/test.hpp"

using namespace callboard;

using enum subject_error;

namespace {

const std::string longest(255, 'x');

subject_error check_full_topic(std::string_view x) {
  return check_full_name(true, x, check_topic);
}

subject_error check_full_subscription(std::string_view x) {
  return check_full_name(true, x, check_subscription);
}

} // namespace

CAF_TEST(the tenant stands in front of names) {
  CHECK_EQ(tenant_topic("acme", "a/b"), "$tenant/acme/a/b");
  CHECK_EQ(tenant_topic("acme", "#"), "$tenant/acme/#");
  CHECK_EQ(tenant_topic("+", "a/#"), "$tenant/+/a/#");
  CHECK_EQ(tenant_topic("acme", "$dead/a"), "$$tenant/acme/$dead/a");
  CHECK_EQ(tenant_topic("acme", "$user/ann"), "$$tenant/acme/$user/ann");
  CHECK_EQ(tenant_action("acme", "sum"), "$tenant/acme/sum");
  CHECK_EQ(tenant_user("acme", "ann"), "$tenant/acme/ann");
  CHECK_EQ(tenant_user("acme", "$x"), "$tenant/acme/$x");
}

CAF_TEST(without a tenant topics and users keep their names) {
  CHECK_EQ(tenant_topic("", "a/b"), "a/b");
  CHECK_EQ(tenant_topic("", "$dead/a"), "$dead/a");
  CHECK_EQ(tenant_user("", "ann"), "ann");
  CHECK_EQ(tenant_action("", "sum"), "$tenant//sum");
}

CAF_TEST(full names are taken apart) {
  for (std::string tenant : {"acme", "+", "$x", longest.c_str()})
    for (std::string topic :
         {"a", "a/b", "#", "$dead/a", "$user/ann", "$tenant/b/c", "/"}) {
      auto full = tenant_topic(tenant, topic);
      auto parts = split_tenant(full);
      CHECK(parts.found);
      CHECK_EQ(parts.tenant, tenant);
      CHECK_EQ(parts.visible, topic);
      CHECK_EQ(visible_name(full), topic);
      CHECK_EQ(tenant_of(full), tenant);
      // A part of the name, and no copy.
      CHECK(visible_name(full).data()
            == full.data() + full.size() - topic.size());
    }
  auto action = tenant_action("", "sum");
  CHECK(split_tenant(action).found);
  CHECK_EQ(tenant_of(action), "");
  CHECK_EQ(visible_name(action), "sum");
}

CAF_TEST(other names have no tenant and stay) {
  for (std::string x : {"", "a", "a/$tenant/b/c", "tenant/a/b", "$", "$tenant",
                        "$tenant/", "$tenant/a", "$$tenant/a", "$tenants/a/b",
                        "$$$tenant/a/b", "$dead/$tenant/a/b", "$user/ann"}) {
    MESSAGE("name " << x);
    CHECK(!split_tenant(x).found);
    CHECK_EQ(tenant_of(x), "");
    CHECK_EQ(visible_name(x), x);
  }
}

CAF_TEST(a tenant has the name of a segment) {
  for (std::string x : {"a", "acme", "a b", "a.b", "a$", "-", "r\u00e4ume"})
    CHECK(is_tenant_name(x));
  CHECK(is_tenant_name(longest));
  CHECK(!is_tenant_name(longest + 'x'));
  for (std::string x : {"", "/", "a/b", "a/", "/a", "+", "#", "a+", "$", "$a",
                        "a\n", "a\x7f", "\xff"})
    CHECK(!is_tenant_name(x));
}

CAF_TEST(dead letters stay with their tenant) {
  CHECK_EQ(dead_letter_topic("a/b"), "$dead/a/b");
  CHECK_EQ(dead_letter_topic("$tenant/acme/a/b"), "$$tenant/acme/$dead/a/b");
  CHECK(is_dead_letter_topic("$dead/a"));
  CHECK(is_dead_letter_topic("$$tenant/acme/$dead/a"));
  for (auto* x : {"a", "a/$dead/b", "$tenant/acme/a", "$$tenant/acme/$user/a"})
    CHECK(!is_dead_letter_topic(x));
}

// -- what applications say ----------------------------------------------------

CAF_TEST(applications may use full names) {
  CHECK(check_full_topic("a/b") == none);
  CHECK(check_full_topic("$tenant/acme/a/b") == none);
  CHECK(check_full_subscription("$tenant/acme/#") == none);
  CHECK(check_full_subscription("$tenant/+/a/#") == none);
  CHECK(check_full_subscription("$$tenant/acme/$dead/#") == none);
  CHECK(check_full_subscription("$$tenant/+/$dead/a") == none);
  CHECK(check_full_name(true, "$$tenant/acme/$dead/a", check_readable) == none);
}

CAF_TEST(full names are checked by both of their parts) {
  CHECK(check_full_topic("$tenant/+/a") == wildcard);
  CHECK(check_full_topic("$tenant/acme/a/+") == wildcard);
  CHECK(check_full_topic("$tenant/acme/a//b") == empty_segment);
  CHECK(check_full_topic("$tenant/acme/") == empty);
  CHECK(check_full_name(true, "$tenant/+/a", check_readable) == wildcard);
  CHECK(check_full_subscription("$tenant/acme/#/a") == misplaced_wildcard);
  for (auto* x : {"$tenant//a", "$tenant/#/a", "$tenant/$x/a", "$tenant/a+/a",
                  "$tenant/acme", "$tenant/#", "$x/acme/a",
                  // The other prefix is theirs.
                  "$tenant/acme/$dead/a", "$$tenant/acme/a"})
    CHECK(check_full_subscription(x) == reserved);
}

CAF_TEST(visible names have all of their bytes behind any tenant) {
  auto full = tenant_topic(longest, longest);
  CHECK_EQ(full.size(), 8u + 255 + 1 + 255);
  CHECK(check_full_topic(full) == none);
  CHECK(check_full_topic(full + 'x') == too_long);
  CHECK(check_full_topic(tenant_topic(longest + 'x', "a")) == reserved);
}

CAF_TEST(where tenants are not isolated full names are reserved) {
  for (auto* x : {"$tenant/acme/a", "$$tenant/acme/$dead/a"})
    CHECK(check_full_name(false, x, check_subscription) == reserved);
  CHECK(check_full_name(false, "a", check_subscription) == none);
  CHECK(check_full_name(false, "$dead/a", check_subscription) == none);
}

// -- rules --------------------------------------------------------------------

CAF_TEST(rules mean visible names) {
  std::vector<topic_rule> rules{{"a/+", {.history_size = 1}},
                                {"$dead/#", {.history_size = 2}},
                                {"$user/+", {.history_size = 3}},
                                {"#", {.history_size = 4}}};
  auto size_of = [&](const std::string& x) {
    return options_of(rules, x).history_size;
  };
  for (std::string tenant : {"", "acme"}) {
    CHECK_EQ(size_of(tenant_topic(tenant, "a/b")), 1u);
    CHECK_EQ(size_of(tenant_topic(tenant, "$dead/a")), 2u);
    CHECK_EQ(size_of(tenant_topic(tenant, "$user/a")), 3u);
    CHECK_EQ(size_of(tenant_topic(tenant, "b")), 4u);
    CHECK_EQ(size_of(tenant_topic(tenant, "$x")), 0u);
  }
}

CAF_TEST(what patterns may retain goes by visible names) {
  std::vector<topic_rule> rules{{"a/+", {.retain = true}}};
  for (auto* x :
       {"$tenant/acme/#", "$tenant/acme/a/+", "$tenant/+/#", "$tenant/+/a/b"})
    CHECK(may_retain(rules, x));
  for (auto* x : {"$tenant/acme/b/#", "$$tenant/acme/$dead/#"})
    CHECK(!may_retain(rules, x));
}

CAF_TEST(rules of actions mean visible names) {
  std::vector<action_rule> rules{{"sum/+", {}}};
  CHECK(rule_of(rules, "sum/1") == rules.data());
  CHECK(rule_of(rules, tenant_action("acme", "sum/1")) == rules.data());
  CHECK(rule_of(rules, tenant_action("", "sum/1")) == rules.data());
  CHECK(rule_of(rules, tenant_action("acme", "sum")) == nullptr);
}
