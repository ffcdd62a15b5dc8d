// The last values of the topics that match a pattern.

#include <callboard/actors/owned_topics.hpp>

#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture {
  void publish(const std::string& topic, const std::string& text = "x") {
    auto x = caf::make_counted<publication>();
    x->topic = topic;
    x->payload = text.empty() ? payload{} : payload::pack(text);
    topics.publish(x, 0, [] { return std::string{"e"}; });
  }

  /// Returns the topics and where the page ends.
  std::string page(const std::string& pattern, const std::string& after = {},
                   size_t topics_max = 100) {
    std::vector<publication_ptr> found;
    auto upto = topics.collect_retained(pattern, after, topics_max, found);
    std::string result;
    for (auto& x : found)
      result += x->topic + '@' + std::to_string(x->offset) + ' ';
    return result + (upto.empty() ? "end" : "to " + upto);
  }

  std::vector<topic_rule> rules{{"$dead/#", {.retain = true}},
                                {"none/#", {}},
                                {"#", {.retain = true}}};
  owned_topics topics{{100, 1000, 1'000'000}, rules};
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a pattern finds what it matches in the order of names) {
  for (auto* topic : {"b/1", "a/2", "a/1", "a/1/x", "a", "ab", "a-/1", "none/1",
                      "$dead/a", "a/2"})
    publish(topic);
  CHECK_EQ(page("a/+"), "a/1@1 a/2@2 end");
  CHECK_EQ(page("a/#"), "a/1@1 a/1/x@1 a/2@2 end");
  CHECK_EQ(page("+/1"), "a-/1@1 a/1@1 b/1@1 end");
  CHECK_EQ(page("+"), "a@1 ab@1 end");
  CHECK_EQ(page("#"), "a@1 a-/1@1 a/1@1 a/1/x@1 a/2@2 ab@1 b/1@1 end");
  CHECK_EQ(page("$dead/#"), "$dead/a@1 end");
  CHECK_EQ(page("none/#"), "end");
  CHECK_EQ(page("c/#"), "end");
}

CAF_TEST(a page looks at so many topics and the next one goes on) {
  for (auto* topic : {"a/1", "a/2/x", "a/3", "a/4", "b"})
    publish(topic);
  CHECK_EQ(page("a/+", "", 2), "a/1@1 to a/2/x");
  CHECK_EQ(page("a/+", "a/2/x", 2), "a/3@1 a/4@1 end");
  CHECK_EQ(page("a/+", "", 3), "a/1@1 a/3@1 to a/3");
  CHECK_EQ(page("a/+", "", 4), "a/1@1 a/3@1 a/4@1 end");
  // The one at which it goes on may be gone meanwhile.
  publish("a/3", "");
  CHECK_EQ(page("a/+", "a/3", 2), "a/4@1 end");
}

CAF_TEST(what was cleared or forgotten is found no longer) {
  for (auto* topic : {"a/1", "a/2", "a/3"})
    publish(topic);
  publish("a/1", "");
  CHECK_EQ(page("#"), "a/2@1 a/3@1 end");
  topics.drop("a/2");
  CHECK_EQ(page("#"), "a/3@1 end");
  publish("a/1");
  CHECK_EQ(page("#"), "a/1@3 a/3@1 end");
  publish("a/3", "");
  topics.expire(5000);
  CHECK_EQ(topics.size(), 1u);
  CHECK_EQ(page("#"), "a/1@3 end");
}

END_FIXTURE_SCOPE()
