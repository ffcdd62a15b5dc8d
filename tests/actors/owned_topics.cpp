#include <callboard/actors/owned_topics.hpp>

#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

using result = owned_topics::publish_result;
using indices = std::vector<uint32_t>;

constexpr int64_t linger_ms = 1000;

struct fixture {
  result publish(const std::string& topic, int64_t now_ms = 0,
                 const std::string& id = {}, const std::string& sender = {}) {
    last = caf::make_counted<publication>();
    last->topic = topic;
    last->id = id;
    last->sender = sender;
    return topics.publish(last, now_ms, make_epoch);
  }

  std::optional<position> attach(uint32_t loop, std::string_view topic) {
    return topics.attach(loop, topic, make_epoch);
  }

  indices loops_of(std::string_view topic) {
    indices result;
    topics.loops_of(topic).for_each([&](auto x) { result.push_back(x); });
    return result;
  }

  int epochs = 0;
  std::function<std::string()> make_epoch = [this] {
    return "e" + std::to_string(++epochs);
  };
  std::vector<topic_rule> rules;
  owned_topics topics{{4, linger_ms, 1'000'000}, rules};
  publication_ptr last;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- offsets ------------------------------------------------------------------

CAF_TEST(each topic counts for itself from 1 in its own epoch) {
  for (uint64_t i = 1; i <= 5; ++i) {
    CHECK(publish("a") == result::accepted);
    CHECK_EQ(last->offset, i);
    CHECK_EQ(last->epoch, "e1");
  }
  CHECK(publish("b") == result::accepted);
  CHECK_EQ(last->offset, 1u);
  CHECK_EQ(last->epoch, "e2");
  CHECK_EQ(epochs, 2);
}

CAF_TEST(a loop that attaches is told where the topic stands) {
  CHECK_EQ(attach(0, "a"), (position{"e1", 0}));
  publish("a");
  publish("a");
  CHECK_EQ(attach(1, "a"), (position{"e1", 2}));
  CHECK_EQ(attach(1, "a"), (position{"e1", 2}));
}

// -- ids ----------------------------------------------------------------------

CAF_TEST(an id is accepted once and answered with its first offset) {
  publish("a");
  CHECK(publish("a", 0, "x", "alice") == result::accepted);
  CHECK_EQ(last->offset, 2u);
  publish("a");
  CHECK(publish("a", 0, "x", "alice") == result::duplicate);
  CHECK_EQ(last->offset, 2u);
  CHECK_EQ(last->epoch, "e1");
  publish("a");
  CHECK_EQ(last->offset, 4u);
}

CAF_TEST(an id is of one user and one topic) {
  CHECK(publish("a", 0, "x", "alice") == result::accepted);
  CHECK(publish("a", 0, "x", "bob") == result::accepted);
  CHECK(publish("b", 0, "x", "alice") == result::accepted);
  CHECK(publish("a", 0, "y", "alice") == result::accepted);
  // Where name and id meet makes a difference.
  CHECK(publish("a", 0, "bc", "a") == result::accepted);
  CHECK(publish("a", 0, "c", "ab") == result::accepted);
  CHECK(publish("a", 0, "bc", "a") == result::duplicate);
}

CAF_TEST(an id is known until the linger is over) {
  CHECK(publish("a", 100, "x") == result::accepted);
  CHECK(publish("a", 100 + linger_ms - 1, "x") == result::duplicate);
  // The duplicate did not prolong it.
  CHECK(publish("a", 100 + linger_ms, "x") == result::accepted);
  CHECK_EQ(last->offset, 2u);
}

CAF_TEST(a topic remembers as many ids as it may and the oldest gives way) {
  for (size_t i = 0; i < owned_topics::ids_max; ++i)
    REQUIRE(publish("a", 0, std::to_string(i)) == result::accepted);
  CHECK(publish("a", 0, "0") == result::duplicate);
  CHECK(publish("a", 0, "one more") == result::accepted);
  CHECK(publish("a", 0, "1") == result::duplicate);
  CHECK(publish("a", 0, "0") == result::accepted);
}

// -- bounds -------------------------------------------------------------------

CAF_TEST(as many topics live as may and the next has no room) {
  for (auto x : {"a", "b", "c"})
    CHECK(publish(x) == result::accepted);
  CHECK(attach(0, "d").has_value());
  CHECK_EQ(topics.size(), 4u);
  CHECK(publish("e") == result::full);
  CHECK_EQ(last->offset, 0u);
  CHECK(!attach(0, "e").has_value());
  CHECK_EQ(topics.size(), 4u);
  // Those that are there go on.
  CHECK(publish("a") == result::accepted);
  topics.expire(linger_ms);
  CHECK_EQ(topics.size(), 1u);
  CHECK(publish("e", linger_ms) == result::accepted);
}

CAF_TEST(a topic is forgotten when nobody has used it for the linger) {
  publish("a", 100);
  topics.expire(100 + linger_ms - 1);
  CHECK_EQ(topics.size(), 1u);
  topics.expire(100 + linger_ms);
  CHECK_EQ(topics.size(), 0u);
  // It starts over.
  publish("a", 2000);
  CHECK_EQ(last->offset, 1u);
  CHECK_EQ(last->epoch, "e2");
}

CAF_TEST(a topic that a loop wants lives on) {
  attach(3, "a");
  topics.expire(100 * linger_ms);
  CHECK_EQ(topics.size(), 1u);
  topics.detach(3, "a", 100 * linger_ms);
  topics.expire(101 * linger_ms - 1);
  CHECK_EQ(topics.size(), 1u);
  topics.expire(101 * linger_ms);
  CHECK_EQ(topics.size(), 0u);
}

CAF_TEST(a topic that is held lives on) {
  publish("a");
  topics.hold("a", true);
  topics.hold("b", true);
  topics.expire(100 * linger_ms);
  CHECK_EQ(topics.size(), 1u);
  publish("a", 100 * linger_ms);
  CHECK_EQ(last->offset, 2u);
  topics.hold("a", false);
  topics.expire(101 * linger_ms - 1);
  CHECK_EQ(topics.size(), 1u);
  topics.expire(101 * linger_ms);
  CHECK_EQ(topics.size(), 0u);
}

CAF_TEST(a topic keeps a history where its rule says so) {
  rules = {{"kept/+", {.history_size = 1}}};
  publish("a");
  publish("kept/a");
  CHECK(!topics.keeps_history("a"));
  CHECK(topics.keeps_history("kept/a"));
  CHECK(!topics.keeps_history("kept/b"));
}

CAF_TEST(a topic lives as long as its ids) {
  publish("a", 500, "x");
  topics.expire(500 + linger_ms - 1);
  CHECK(publish("a", 500 + linger_ms - 1, "x") == result::duplicate);
  // The duplicate used the topic.
  topics.expire(500 + linger_ms);
  CHECK_EQ(topics.size(), 1u);
  topics.expire(499 + 2 * linger_ms);
  CHECK_EQ(topics.size(), 0u);
}

// -- loops --------------------------------------------------------------------

CAF_TEST(the loops of a topic are those of it and of its patterns) {
  attach(0, "a/b");
  attach(5, "a/b");
  topics.attach_pattern(2, "a/+");
  topics.attach_pattern(5, "#");
  topics.attach_pattern(1, "b/+");
  CHECK_EQ(loops_of("a/b"), (indices{0, 2, 5}));
  CHECK_EQ(loops_of("a/c"), (indices{2, 5}));
  CHECK_EQ(loops_of("b/c"), (indices{1, 5}));
  CHECK_EQ(loops_of("c"), indices{5});
  CHECK(topics.has(0, "a/b"));
  CHECK(!topics.has(2, "a/b"));
  CHECK(!topics.has(5, "c"));
  topics.detach(5, "#", 0);
  CHECK_EQ(loops_of("a/b"), (indices{0, 2, 5}));
  CHECK_EQ(loops_of("c"), indices{});
  topics.detach(5, "a/b", 0);
  topics.detach(2, "a/+", 0);
  CHECK_EQ(loops_of("a/b"), indices{0});
}

CAF_TEST(a pattern of two loops stays for the other one) {
  topics.attach_pattern(0, "a/+");
  topics.attach_pattern(1, "a/+");
  topics.attach_pattern(1, "a/+");
  topics.detach(1, "a/+", 0);
  CHECK_EQ(loops_of("a/b"), indices{0});
  topics.detach(0, "a/+", 0);
  CHECK_EQ(loops_of("a/b"), indices{});
}

CAF_TEST(detaching what was never attached does nothing) {
  topics.detach(0, "a", 0);
  topics.detach(0, "a/+", 0);
  CHECK_EQ(topics.size(), 0u);
  CHECK_EQ(loops_of("a/b"), indices{});
  attach(0, "a");
  topics.detach(7, "a", 0);
  CHECK_EQ(loops_of("a"), indices{0});
}

CAF_TEST(a topic that nobody wants has no loops) {
  publish("a");
  CHECK_EQ(loops_of("a"), indices{});
  CHECK_EQ(loops_of("never heard of"), indices{});
}

CAF_TEST(ids have a bound in bytes together) {
  // About 112 bytes, the sender's mark, and the id.
  publish("a", 0, "0");
  auto one = topics.ids_bytes();
  CHECK(one > 100);
  owned_topics few{{4, linger_ms, 1'000'000, 3 * one}, rules};
  auto put = [&](const std::string& topic, const std::string& id) {
    last = caf::make_counted<publication>();
    last->topic = topic;
    last->id = id;
    return few.publish(last, 0, make_epoch);
  };
  for (auto id : {"1", "2", "3"})
    CHECK(put("a", id) == result::accepted);
  CHECK_EQ(few.ids_bytes(), 3 * one);
  CHECK(put("a", "1") == result::duplicate);
  // One more: the oldest of that topic is not known any more.
  CHECK(put("a", "4") == result::accepted);
  CHECK_EQ(few.ids_bytes(), 3 * one);
  CHECK(put("a", "2") == result::duplicate);
  CHECK(put("a", "1") == result::accepted);
  // A topic's last one is remembered in any case.
  CHECK(put("b", "1") == result::accepted);
  CHECK(put("b", "1") == result::duplicate);
  CHECK_EQ(few.ids_bytes(), 4 * one);
  few.expire(linger_ms);
  CHECK_EQ(few.ids_bytes(), 0);
}

END_FIXTURE_SCOPE()
