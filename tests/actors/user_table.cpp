#include <callboard/actors/user_table.hpp>

#include <optional>
#include <string>

#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture {
  /// Lets somebody in; returns the limit that refuses it, or "in".
  std::string enter(const std::string& user, const std::string& tenant = {},
                    int64_t now_ms = 0) {
    last = table().enter(user, tenant, now_ms);
    return last.refused ? std::string{to_string(*last.refused)} : "in";
  }

  void leave(const std::string& user, const std::string& tenant = {},
             int64_t now_ms = 0) {
    table().leave(user, tenant, now_ms);
  }

  user_table& table() {
    if (!made)
      made.emplace(options);
    return *made;
  }

  node_options options;
  std::optional<user_table> made;
  user_place last;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a user has as many connections as may be) {
  options.user_connections_max = 2;
  CHECK_EQ(enter("ann"), "in");
  CHECK_EQ(enter("ann"), "in");
  CHECK_EQ(enter("ann"), "user_connections");
  CHECK_EQ(enter("bob"), "in");
  leave("ann");
  CHECK_EQ(enter("ann"), "in");
  CHECK_EQ(enter("ann"), "user_connections");
}

CAF_TEST(a tenant has as many for all of its users) {
  options.tenant_connections_max = 2;
  CHECK_EQ(enter("ann", "acme"), "in");
  CHECK_EQ(enter("bob", "acme"), "in");
  CHECK_EQ(enter("cid", "acme"), "tenant_connections");
  CHECK_EQ(enter("", "acme"), "tenant_connections");
  CHECK_EQ(enter("cid", "other"), "in");
  CHECK_EQ(enter("cid"), "in");
  leave("bob", "acme");
  CHECK_EQ(enter("", "acme"), "in");
}

CAF_TEST(nobody has no limit) {
  options.user_connections_max = 1;
  options.tenant_connections_max = 1;
  for (auto i = 0; i < 3; ++i)
    CHECK_EQ(enter(""), "in");
  CHECK_EQ(table().users(), 0u);
  CHECK_EQ(table().tenants(), 0u);
}

CAF_TEST(who is refused by the tenant takes no place of the user) {
  options.user_connections_max = 1;
  options.tenant_connections_max = 1;
  CHECK_EQ(enter("ann", "acme"), "in");
  CHECK_EQ(enter("bob", "acme"), "tenant_connections");
  CHECK_EQ(table().users(), 1u);
  CHECK_EQ(enter("bob", "other"), "in");
  // Nor the other way round.
  CHECK_EQ(enter("ann", "third"), "user_connections");
  CHECK_EQ(table().tenants(), 2u);
  CHECK_EQ(enter("cid", "third"), "in");
}

CAF_TEST(names are forgotten with their last connection) {
  options.user_connections_max = 5;
  for (auto i = 0; i < 2; ++i)
    enter("ann", "acme");
  leave("ann", "acme");
  CHECK_EQ(table().users(), 1u);
  CHECK_EQ(table().tenants(), 1u);
  leave("ann", "acme");
  CHECK_EQ(table().users(), 0u);
  CHECK_EQ(table().tenants(), 0u);
  // Somebody who is not there leaves nothing behind.
  leave("ann", "acme");
  CHECK_EQ(table().users(), 0u);
}

CAF_TEST(connections of a user publish from one bucket) {
  options.publishes = {10, 2};
  enter("ann");
  auto first = last.publishes;
  enter("ann");
  CHECK(last.publishes == first);
  enter("bob");
  CHECK(last.publishes != first);
  REQUIRE(first != nullptr);
  CHECK_EQ(first->take(0), 0);
  CHECK_EQ(first->take(0), 0);
  CHECK_EQ(first->take(0), 100);
  enter("");
  CHECK(last.publishes == nullptr);
  enter("", "acme");
  CHECK(last.publishes == nullptr);
}

CAF_TEST(to come again brings no new burst) {
  options.publishes = {10, 2};
  enter("ann");
  last.publishes->take(0);
  last.publishes->take(0);
  leave("ann");
  CHECK_EQ(table().users(), 1u);
  enter("ann");
  CHECK_EQ(last.publishes->take(0), 100);
  leave("ann", "", 199);
  CHECK_EQ(table().users(), 1u);
  // What was published is made up for at 200.
  enter("bob", "", 200);
  CHECK_EQ(table().users(), 1u);
}

CAF_TEST(other limits take no place and count for the next) {
  CHECK_EQ(enter("ann", "acme"), "in");
  CHECK_EQ(enter("ann", "acme"), "in");
  options.user_connections_max = 1;
  table().set_limits(options);
  CHECK_EQ(enter("ann"), "user_connections");
  options.user_connections_max = 0;
  options.tenant_connections_max = 2;
  table().set_limits(options);
  CHECK_EQ(enter("bob", "acme"), "tenant_connections");
  leave("ann", "acme");
  CHECK_EQ(enter("bob", "acme"), "in");
  leave("ann", "acme");
  leave("bob", "acme");
  CHECK_EQ(table().users(), 0u);
  CHECK_EQ(table().tenants(), 0u);
}

CAF_TEST(a rate that comes later is one for all connections of a user) {
  enter("ann");
  CHECK(last.publishes == nullptr);
  options.publishes = {10, 2};
  table().set_limits(options);
  auto bucket = table().publishes_of("ann", 0);
  REQUIRE(bucket != nullptr);
  CHECK(table().publishes_of("ann", 0) == bucket);
  CHECK(table().publishes_of("bob", 0) == nullptr);
  enter("ann");
  CHECK(last.publishes == bucket);
  bucket->take(0);
  bucket->take(0);
  options.publishes = {1000, 50};
  table().set_limits(options);
  CHECK_EQ(table().publishes_of("ann", 0)->take(0), 1);
  options.publishes = {};
  table().set_limits(options);
  CHECK(table().publishes_of("ann", 0) == nullptr);
}

CAF_TEST(without a rate there is no bucket) {
  options.user_connections_max = 2;
  enter("ann");
  CHECK(last.publishes == nullptr);
}

END_FIXTURE_SCOPE()
