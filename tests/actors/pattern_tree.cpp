#include <callboard/actors/pattern_tree.hpp>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <callboard/messages/topic.hpp>

#include "support/test.hpp"

using namespace callboard;

namespace {

using names = std::vector<std::string>;

/// Keeps each pattern under itself.
class fixture {
public:
  void add(const std::string& pattern) {
    tree[pattern] = pattern;
  }

  names match(std::string_view topic) const {
    names result;
    tree.match(topic, [&](const std::string& x) { result.push_back(x); });
    std::ranges::sort(result);
    return result;
  }

  pattern_tree<std::string> tree;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(wildcards match as the protocol says) {
  for (auto x : {"q/#", "q/+", "+", "#", "q/+/2", "+/+", "q/1/+"})
    add(x);
  CHECK_EQ(match("q"), (names{"#", "+"}));
  CHECK_EQ(match("q/1"), (names{"#", "+/+", "q/#", "q/+"}));
  CHECK_EQ(match("q/1/2"), (names{"#", "q/#", "q/+/2", "q/1/+"}));
  CHECK_EQ(match("r/1"), (names{"#", "+/+"}));
  CHECK_EQ(match("q/1/2/3"), (names{"#", "q/#"}));
}

CAF_TEST(what is kept for the server is matched by name only) {
  for (auto x : {"#", "+/x", "$sys/#", "$sys/+", "a/+"})
    add(x);
  CHECK_EQ(match("$sys/x"), (names{"$sys/#", "$sys/+"}));
  CHECK_EQ(match("a/$b"), (names{"#", "a/+"}));
}

CAF_TEST(an empty tree matches nothing) {
  CHECK_EQ(match("a"), names{});
  CHECK_EQ(tree.size(), 0u);
}

CAF_TEST(a value is made once and kept) {
  tree["a/+"] = "first";
  CHECK_EQ(tree.size(), 1u);
  CHECK_EQ(tree["a/+"], "first");
  CHECK_EQ(tree.size(), 1u);
  CHECK_EQ(tree["a/#"], "");
  CHECK_EQ(tree.size(), 2u);
}

CAF_TEST(an erased pattern leaves those above and below it) {
  for (auto x : {"a/+", "a/+/b", "a/+/b/#", "a/#"})
    add(x);
  tree.erase("a/+/b");
  CHECK_EQ(tree.size(), 3u);
  CHECK_EQ(match("a/x/b"), names{"a/#"});
  CHECK_EQ(match("a/x"), (names{"a/#", "a/+"}));
  CHECK_EQ(match("a/x/b/c"), (names{"a/#", "a/+/b/#"}));
  // Neither what is not there nor what is only on the way counts.
  tree.erase("a");
  tree.erase("a/+/b");
  tree.erase("nothing/+");
  CHECK_EQ(tree.size(), 3u);
  tree.erase("a/+/b/#");
  tree.erase("a/+");
  tree.erase("a/#");
  CHECK_EQ(tree.size(), 0u);
  CHECK_EQ(match("a/x"), names{});
  add("a/+");
  CHECK_EQ(match("a/x"), names{"a/+"});
}

CAF_TEST(the tree agrees with the grammar on random patterns and topics) {
  std::mt19937 random{42};
  auto roll = [&](unsigned n) { return random() % n; };
  auto make = [&](bool pattern) {
    static constexpr const char* segments[] = {"a", "b", "$s", "ab", "+", "#"};
    std::string result;
    auto n = 1 + roll(5);
    for (unsigned i = 0; i < n; ++i) {
      auto which = roll(pattern ? 6 : 4);
      // `#` is last.
      if (which == 5 && i + 1 < n)
        which = 4;
      result += (i == 0 ? "" : "/");
      result += segments[which];
    }
    return result;
  };
  std::set<std::string> model;
  size_t matched = 0;
  for (int round = 0; round < 3000; ++round) {
    auto pattern = make(true);
    if (roll(2) == 0) {
      add(pattern);
      model.insert(pattern);
    } else {
      // Erase one that is there as often as one that may be.
      if (!model.empty() && roll(2) == 0)
        pattern = *std::next(model.begin(),
                             roll(static_cast<unsigned>(model.size())));
      tree.erase(pattern);
      model.erase(pattern);
    }
    REQUIRE_EQ(tree.size(), model.size());
    auto topic = make(false);
    names expected;
    for (auto& x : model)
      if (matches(x, topic))
        expected.push_back(x);
    matched += expected.size();
    REQUIRE_EQ(match(topic), expected);
  }
  CHECK_GT(matched, 3000u);
}

END_FIXTURE_SCOPE()
