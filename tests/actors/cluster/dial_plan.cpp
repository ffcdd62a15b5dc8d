#include <callboard/actors/cluster/dial_plan.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

using strings = std::vector<std::string>;

namespace {

struct fixture {
  strings due(const strings& missing = {}) {
    return x.take_due(
      missing, [this](const std::string& name) { return name == linked; }, now);
  }

  /// Returns how long an address has to wait after a failure.
  int64_t wait_of(const std::string& address) {
    x.failed(address, now);
    auto begin = now;
    while (due() != strings{address})
      ++now;
    return now - begin;
  }

  dial_plan x{7};
  int64_t now = 1'000'000;
  std::string linked;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(seeds and what is missing are dialed once at a time) {
  CHECK(x.add_seed("s:1", 64));
  CHECK(x.add_seed("s:1", 64));
  CHECK_EQ(due({"m:1"}), (strings{"m:1", "s:1"}));
  CHECK_EQ(due({"m:1"}), strings{});
  x.failed("m:1", now);
  now += dial_plan::wait_ms_max;
  CHECK_EQ(due({"m:1"}), strings{"m:1"});
}

CAF_TEST(what is missing no longer is forgotten) {
  CHECK_EQ(due({"m:1"}), strings{"m:1"});
  x.failed("m:1", now);
  CHECK_EQ(due(), strings{});
  // It begins anew.
  CHECK_EQ(due({"m:1"}), strings{"m:1"});
}

CAF_TEST(what is wrong with who is there is told when it stays so) {
  constexpr auto n = dial_plan::told_after;
  x.add_seed("s:1", 64);
  // Returns at which of so many failures it is told.
  auto told = [this](uint32_t failures, const std::string& why) {
    std::vector<uint32_t> result;
    for (uint32_t i = 1; i <= failures; ++i)
      if (x.failed("s:1", now, why))
        result.push_back(i);
    return result;
  };
  using numbers = std::vector<uint32_t>;
  CHECK_EQ(told(n - 1, "deaf"), numbers{});
  CHECK_EQ(told(2 * n, "mute"), numbers{n});
  CHECK_EQ(told(2 * n, "deaf"), numbers{n});
  CHECK_EQ(told(2 * n, ""), numbers{});
  CHECK_EQ(told(n, "deaf"), numbers{n});
  x.found("s:1", "b", now);
  CHECK_EQ(told(n, "deaf"), numbers{n});
  // Of no address that is dialed.
  for (uint32_t i = 0; i < n; ++i)
    CHECK(!x.failed("m:1", now, "deaf"));
}

CAF_TEST(a seed is dialed until the node behind it is linked) {
  x.add_seed("s:1", 64);
  CHECK_EQ(due(), strings{"s:1"});
  linked = "b";
  x.found("s:1", "b", now);
  now += 60'000;
  CHECK_EQ(due(), strings{});
  linked.clear();
  CHECK_EQ(due(), strings{"s:1"});
}

CAF_TEST(an address that leads to a linked node is not dialed) {
  CHECK_EQ(due({"old:1"}), strings{"old:1"});
  linked = "b";
  x.found("old:1", "b", now);
  now += 60'000;
  CHECK_EQ(due({"old:1"}), strings{});
  linked.clear();
  CHECK_EQ(due({"old:1"}), strings{"old:1"});
}

CAF_TEST(waits grow up to a bound and differ) {
  x.add_seed("s:1", 64);
  CHECK_EQ(due(), strings{"s:1"});
  int64_t bounds[] = {200, 400, 800, 1600, 3200, 5000, 5000, 5000};
  for (auto bound : bounds)
    CHECK(wait_of("s:1") <= bound);
  int64_t longest = 0;
  int64_t shortest = dial_plan::wait_ms_max;
  for (int i = 0; i < 50; ++i) {
    auto wait = wait_of("s:1");
    longest = std::max(longest, wait);
    shortest = std::min(shortest, wait);
  }
  CHECK(longest > 4000);
  CHECK(longest <= 5000);
  CHECK(shortest < 1000);
  // A node that was found is dialed soon when it is lost.
  x.found("s:1", "b", now);
  now += 200;
  CHECK_EQ(due(), strings{"s:1"});
  CHECK(wait_of("s:1") <= 200);
}

CAF_TEST(seeds have a bound) {
  CHECK(x.add_seed("s:1", 2));
  CHECK(x.add_seed("s:2", 2));
  CHECK(!x.add_seed("s:3", 2));
  CHECK(x.add_seed("s:2", 2));
}

CAF_TEST(what is no seed any more makes room and is not dialed) {
  x.add_seed("s:1", 1);
  CHECK_EQ(due(), strings{"s:1"});
  x.failed("s:1", now);
  now += dial_plan::wait_ms_max;
  x.remove_seed("s:1");
  x.remove_seed("s:9");
  CHECK_EQ(due({"s:1"}), strings{"s:1"});
  x.failed("s:1", now);
  now += dial_plan::wait_ms_max;
  CHECK_EQ(due(), strings{});
  CHECK(x.add_seed("s:2", 1));
  CHECK_EQ(due(), strings{"s:2"});
}

END_FIXTURE_SCOPE()
