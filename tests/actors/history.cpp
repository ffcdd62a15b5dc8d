#include <callboard/actors/history.hpp>

#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

publication_ptr event(uint64_t offset) {
  auto x = caf::make_counted<publication>();
  x->topic = "t";
  x->offset = offset;
  return x;
}

std::vector<uint64_t> offsets(const history& x, uint64_t first = 0,
                              size_t limit = 1000,
                              int64_t bytes_max = 1'000'000) {
  std::vector<publication_ptr> events;
  x.copy(first, limit, bytes_max, events);
  std::vector<uint64_t> result;
  for (auto& y : events)
    result.push_back(y->offset);
  return result;
}

using list = std::vector<uint64_t>;

} // namespace

CAF_TEST(the last ones are kept in order) {
  history x;
  CHECK(x.empty());
  CHECK_EQ(x.first_offset(), 0u);
  CHECK_EQ(x.cost(), 0);
  for (uint64_t i = 1; i <= 3; ++i)
    x.add(event(i), 3, 0);
  CHECK_EQ(offsets(x), (list{1, 2, 3}));
  x.add(event(4), 3, 0);
  CHECK_EQ(offsets(x), (list{2, 3, 4}));
  CHECK_EQ(x.first_offset(), 2u);
  CHECK_EQ(x.size(), 3u);
}

CAF_TEST(a history of one keeps the last) {
  history x;
  for (uint64_t i = 1; i <= 10; ++i)
    x.add(event(i), 1, 0);
  CHECK_EQ(offsets(x), (list{10}));
}

CAF_TEST(a run is read from anywhere) {
  history x;
  for (uint64_t i = 1; i <= 100; ++i)
    x.add(event(i), 10, 0);
  CHECK_EQ(offsets(x, 95), (list{95, 96, 97, 98, 99, 100}));
  CHECK_EQ(offsets(x, 91, 2), (list{91, 92}));
  CHECK_EQ(offsets(x, 1, 1), (list{91}));
  CHECK_EQ(offsets(x, 100), (list{100}));
  CHECK_EQ(offsets(x, 101), (list{}));
  CHECK_EQ(offsets(x, 95, 0), (list{}));
  auto cost = event(95)->cost();
  CHECK_EQ(offsets(x, 95, 10, 2 * cost), (list{95, 96}));
  CHECK_EQ(offsets(x, 95, 10, 2 * cost + 1), (list{95, 96, 97}));
}

CAF_TEST(what was added too early goes to the millisecond) {
  history x;
  x.add(event(1), 10, 100);
  x.add(event(2), 10, 200);
  x.expire(99);
  CHECK_EQ(x.size(), 2u);
  x.expire(100);
  CHECK_EQ(offsets(x), (list{2}));
  x.expire(200);
  CHECK(x.empty());
  CHECK_EQ(x.cost(), 0);
}

CAF_TEST(the cost is that of what is kept) {
  history x;
  auto first = event(1);
  x.add(first, 2, 0);
  auto one = x.cost();
  CHECK(one >= first->cost());
  x.add(event(2), 2, 0);
  x.add(event(3), 2, 0);
  CHECK_EQ(first->get_reference_count(), 1u);
  auto two = x.cost();
  x.pop();
  CHECK_EQ(two - x.cost(), first->cost());
}

CAF_TEST(a larger bound is used from where it stands) {
  history x;
  for (uint64_t i = 1; i <= 7; ++i)
    x.add(event(i), 5, 0);
  for (uint64_t i = 8; i <= 30; ++i)
    x.add(event(i), 20, 0);
  CHECK_EQ(x.size(), 20u);
  CHECK_EQ(x.first_offset(), 11u);
  CHECK_EQ(offsets(x).back(), 30u);
  for (uint64_t i = 31; i <= 32; ++i)
    x.add(event(i), 4, 0);
  CHECK_EQ(offsets(x), (list{29, 30, 31, 32}));
}

CAF_TEST(what is too much goes with its memory) {
  history x;
  for (uint64_t i = 1; i <= 110; ++i)
    x.add(event(i), 100, 0);
  auto before = x.cost();
  x.trim(100);
  CHECK_EQ(x.cost(), before);
  x.trim(3);
  CHECK_EQ(offsets(x), (list{108, 109, 110}));
  history same;
  for (uint64_t i = 108; i <= 110; ++i)
    same.add(event(i), 3, 0);
  CHECK_EQ(x.cost(), same.cost());
  x.add(event(111), 3, 0);
  CHECK_EQ(offsets(x), (list{109, 110, 111}));
  x.add(event(112), 10, 0);
  CHECK_EQ(offsets(x), (list{109, 110, 111, 112}));
  x.trim(0);
  CHECK(x.empty());
  CHECK_EQ(x.cost(), 0);
  x.add(event(113), 1, 0);
  CHECK_EQ(offsets(x), (list{113}));
}
