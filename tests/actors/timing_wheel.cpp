#include <callboard/actors/timing_wheel.hpp>

#include <limits>
#include <map>
#include <memory>
#include <random>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

using wheel = timing_wheel<int>;

/// Pops everything that is due.
std::vector<int> pop_all(wheel& x, int64_t now_ms) {
  std::vector<int> result;
  while (auto value = x.pop_due(now_ms))
    result.push_back(*value);
  return result;
}

std::vector<int> ints(std::initializer_list<int> xs) {
  return xs;
}

} // namespace

CAF_TEST(an empty wheel waits for nothing) {
  wheel x;
  CHECK(x.empty());
  CHECK(!x.next_due());
  CHECK(!x.pop_due(1000));
}

CAF_TEST(a value is due at its millisecond and not before) {
  for (int64_t delay : {1, 2, 63, 64, 65, 4095, 4096, 4097, 300'000}) {
    for (int64_t now : {0, 1, 63, 64, 1'000'000, 1'000'063}) {
      wheel x;
      x.add(now, now + delay, 7);
      CHECK(!x.pop_due(now + delay - 1));
      CHECK_EQ(x.size(), 1u);
      CHECK_EQ(pop_all(x, now + delay), ints({7}));
      CHECK(x.empty());
    }
  }
}

CAF_TEST(what lies in the past is due at once) {
  wheel x;
  CHECK(!x.pop_due(500));
  x.add(500, 100, 1);
  x.add(500, 500, 2);
  CHECK_EQ(x.next_due(), 500);
  CHECK_EQ(pop_all(x, 500).size(), 2u);
}

CAF_TEST(values come in order of time) {
  wheel x;
  std::vector<int> delays{70'000, 3, 5000, 64, 65, 63, 262'144, 1};
  for (auto delay : delays)
    x.add(0, delay, delay);
  CHECK_EQ(pop_all(x, 1'000'000),
           ints({1, 3, 63, 64, 65, 5000, 70'000, 262'144}));
}

CAF_TEST(a cancelled value never comes) {
  wheel x;
  auto first = x.add(0, 100, 1);
  auto second = x.add(0, 100, 2);
  auto third = x.add(0, 100, 3);
  CHECK_EQ(x.cancel(second), 2);
  CHECK_EQ(x.cancel(third), 3);
  CHECK_EQ(x.size(), 1u);
  CHECK_EQ(x.cancel(first), 1);
  CHECK(!x.next_due());
  CHECK(!x.pop_due(1000));
}

CAF_TEST(the end of time is far but not out of reach) {
  constexpr auto end = std::numeric_limits<int64_t>::max();
  wheel x;
  auto last = x.add(0, end, 1);
  x.add(0, end - 1, 2);
  CHECK(!x.pop_due(end - 2));
  CHECK_EQ(pop_all(x, end - 1), ints({2}));
  CHECK_EQ(x.next_due(), end);
  CHECK_EQ(x.cancel(last), 1);
}

CAF_TEST(one timer after the other finds what is due in time) {
  std::mt19937_64 rng{1};
  for (int round = 0; round < 200; ++round) {
    wheel x;
    auto now = static_cast<int64_t>(rng() % 1'000'000);
    auto due = now + 1 + static_cast<int64_t>(rng() % 100'000'000);
    x.add(now, due, 7);
    size_t timers = 0;
    for (;; ++timers) {
      auto next = x.next_due();
      REQUIRE(next);
      REQUIRE(*next >= now);
      REQUIRE(*next <= due);
      now = *next;
      if (x.pop_due(now))
        break;
    }
    CHECK_EQ(now, due);
    // 100,000,000 ms are less than 64⁵.
    CHECK(timers < 5);
  }
}

CAF_TEST(entries are used again) {
  wheel x;
  for (int i = 0; i < 10; ++i)
    x.add(0, 10 + i, i);
  int64_t now = 0;
  for (int i = 0; i < 1000; ++i) {
    now = *x.next_due();
    while (auto value = x.pop_due(now)) {
      auto at = x.add(now, now + 1000, *value);
      CHECK(at < 10);
    }
  }
  CHECK_EQ(x.size(), 10u);
}

CAF_TEST(a value is let go when it is popped or cancelled) {
  auto value = std::make_shared<int>(1);
  timing_wheel<std::shared_ptr<int>> x;
  auto first = x.add(0, 10, value);
  x.add(0, 10, value);
  CHECK_EQ(value.use_count(), 3);
  x.cancel(first);
  CHECK_EQ(value.use_count(), 2);
  x.pop_due(10);
  CHECK_EQ(value.use_count(), 1);
}

CAF_TEST(a wheel does what a sorted map does) {
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    std::mt19937_64 rng{seed};
    auto below = [&rng](uint64_t n) { return static_cast<int64_t>(rng() % n); };
    wheel x;
    std::map<int, std::pair<int64_t, wheel::handle>> model;
    int64_t now = below(1 << 20);
    // Small spans crowd the slots, large ones fill the levels.
    uint64_t span = uint64_t{1} << (1 + below(22));
    for (int step = 0; step < 2000; ++step) {
      auto dice = below(10);
      if (dice < 5) {
        auto due = now + below(span);
        model[step] = {due, x.add(now, due, step)};
      } else if (dice < 7 && !model.empty()) {
        auto i = std::next(model.begin(), below(model.size()));
        REQUIRE_EQ(x.cancel(i->second.second), i->first);
        model.erase(i);
      } else {
        now += below(span / 2 + 1);
        while (auto value = x.pop_due(now)) {
          REQUIRE_EQ(model.count(*value), 1u);
          REQUIRE(model[*value].first <= now);
          model.erase(*value);
        }
        auto earliest = std::numeric_limits<int64_t>::max();
        for (auto& [value, rest] : model)
          earliest = std::min(earliest, rest.first);
        REQUIRE(earliest > now);
        REQUIRE_EQ(x.next_due().has_value(), !model.empty());
        if (!model.empty())
          REQUIRE(*x.next_due() <= earliest);
      }
      REQUIRE_EQ(x.size(), model.size());
    }
  }
}
