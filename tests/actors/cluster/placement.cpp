#include <callboard/actors/cluster/placement.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

constexpr size_t topics = 100'000;

std::vector<std::string> nodes(size_t n) {
  std::vector<std::string> result;
  for (size_t i = 0; i < n; ++i)
    result.push_back("node-" + std::to_string(i));
  return result;
}

std::string topic(size_t i) {
  return "topic/" + std::to_string(i);
}

} // namespace

CAF_TEST(each node has its share) {
  placement x{nodes(32)};
  std::vector<size_t> shares(32);
  for (size_t i = 0; i < topics; ++i)
    ++shares[x.owner_of(topic(i))];
  auto mean = static_cast<double>(topics) / 32;
  CHECK(static_cast<double>(std::ranges::max(shares)) <= 1.15 * mean);
  CHECK(static_cast<double>(std::ranges::min(shares)) >= 0.85 * mean);
}

CAF_TEST(a newcomer takes its share and nothing else moves) {
  placement before{nodes(32)};
  placement after{nodes(33)};
  size_t moved = 0;
  for (size_t i = 0; i < topics; ++i) {
    auto owner = after.owner_of(topic(i));
    if (owner == before.owner_of(topic(i)))
      continue;
    REQUIRE_EQ(owner, 32u);
    ++moved;
  }
  auto ideal = static_cast<double>(topics) / 33;
  CHECK(static_cast<double>(moved) <= 1.1 * ideal);
  CHECK(static_cast<double>(moved) >= 0.9 * ideal);
}

CAF_TEST(the order of the names does not matter) {
  auto names = nodes(7);
  auto turned = names;
  std::ranges::reverse(turned);
  placement x{names};
  placement y{turned};
  for (size_t i = 0; i < 1000; ++i)
    REQUIRE_EQ(names[x.owner_of(topic(i))], turned[y.owner_of(topic(i))]);
}

CAF_TEST(one node owns everything) {
  placement x{{"a"}};
  CHECK_EQ(x.size(), 1u);
  CHECK_EQ(x.owner_of("news"), 0u);
}

// Nodes of different builds have to agree.
CAF_TEST(owners stay as they are) {
  placement x{{"a", "b", "c", "node-1", "node-2"}};
  CHECK_EQ(x.owner_of(""), 1u);
  CHECK_EQ(x.owner_of("a"), 0u);
  CHECK_EQ(x.owner_of("news"), 4u);
  CHECK_EQ(x.owner_of("chat/1"), 0u);
  CHECK_EQ(x.owner_of("chat/2"), 1u);
  CHECK_EQ(x.owner_of("chat/3"), 4u);
  CHECK_EQ(x.owner_of("chat/4"), 2u);
  CHECK_EQ(x.owner_of("room/42"), 0u);
}
