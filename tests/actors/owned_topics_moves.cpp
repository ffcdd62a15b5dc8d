// Topics that go to another owner, and come from one.

#include <callboard/actors/owned_topics.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using result = owned_topics::publish_result;

namespace {

struct fixture {
  fixture() {
    rules.push_back({"kept/+", {.history_size = 3, .history_ttl = 1s}});
    rules.push_back({"last/+", {.retain = true}});
  }

  result publish(owned_topics& at, const std::string& topic,
                 const std::string& id = {}) {
    last = caf::make_counted<publication>();
    last->topic = topic;
    last->id = id;
    last->payload = payload::pack(std::string{"x"});
    return at.publish(last, now_ms, [this] { return epoch; });
  }

  /// Moves all topics from one owner to the other.
  void move() {
    from.extract_unless([](const std::string&) { return false; },
                        [this](moved_topic x) {
                          CHECK(to.adopt(std::move(x), now_ms));
                        });
  }

  size_t kept(owned_topics& at, const std::string& topic) {
    return at.read(topic, 0, 100, 1'000'000, now_ms)->events.size();
  }

  int64_t now_ms = 10'000;
  std::string epoch = "e";
  publication_ptr last;
  std::vector<topic_rule> rules;
  owned_topics from{{10, 60'000, 1'000'000}, rules};
  owned_topics to{{2, 60'000, 1'000'000, 400}, rules};
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a topic goes on where it stood) {
  publish(from, "t");
  publish(from, "t");
  move();
  CHECK_EQ(from.size(), 0u);
  epoch = "other";
  CHECK(publish(to, "t") == result::accepted);
  CHECK_EQ(last->epoch, "e");
  CHECK_EQ(last->offset, 3u);
}

CAF_TEST(all accounts go along) {
  publish(from, "kept/1", "id");
  publish(from, "last/1");
  auto kept_bytes = from.kept_bytes();
  auto ids_bytes = from.ids_bytes();
  move();
  CHECK_EQ(from.kept_bytes(), 0);
  CHECK_EQ(from.ids_bytes(), 0);
  CHECK_EQ(to.kept_bytes(), kept_bytes);
  CHECK_EQ(to.ids_bytes(), ids_bytes);
  to.drop("kept/1");
  to.drop("last/1");
  CHECK_EQ(to.kept_bytes(), 0);
  CHECK_EQ(to.ids_bytes(), 0);
}

CAF_TEST(ids count on) {
  publish(from, "t", "one");
  move();
  CHECK(publish(to, "t", "one") == result::duplicate);
  CHECK_EQ(last->offset, 1u);
  CHECK(publish(to, "t", "two") == result::accepted);
}

CAF_TEST(ids beyond the bound give way) {
  for (int i = 0; i < 10; ++i)
    publish(from, "t", "id" + std::to_string(i));
  move();
  CAF_CHECK_LESS_OR_EQUAL(to.ids_bytes(), 400);
  CHECK(publish(to, "t", "id9") == result::duplicate);
  CHECK(publish(to, "t", "id0") == result::accepted);
}

CAF_TEST(a history goes on and ends in time) {
  publish(from, "kept/1");
  now_ms += 600;
  publish(from, "kept/1");
  move();
  CHECK_EQ(kept(to, "kept/1"), 2u);
  CHECK_EQ(kept(from, "kept/1"), 0u);
  now_ms += 400;
  CHECK_EQ(kept(to, "kept/1"), 1u);
  publish(to, "kept/1");
  CHECK_EQ(kept(to, "kept/1"), 2u);
}

CAF_TEST(a last value goes on) {
  publish(from, "last/1");
  auto value = last;
  move();
  CHECK(from.retained("last/1") == nullptr);
  CHECK(to.retained("last/1") == value);
  std::vector<publication_ptr> found;
  CHECK(to.collect_retained("last/+", {}, 10, found).empty());
  CHECK_EQ(found.size(), 1u);
  found.clear();
  from.collect_retained("last/+", {}, 10, found);
  CHECK(found.empty());
}

CAF_TEST(what the new owner does not keep is dropped) {
  publish(from, "kept/1");
  publish(from, "last/1");
  std::vector<topic_rule> none;
  to.set_rules(none);
  move();
  CHECK_EQ(to.size(), 2u);
  CHECK_EQ(to.kept_bytes(), 0);
}

CAF_TEST(one topic more than there may be is not taken) {
  for (auto* name : {"t1", "t2", "t3"})
    publish(from, name);
  auto taken = 0;
  from.extract_unless([](const std::string&) { return false; },
                      [&](moved_topic x) {
                        taken += to.adopt(std::move(x), now_ms) ? 1 : 0;
                      });
  CHECK_EQ(taken, 2);
  CHECK_EQ(to.size(), 2u);
}

CAF_TEST(those that stay stay) {
  publish(from, "kept/1");
  publish(from, "kept/2");
  from.extract_unless([](const std::string& x) { return x == "kept/1"; },
                      [](const moved_topic& x) { CHECK_EQ(x.name, "kept/2"); });
  CHECK_EQ(from.size(), 1u);
  CHECK_EQ(kept(from, "kept/1"), 1u);
}

CAF_TEST(who wanted a topic is told with it) {
  from.attach(3, "t", [] { return std::string{"e"}; });
  auto x = from.extract("t");
  CHECK(x.loops.contains(3));
  CHECK(to.adopt(std::move(x), now_ms));
  CHECK(to.loops_of("t").empty());
}

END_FIXTURE_SCOPE()
