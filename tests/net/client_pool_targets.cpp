#include <callboard/net/client_pool_targets.hpp>

#include <map>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

using sizes = std::vector<size_t>;

struct fixture {
  net::target_set make(size_t n) {
    std::vector<std::string> names;
    for (size_t i = 0; i < n; ++i)
      names.push_back("ws://node" + std::to_string(i) + "/ws");
    return net::target_set{names, options};
  }

  static bool fail(net::target_set& x, size_t target, size_t times,
                   std::chrono::steady_clock::time_point at) {
    auto result = false;
    for (size_t i = 0; i < times; ++i)
      result = x.report(target, false, at);
    return result;
  }

  net::ejection_options options;
  std::chrono::steady_clock::time_point now{1h};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(client_pool_targets_tests, fixture)

CAF_TEST(the least in flight comes first) {
  auto uut = make(3);
  CAF_CHECK_EQUAL(uut.order("", {5, 1, 3}, now), (sizes{1, 2, 0}));
  CAF_CHECK_EQUAL(uut.order("", {0, 1, 3}, now), (sizes{0, 1, 2}));
}

CAF_TEST(equal ones take turns) {
  auto uut = make(3);
  sizes first;
  for (int i = 0; i < 4; ++i)
    first.push_back(uut.order("", {2, 2, 2}, now)[0]);
  CAF_CHECK_EQUAL(first, (sizes{0, 1, 2, 0}));
}

CAF_TEST(a key keeps its target) {
  auto uut = make(4);
  std::map<size_t, size_t> firsts;
  for (int i = 0; i < 1000; ++i) {
    auto key = "room/" + std::to_string(i);
    auto one = uut.order(key, {0, 9, 0, 9}, now);
    CAF_REQUIRE_EQUAL(uut.order(key, {9, 0, 9, 0}, now), one);
    ++firsts[one[0]];
  }
  // An even share is 250; these hashes are always the same.
  for (size_t i = 0; i < 4; ++i)
    CAF_CHECK(firsts[i] > 190 && firsts[i] < 310);
}

CAF_TEST(one target less moves only its own keys) {
  auto all = make(4);
  auto less = make(3);
  for (int i = 0; i < 1000; ++i) {
    auto key = "room/" + std::to_string(i);
    auto before = all.order(key, {0, 0, 0, 0}, now);
    auto after = less.order(key, {0, 0, 0}, now);
    CAF_REQUIRE_EQUAL(after[0], before[0] == 3 ? before[1] : before[0]);
  }
}

CAF_TEST(failures in a row eject and others do not ) {
  options.failures = 3;
  auto uut = make(2);
  CAF_CHECK(!fail(uut, 0, 2, now));
  uut.report(0, true, now);
  CAF_CHECK(!fail(uut, 0, 2, now));
  CAF_CHECK(!uut.is_ejected(0, now));
  CAF_CHECK(fail(uut, 0, 1, now));
  CAF_CHECK(uut.is_ejected(0, now));
  CAF_CHECK_EQUAL(uut.order("", {0, 9}, now), (sizes{1, 0}));
}

CAF_TEST(an ejection ends at its time and the next is longer) {
  options.failures = 1;
  options.time = 10s;
  options.time_max = 15s;
  auto uut = make(2);
  fail(uut, 0, 1, now);
  CAF_CHECK(uut.is_ejected(0, now + 10s - 1ns));
  CAF_CHECK(!uut.is_ejected(0, now + 10s));
  now += 10s;
  fail(uut, 0, 1, now);
  CAF_CHECK(uut.is_ejected(0, now + 15s - 1ns));
  CAF_CHECK(!uut.is_ejected(0, now + 15s));
}

CAF_TEST(a good try ends an ejection and what it has led to) {
  options.failures = 1;
  options.time = 10s;
  auto uut = make(2);
  fail(uut, 0, 1, now);
  uut.report(0, true, now);
  CAF_CHECK(!uut.is_ejected(0, now));
  fail(uut, 0, 1, now);
  CAF_CHECK(!uut.is_ejected(0, now + 10s));
}

CAF_TEST(no more than their share is ejected) {
  options.failures = 1;
  options.share_max = 0.5;
  auto uut = make(4);
  CAF_CHECK(fail(uut, 0, 1, now));
  CAF_CHECK(fail(uut, 1, 1, now));
  CAF_CHECK(!fail(uut, 2, 1, now));
  CAF_CHECK(!uut.is_ejected(2, now));
  now += options.time;
  CAF_CHECK(fail(uut, 2, 1, now));
}

CAF_TEST(one target always stays) {
  options.failures = 1;
  options.share_max = 1;
  auto uut = make(2);
  CAF_CHECK(fail(uut, 0, 1, now));
  CAF_CHECK(!fail(uut, 1, 1, now));
  auto alone = make(1);
  CAF_CHECK(!fail(alone, 0, 9, now));
}

CAF_TEST_FIXTURE_SCOPE_END()
