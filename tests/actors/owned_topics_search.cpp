// Topics are looked for in steps, while others come and go.

#include <callboard/actors/owned_topics.hpp>

#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture {
  void publish(const std::string& topic) {
    auto x = caf::make_counted<publication>();
    x->topic = topic;
    topics.publish(x, 0, [] { return std::string{"e"}; });
  }

  void publish_from(int first, int last) {
    for (auto i = first; i <= last; ++i)
      publish(std::to_string(i));
  }

  // Returns how many steps it took.
  size_t look(topic_search& x, size_t work) {
    size_t steps = 1;
    while (!topics.look_for(x, work))
      ++steps;
    return steps;
  }

  std::vector<topic_rule> rules{{"#", {.history_size = 2}}};
  owned_topics topics{{10'000, 1000, 10'000'000}, rules};
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(it takes as many steps as it has to) {
  publish_from(100, 199);
  topic_search all{{"", 1000, ""}};
  CHECK_EQ(look(all, 100'000), 1u);
  CHECK_EQ(all.take().topics.size(), 100u);
  topic_search some{{"", 1000, ""}};
  CHECK(look(some, 10) >= 10);
  auto page = some.take();
  REQUIRE(page.topics.size() == 100u);
  for (auto i = 0; i < 100; ++i)
    CHECK_EQ(page.topics[i].topic, std::to_string(100 + i));
}

CAF_TEST(it begins anew where the table has grown) {
  publish_from(100, 199);
  topic_search x{{"", 1000, ""}};
  CHECK(!topics.look_for(x, 10));
  publish_from(200, 999);
  look(x, 10);
  CHECK_EQ(x.take().topics.size(), 900u);
}

CAF_TEST(without topics there is nothing) {
  topic_search x{{"", 10, ""}};
  CHECK_EQ(look(x, 100'000), 1u);
  CHECK(x.take().topics.empty());
}

CAF_TEST(it tells where a topic stands and what it keeps) {
  for (auto i = 0; i < 3; ++i)
    publish("a");
  topic_search x{{"", 10, ""}};
  look(x, 100'000);
  auto page = x.take();
  REQUIRE(page.topics.size() == 1u);
  CHECK_EQ(page.topics[0].epoch, "e");
  CHECK_EQ(page.topics[0].offset, 3u);
  CHECK_EQ(page.topics[0].history_events, 2u);
  CHECK(page.topics[0].history_bytes > 0);
}

END_FIXTURE_SCOPE()
