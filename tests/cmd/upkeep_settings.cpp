#include <callboard/cmd/upkeep_settings.hpp>

#include <chrono>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

CAF_TEST(the time between audits is bounded) {
  node_options options;
  auto all = cmd::upkeep_settings(options);
  CAF_REQUIRE_EQUAL(all.size(), 1u);
  auto& x = all[0];
  CAF_CHECK_EQUAL(x.name, "audit-interval");
  CAF_CHECK_EQUAL(x.standard, "1m");
  CAF_CHECK_EQUAL(x.set("0s"), "");
  CAF_CHECK_EQUAL(options.audit_interval.count(), 0);
  CAF_CHECK_EQUAL(x.set("24h"), "");
  CAF_CHECK(options.audit_interval == caf::timespan{24h});
  CAF_CHECK_EQUAL(x.set("86400001ms"),
                  "'86400001ms' is out of bounds; it takes 0s to 24h");
}
