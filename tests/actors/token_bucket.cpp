#include <callboard/actors/token_bucket.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>

#include "support/test.hpp"

using namespace callboard;

namespace {

constexpr auto never = token_bucket::never;

/// Some time of a machine that has been up for a while.
constexpr int64_t now = 1'000'000'007;

/// Takes tokens one by one until there are none.
template <class Bucket>
int take_all(Bucket& x, int64_t now_ms) {
  for (auto n = 0;; ++n)
    if (x.take(now_ms) > 0)
      return n;
}

/// A bucket that takes one at a time, as the shared one does.
struct single : token_bucket {
  explicit single(const rate_limit& x, int64_t now_ms = now)
    : token_bucket{x, now_ms} {
  }

  int64_t take(int64_t now_ms) {
    return token_bucket::take(1, now_ms);
  }
};

} // namespace

// -- rates --------------------------------------------------------------------

CAF_TEST(a burst is what a second has unless it is said) {
  CHECK_EQ((rate_limit{7, 0}.at_once()), 7u);
  CHECK_EQ((rate_limit{7, 3}.at_once()), 3u);
  CHECK_EQ((rate_limit{7, 30}.at_once()), 30u);
  CHECK((rate_limit{1, 0}.on()));
  CHECK((!rate_limit{0, 30}.on()));
}

// -- a bucket -----------------------------------------------------------------

CAF_TEST(a burst may be taken and one more may not ) {
  token_bucket x{{10, 3}, now};
  for (auto i = 0; i < 3; ++i)
    CHECK_EQ(x.take(1, now), 0);
  CHECK_EQ(x.take(1, now), 100);
  // Nothing was taken by that.
  CHECK_EQ(x.take(1, now), 100);
  CHECK_EQ(x.take(1, now + 99), 1);
  CHECK_EQ(x.take(1, now + 100), 0);
  CHECK_EQ(x.take(1, now + 100), 100);
}

CAF_TEST(several may be taken at once or none of them) {
  token_bucket x{{10, 5}, now};
  CHECK_EQ(x.take(4, now), 0);
  CHECK_EQ(x.take(2, now), 100);
  CHECK_EQ(x.take(1, now), 0);
  CHECK_EQ(x.take(5, now), 500);
  CHECK_EQ(x.take(5, now + 499), 1);
  CHECK_EQ(x.take(5, now + 500), 0);
}

