// What the rules say of topics.

#include <callboard/actors/topic_options.hpp>

#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

bool may(const std::string& rule, const std::string& pattern,
         bool retain = true) {
  std::vector<topic_rule> rules{{rule, {.retain = retain}}};
  return may_retain(rules, pattern);
}

} // namespace

CAF_TEST(patterns that share a topic with a rule may retain) {
  for (auto* rule : {"a/b", "a/+", "+/b", "+/+", "a/#", "#"})
    for (auto* pattern : {"a/+", "+/b", "+/+", "a/#", "#"})
      CHECK(may(rule, pattern));
  CHECK(may("a/b/c", "a/#"));
  CHECK(may("a/#", "+/b/+/d"));
  CHECK(may("$dead/#", "$dead/+"));
}

CAF_TEST(patterns that share none may not ) {
  CHECK(!may("a/+", "b/+"));
  CHECK(!may("a/+", "+"));
  CHECK(!may("a", "a/#"));
  CHECK(!may("a/b/c", "a/+"));
  CHECK(!may("a/+/c", "+/+/d"));
  CHECK(!may("$dead/#", "#"));
  CHECK(!may("#", "$dead/#"));
  CHECK(!may("a/+", "a/+", false));
  CHECK(!may_retain({}, "#"));
}
