// What the rules say of topics.

#include <callboard/actors/topic_options.hpp>

#include <chrono>
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

// -- rules that change --------------------------------------------------------

CAF_TEST(a topic that lives takes all but another durability) {
  topic_options living{.history_size = 5, .durability = durability::memory};
  topic_options wanted{.history_ttl = std::chrono::seconds{1},
                       .retain = true,
                       .presence = true,
                       .overflow = overflow_policy::latest,
                       .publish_rate = 3,
                       .publishers = publishers::server};
  auto now = revised(living, wanted);
  CHECK(now.durability == durability::memory);
  now.durability = durability::none;
  CHECK(now == wanted);
}

CAF_TEST(a topic on the disk goes on keeping a history or none) {
  topic_options kept{.history_size = 5, .durability = durability::disk};
  CHECK_EQ(revised(kept, {}).history_size, 5u);
  CHECK_EQ(revised(kept, {.history_size = 1}).history_size, 1u);
  topic_options none{.durability = durability::disk};
  CHECK_EQ(revised(none, {.history_size = 1}).history_size, 0u);
  kept.durability = durability::memory;
  CHECK_EQ(revised(kept, {}).history_size, 0u);
}

CAF_TEST(each refusal has a name) {
  auto name = [](publish_refusal x) { return std::string{to_string(x)}; };
  CHECK_EQ(name(publish_refusal::publishers), "publishers");
  CHECK_EQ(name(publish_refusal::payload_bytes), "payload_bytes");
  CHECK_EQ(name(publish_refusal::rate), "rate");
}