CAF_TEST(more than a burst can never be taken) {
  token_bucket x{{10, 5}, now};
  CHECK_EQ(x.take(6, now), never);
  CHECK_EQ(x.take(6, now + 1'000'000'000), never);
  CHECK_EQ(x.take(UINT64_MAX, now), never);
  CHECK_EQ(x.take(5, now), 0);
}

CAF_TEST(none costs nothing) {
  token_bucket x{{1, 1}, now};
  CHECK_EQ(x.take(1, now), 0);
  CHECK_EQ(x.take(0, now), 0);
}

CAF_TEST(a rest fills it and no more than that) {
  for (int64_t rest :
       {int64_t{300}, int64_t{301}, int64_t{1} << 40, INT64_MAX - now}) {
    token_bucket x{{10, 3}, now};
    CHECK_EQ(x.take(3, now), 0);
    CHECK(!x.full(now));
    CHECK(!x.full(now + 299));
    CHECK(x.full(now + rest));
    CHECK_EQ(x.take(3, now + rest), 0);
    CHECK_EQ(x.take(1, now + rest), 100);
  }
}

CAF_TEST(a clock that rests or goes back brings nothing) {
  token_bucket x{{1000, 1}, now};
  CHECK_EQ(x.take(1, now), 0);
  CHECK_EQ(x.take(1, now), 1);
  CHECK_EQ(x.take(1, now - 1000), 1);
  // Nor does the way back to where it was.
  CHECK_EQ(x.take(1, now), 1);
  CHECK_EQ(x.take(1, now + 1), 0);
}

CAF_TEST(without a rate everything may be taken) {
  token_bucket x{{0, 0}, now};
  CHECK_EQ(x.take(UINT64_MAX, now), 0);
  CHECK_EQ(x.take(1, now - 1), 0);
  CHECK(x.full(now));
  token_bucket burst_alone{{0, 5}, now};
  CHECK_EQ(burst_alone.take(6, now), 0);
}

CAF_TEST(a rate that does not divide a second is kept to the token) {
  // Asked at each millisecond, for ten minutes: a rounded one would be off.
  for (size_t rate : {1, 3, 7, 999, 1000, 1001}) {
    token_bucket x{{rate, 2}, now};
    CHECK_EQ(x.take(2, now), 0);
    size_t taken = 0;
    for (int64_t t = 1; t <= 600'000; ++t)
      if (x.take(1, now + t) == 0)
        ++taken;
    // Of more than one a millisecond nobody has asked for the rest.
    CHECK_EQ(taken, std::min<size_t>(rate, 1000) * 600);
  }
}

CAF_TEST(who waits as told gets it) {
  for (size_t rate : {1, 3, 7, 999, 1001, 1'000'000}) {
    token_bucket x{{rate, 5}, now};
    auto t = now;
    for (auto i = 0; i < 100; ++i) {
      auto wait = x.take(1, t);
      if (wait == 0)
        continue;
      CHECK_GT(x.take(1, t + wait - 1), 0);
      t += wait;
      CHECK_EQ(x.take(1, t), 0);
    }
  }
}

CAF_TEST(the largest rate and burst fit) {
  constexpr size_t most = size_t{1} << 30;
  token_bucket x{{most, most}, now};
  CHECK_EQ(x.take(most, now), 0);
  CHECK_EQ(x.take(most, now), 1000);
  CHECK_EQ(x.take(most, now + 999), 1);
  CHECK_EQ(x.take(most, now + 1000), 0);
  token_bucket slow{{1, most}, now};
  CHECK_EQ(slow.take(most, now), 0);
  CHECK_EQ(slow.take(most, now), static_cast<int64_t>(most) * 1000);
}

CAF_TEST(at four times the price there is a quarter) {
  token_bucket x{{10, 8}, now};
  CHECK_EQ(x.take(1, now, 4000), 0);
  CHECK_EQ(x.take(1, now, 4000), 0);
  CHECK_EQ(x.take(1, now, 4000), 400);
  CHECK_EQ(x.take(1, now), 100);
  CHECK_EQ(x.take(1, now + 399, 4000), 1);
  CHECK_EQ(x.take(1, now + 400, 4000), 0);
}

CAF_TEST(what fits into a burst can be had at any price) {
  token_bucket x{{10, 2}, now};
  CHECK_EQ(x.take(2, now, 4000), 0);
  CHECK_EQ(x.take(1, now, 4000), 200);
  CHECK_EQ(x.take(3, now, 4000), never);
  CHECK_EQ(x.take(1, now + 200, 4000), 0);
}

CAF_TEST(the largest burst has a price as well) {
  constexpr size_t most = size_t{1} << 30;
  token_bucket x{{most, most}, now};
  CHECK_EQ(x.take(most / 4, now, 4000), 0);
  CHECK_EQ(x.take(most / 4, now, 4000), 1000);
}

// -- another limit ------------------------------------------------------------

CAF_TEST(another limit brings nothing at once) {
  token_bucket x{{10, 3}, now};
  CHECK_EQ(x.take(3, now), 0);
  x.change({1000, 100}, now);
  CHECK_EQ(x.take(1, now), 1);
  CHECK_EQ(x.take(1, now + 1), 0);
  CHECK_EQ(x.take(99, now + 99), 1);
  CHECK_EQ(x.take(99, now + 100), 0);
  // What came before that came at the rate before.
  token_bucket y{{10, 3}, now};
  CHECK_EQ(y.take(3, now), 0);
  y.change({1000, 100}, now + 100);
  CHECK_EQ(y.take(2, now + 100), 1);
  CHECK_EQ(y.take(1, now + 100), 0);
}

CAF_TEST(a smaller burst holds no more than that) {
  token_bucket x{{10, 30}, now};
  x.change({10, 2}, now);
  CHECK_EQ(x.take(3, now), never);
  CHECK_EQ(x.take(2, now), 0);
  CHECK_EQ(x.take(1, now), 100);
}

CAF_TEST(the same limit changes nothing) {
  token_bucket x{{10, 3}, now};
  CHECK_EQ(x.take(3, now), 0);
  x.change({10, 3}, now + 50);
  CHECK_EQ(x.take(1, now + 50), 50);
  CHECK_EQ(x.take(1, now + 100), 0);
}

CAF_TEST(a limit comes full and goes) {
  token_bucket x{{0, 0}, now};
  CHECK_EQ(x.take(1000, now), 0);
  x.change({10, 3}, now + 7);
  CHECK_EQ(x.take(3, now + 7), 0);
  CHECK_EQ(x.take(1, now + 7), 100);
  x.change({0, 0}, now + 7);
  CHECK_EQ(x.take(1000, now + 7), 0);
  CHECK(x.full(now + 7));
}

CAF_TEST(a clock that goes back at a change brings nothing) {
  token_bucket x{{1000, 1}, now};
  CHECK_EQ(x.take(1, now), 0);
  x.change({1000, 5}, now - 100);
  CHECK_EQ(x.take(1, now), 1);
}

// -- the shared one -----------------------------------------------------------

CAF_TEST(the shared one has the same prices) {
  shared_token_bucket x{{10, 8}};
  CHECK_EQ(x.take(now, 4000), 0);
  CHECK_EQ(x.take(now, 4000), 0);
  CHECK_EQ(x.take(now, 4000), 400);
  CHECK_EQ(x.take(now + 399, 4000), 1);
  CHECK_EQ(x.take(now + 400, 4000), 0);
  shared_token_bucket small{{10, 2}};
  CHECK_EQ(small.take(now, 4000), 0);
  CHECK_EQ(small.take(now, 4000), 200);
}

CAF_TEST(the shared one has the same burst and the same time) {
  shared_token_bucket x{{10, 3}};
  CHECK(x.full(now));
  CHECK_EQ(take_all(x, now), 3);
  CHECK_EQ(x.take(now), 100);
  CHECK_EQ(x.take(now + 99), 1);
  CHECK_EQ(x.take(now + 100), 0);
  CHECK(!x.full(now + 399));
  CHECK(x.full(now + 400));
  CHECK_EQ(take_all(x, now + (int64_t{1} << 40)), 3);
}

CAF_TEST(the shared one knows no limit either) {
  shared_token_bucket x{{0, 0}};
  for (auto i = 0; i < 1000; ++i)
    CHECK_EQ(x.take(now), 0);
}

CAF_TEST(a clock that goes back brings the shared one nothing) {
  shared_token_bucket x{{10, 1}};
  CHECK_EQ(x.take(now), 0);
  CHECK_EQ(x.take(now - 50), 150);
  CHECK_EQ(x.take(now), 100);
}

CAF_TEST(the shared one stays exact at the largest rate and a late time) {
  constexpr int64_t late = (int64_t{1} << 43) - 10;
  shared_token_bucket x{{1'000'000, 1'000'000}};
  CHECK_EQ(take_all(x, late), 1'000'000);
  CHECK_EQ(x.take(late), 1);
  CHECK_EQ(take_all(x, late + 1), 1000);
}

CAF_TEST(the shared one keeps what was used under another limit) {
  auto x = renewed(nullptr, {10, 3}, now);
  CHECK_EQ(take_all(*x, now), 3);
  CHECK(renewed(x, {10, 3}, now) == x);
  auto y = renewed(x, {1000, 100}, now);
  CHECK_EQ(y->take(now), 1);
  CHECK_EQ(y->take(now + 1), 0);
  // What is held fits, as far as it does.
  CHECK_EQ(take_all(*renewed(y, {10, 5}, now + 1001), now + 1001), 5);
  CHECK_EQ(take_all(*renewed(y, {10, 500}, now + 1001), now + 1001), 100);
  CHECK(renewed(y, {0, 0}, now) == nullptr);
}

CAF_TEST(both change in the same way) {
  std::mt19937 random{2027};
  for (auto i = 0; i < 1000; ++i) {
    auto limit = [&] { return rate_limit{random() % 100, random() % 50}; };
    auto before = limit();
    auto after = limit();
    single x{before};
    auto y = std::make_shared<shared_token_bucket>(before);
    auto t = now;
    for (auto n = random() % 60; n > 0; --n)
      REQUIRE_EQ(x.take(t), y->take(t));
    t += random() % 500;
    x.change(after, t);
    y = std::make_shared<shared_token_bucket>(after, *y, t);
    for (auto n = 0; n < 60; ++n)
      REQUIRE_EQ(x.take(t), y->take(t));
  }
}

CAF_TEST(both do the same over random times) {
  std::mt19937 random{2026};
  for (size_t rate : {1, 3, 10, 999, 1'000'000})
    for (size_t burst : {0, 1, 5}) {
      rate_limit limit{rate, burst};
      single x{limit};
      shared_token_bucket y{limit};
      auto t = now;
      for (auto i = 0; i < 3000; ++i) {
        t += random() % 4 == 0 ? random() % 500 : 0;
        REQUIRE_EQ(x.take(t), y.take(t));
        auto later = t + random() % 6000;
        REQUIRE_EQ(x.full(later), y.full(later));
      }
    }
}
