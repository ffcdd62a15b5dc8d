// Rules that change while topics live, and how fast clients publish.

#include <callboard/actors/owned_topics.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

using result = owned_topics::publish_result;
using list = std::vector<uint64_t>;

struct fixture {
  fixture() {
    rules = {{"#", {.history_size = 10}}};
    topics = std::make_unique<owned_topics>(
      owned_topics::limits{10'000, 1000, 10'000'000}, rules);
  }

  result publish(const std::string& topic, int64_t now_ms = 0,
                 connection_id publisher = 1, const std::string& id = {}) {
    auto x = caf::make_counted<publication>();
    x->topic = topic;
    x->payload = payload::pack(std::string{"x"});
    x->publisher = publisher;
    x->id = id;
    last = x;
    return topics->publish(x, now_ms, make_epoch);
  }

  void publish_many(const std::string& topic, int n) {
    for (int i = 0; i < n; ++i)
      publish(topic);
  }

  // Lets other rules hold.
  void set(std::vector<topic_rule> x) {
    auto old = std::move(rules);
    rules = std::move(x);
    topics->set_rules(rules);
  }

  bool step(size_t work, int64_t now_ms = 0) {
    return topics->revise(work, now_ms,
                          [this](const std::string& name, const topic_options&,
                                 const topic_options&) {
                            revised_names.push_back(name);
                          });
  }

  void change(std::vector<topic_rule> x, int64_t now_ms = 0) {
    set(std::move(x));
    while (!step(1000, now_ms)) {
    }
  }

  list offsets(const std::string& topic, int64_t now_ms = 0) {
    list result;
    auto read = topics->read(topic, 0, 1000, 1'000'000, now_ms);
    for (auto& x : read->events)
      result.push_back(x->offset);
    return result;
  }

  int epochs = 0;
  std::function<std::string()> make_epoch = [this] {
    return "e" + std::to_string(++epochs);
  };
  std::vector<topic_rule> rules;
  std::unique_ptr<owned_topics> topics;
  publication_ptr last;
  std::vector<std::string> revised_names;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- what is kept -------------------------------------------------------------

CAF_TEST(a smaller history forgets and one that is off forgets all) {
  publish_many("a", 5);
  publish_many("b", 5);
  change({{"a", {.history_size = 2}}});
  CHECK_EQ(offsets("a"), (list{4, 5}));
  CHECK_EQ(offsets("b"), (list{}));
  CHECK(!topics->keeps_history("b"));
  change({});
  CHECK_EQ(offsets("a"), (list{}));
  CHECK_EQ(topics->kept_bytes(), 0);
  // The topic is the same.
  publish("a");
  CHECK_EQ(last->offset, 6u);
  CHECK_EQ(last->epoch, "e1");
}

CAF_TEST(a larger history keeps more from then on) {
  change({{"#", {.history_size = 2}}});
  publish_many("a", 5);
  change({{"#", {.history_size = 4}}});
  CHECK_EQ(offsets("a"), (list{4, 5}));
  publish_many("a", 3);
  CHECK_EQ(offsets("a"), (list{5, 6, 7, 8}));
}

CAF_TEST(another time holds for what is kept already) {
  publish("a", 0);
  publish("a", 600);
  change({{"#", {.history_size = 10, .history_ttl = 1s}}}, 900);
  CHECK_EQ(offsets("a", 999), (list{1, 2}));
  CHECK_EQ(offsets("a", 1000), (list{2}));
  change({{"#", {.history_size = 10}}}, 1100);
  CHECK_EQ(offsets("a", 1'000'000), (list{2}));
  change({{"#", {.history_size = 10, .history_ttl = 1s}}}, 1700);
  CHECK_EQ(topics->kept_bytes(), 0);
}

CAF_TEST(another time holds although the wall clock was set) {
  publish("a", 0);
  last->timestamp = 1'000'000'000;
  publish("a", 600);
  last->timestamp = 5;
  change({{"#", {.history_size = 10, .history_ttl = 1s}}}, 900);
  CHECK_EQ(offsets("a", 999), (list{1, 2}));
  CHECK_EQ(offsets("a", 1000), (list{2}));
  CHECK_EQ(offsets("a", 1600), (list{}));
}

CAF_TEST(a last value goes with the rule and comes with a publication) {
  change({{"#", {.retain = true}}});
  publish("a");
  CHECK(topics->retained("a") == last);
  CHECK_EQ(topics->kept_bytes(), last->cost());
  change({});
  CHECK(topics->retained("a") == nullptr);
  CHECK_EQ(topics->kept_bytes(), 0);
  std::vector<publication_ptr> values;
  topics->collect_retained("#", "", 100, values);
  CHECK(values.empty());
  change({{"#", {.retain = true}}});
  CHECK(topics->retained("a") == nullptr);
  publish("a");
  CHECK(topics->retained("a") == last);
}

CAF_TEST(topics that are new go by the rules at once) {
  publish_many("old", 5);
  set({{"#", {.history_size = 1}}});
  publish_many("new", 5);
  CHECK_EQ(offsets("new"), (list{5}));
  CHECK_EQ(offsets("old").size(), 5u);
}

CAF_TEST(a durability stays as long as the topic lives) {
  publish_many("a", 3);
  publish_many("b", 3);
  change({{"a", {.history_size = 2, .durability = durability::disk}},
          {"#", {.history_size = 10}}});
  CHECK_EQ(topics->unlike(), 1u);
  CHECK(topics->options_if_known("a")->durability == durability::none);
  CHECK_EQ(offsets("a"), (list{2, 3}));
  // What is left as it was is not told.
  CHECK_EQ(revised_names, std::vector<std::string>{"a"});
  change({{"#", {.history_size = 10}}});
  CHECK_EQ(topics->unlike(), 0u);
}

// -- in steps -----------------------------------------------------------------

CAF_TEST(a step looks at some and the last one has seen all) {
  for (int i = 0; i < 500; ++i)
    publish("t/" + std::to_string(i));
  set({{"#", {.history_size = 20}}});
  CHECK(!step(10));
  CHECK(!revised_names.empty());
  CHECK(revised_names.size() <= 10u);
  size_t steps = 2;
  while (!step(10))
    ++steps;
  CHECK_EQ(revised_names.size(), 500u);
  // Each of them counts twice, for it has kept one publication.
  CHECK(steps >= 50u);
  CHECK(step(10));
  CHECK_EQ(revised_names.size(), 500u);
}

CAF_TEST(topics that come meanwhile keep none from being seen) {
  for (int i = 0; i < 100; ++i)
    publish("old/" + std::to_string(i));
  set({{"#", {.history_size = 20}}});
  CHECK(!step(10));
  // The table grows, and all stand elsewhere.
  for (int i = 0; i < 5000; ++i)
    publish("new/" + std::to_string(i));
  while (!step(1000)) {
  }
  CHECK_EQ(revised_names.size(), 100u);
  for (int i = 0; i < 100; ++i)
    CHECK_EQ(topics->options_if_known("old/" + std::to_string(i))->history_size,
             20u);
}

// -- rates --------------------------------------------------------------------

CAF_TEST(clients publish as fast as the rule lets them) {
  change({{"#", {.publish_rate = 2, .publish_burst = 3}}});
  for (int i = 0; i < 3; ++i)
    CHECK(publish("a") == result::accepted);
  CHECK(publish("a") == result::limited);
  CHECK_EQ(topics->wait_ms(), 500);
  // Each topic for itself.
  CHECK(publish("b") == result::accepted);
  CHECK(publish("a", 499) == result::limited);
  CHECK_EQ(topics->wait_ms(), 1);
  CHECK(publish("a", 500) == result::accepted);
  CHECK_EQ(last->offset, 4u);
  CHECK(publish("a", 500, 2) == result::limited);
}

CAF_TEST(without a burst as many as in a second come at once) {
  change({{"#", {.publish_rate = 2}}});
  CHECK(publish("a") == result::accepted);
  CHECK(publish("a") == result::accepted);
  CHECK(publish("a") == result::limited);
}

CAF_TEST(the application publishes as fast as it likes) {
  change({{"#", {.publish_rate = 1}}});
  for (int i = 0; i < 5; ++i)
    CHECK(publish("a", 0, 0) == result::accepted);
  // And takes nothing from clients.
  CHECK(publish("a") == result::accepted);
  CHECK(publish("a") == result::limited);
}

CAF_TEST(a topic is kept until nothing is missing of its burst) {
  set({{"#", {.publish_rate = 1, .publish_burst = 5}}});
  // Nothing is missing any more when it has not been used for long enough.
  publish("a");
  topics->expire(999);
  CHECK_EQ(topics->size(), 1u);
  topics->expire(1000);
  CHECK_EQ(topics->size(), 0u);
  for (int i = 0; i < 5; ++i)
    CHECK(publish("b", 2000) == result::accepted);
  topics->expire(6999);
  CHECK_EQ(topics->size(), 1u);
  topics->expire(7000);
  CHECK_EQ(topics->size(), 0u);
  for (int i = 0; i < 5; ++i)
    CHECK(publish("c", 8000) == result::accepted);
  topics->expire(9000);
  CHECK(publish("c", 9000) == result::accepted);
  CHECK(publish("c", 9000) == result::limited);
}

CAF_TEST(a topic that was dropped comes back with its rate) {
  set({{"#", {.publish_rate = 1, .publish_burst = 5}}});
  for (int i = 0; i < 5; ++i)
    CHECK(publish("a") == result::accepted);
  topics->drop("a");
  CHECK(publish("a", 999) == result::limited);
  CHECK(publish("a", 1000) == result::accepted);
  topics->drop("a");
  // All but a thousandth has come back.
  topics->expire(5999);
  for (int i = 0; i < 4; ++i)
    CHECK(publish("a", 5999) == result::accepted);
  CHECK(publish("a", 5999) == result::limited);
  // Under other rules it begins anew.
  topics->drop("a");
  set({{"#", {.publish_rate = 1, .publish_burst = 2}}});
  CHECK(publish("a", 5999) == result::accepted);
  CHECK(publish("a", 5999) == result::accepted);
  CHECK(publish("a", 5999) == result::limited);
}

CAF_TEST(of what is too fast nothing is remembered) {
  change({{"#", {.history_size = 10, .publish_rate = 1}}});
  publish("a", 0, 1, "one");
  CHECK(publish("a", 0, 1, "two") == result::limited);
  CHECK_EQ(offsets("a"), (list{1}));
  // A repeated id needs a place as well.
  CHECK(publish("a", 0, 1, "one") == result::limited);
  CHECK(publish("a", 1000, 1, "two") == result::accepted);
  CHECK_EQ(last->offset, 2u);
  CHECK(publish("a", 1999, 1, "one") == result::limited);
}

CAF_TEST(another rate brings no burst and the same one goes on) {
  change({{"#", {.publish_rate = 1}}});
  publish("a");
  CHECK(publish("a") == result::limited);
  change({{"#", {.history_size = 5, .publish_rate = 1}}});
  CHECK(publish("a") == result::limited);
  change({{"#", {.publish_rate = 1, .publish_burst = 2}}});
  CHECK(publish("a") == result::limited);
  CHECK(publish("a", 2000) == result::accepted);
  CHECK(publish("a", 2000) == result::accepted);
  CHECK(publish("a", 2000) == result::limited);
  change({});
  CHECK(publish("a", 2000) == result::accepted);
}

END_FIXTURE_SCOPE()
