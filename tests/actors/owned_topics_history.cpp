// What owned topics keep.

#include <callboard/actors/owned_topics.hpp>

#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

using result = owned_topics::publish_result;

constexpr int64_t linger_ms = 1000;

struct fixture {
  fixture() {
    rules.push_back({"short/+", {.history_size = 3}});
    rules.push_back({"aged/+", {.history_size = 100, .history_ttl = 1s}});
    rules.push_back({"last/+", {.retain = true}});
    rules.push_back({"#", {.history_size = 1000}});
    make(1'000'000);
  }

  void make(int64_t bytes_max) {
    topics.reset(new owned_topics{{100, linger_ms, bytes_max}, rules});
  }

  result publish(const std::string& topic, int64_t now_ms = 0,
                 const std::string& text = "x") {
    auto x = caf::make_counted<publication>();
    x->topic = topic;
    x->payload = text.empty() ? payload{} : payload::pack(text);
    last = x;
    return topics->publish(x, now_ms, make_epoch);
  }

  std::vector<uint64_t> offsets(const std::string& topic, uint64_t first = 0,
                                int64_t now_ms = 0) {
    std::vector<uint64_t> result;
    auto slice = topics->read(topic, first, 1000, 1'000'000, now_ms);
    for (auto& x : slice->events)
      result.push_back(x->offset);
    return result;
  }

  std::string retained(const std::string& topic) {
    auto x = topics->retained(topic);
    return x == nullptr ? "none" : *x->payload.get_as<std::string>();
  }

  int epochs = 0;
  std::function<std::string()> make_epoch = [this] {
    return "e" + std::to_string(++epochs);
  };
  std::vector<topic_rule> rules;
  std::unique_ptr<owned_topics> topics;
  publication_ptr last;
};

using list = std::vector<uint64_t>;

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(the first rule that matches counts) {
  for (int i = 0; i < 5; ++i) {
    publish("short/a");
    publish("other");
  }
  CHECK_EQ(offsets("short/a"), (list{3, 4, 5}));
  CHECK_EQ(offsets("other"), (list{1, 2, 3, 4, 5}));
  auto slice = topics->read("short/a", 5, 10, 1'000'000, 0);
  CHECK_EQ(slice->topic, "short/a");
  CHECK_EQ(slice->head, 5u);
  CHECK_EQ(slice->epoch, "e1");
  REQUIRE_EQ(slice->events.size(), 1u);
  // There is no second copy.
  publish("short/a");
  CHECK(topics->read("short/a", 6, 10, 1'000'000, 0)->events[0] == last);
  CHECK_EQ(topics->read("unknown", 0, 10, 1'000'000, 0)->epoch, "");
}

CAF_TEST(what is too old is not read and costs nothing) {
  publish("aged/a", 0);
  publish("aged/a", 500);
  CHECK_EQ(offsets("aged/a", 0, 999), (list{1, 2}));
  CHECK_EQ(topics->oldest("aged/a", 999), 1u);
  CHECK_EQ(offsets("aged/a", 0, 1000), (list{2}));
  CHECK_EQ(topics->oldest("aged/a", 1500), 0u);
  CHECK_EQ(topics->kept_bytes(), 0);
  CHECK_EQ(topics->read("aged/a", 0, 10, 1'000'000, 1500)->head, 2u);
}

CAF_TEST(a topic lives as long as it keeps something) {
  publish("aged/a", 0);
  publish("last/a", 0);
  topics->expire(999);
  CHECK_EQ(topics->size(), 2u);
  topics->expire(100 * linger_ms);
  CHECK_EQ(topics->size(), 1u);
  CHECK_EQ(retained("last/a"), "x");
  publish("last/a", 100 * linger_ms, "");
  CHECK_EQ(retained("last/a"), "none");
  topics->expire(101 * linger_ms);
  CHECK_EQ(topics->size(), 0u);
  CHECK_EQ(topics->kept_bytes(), 0);
}

CAF_TEST(the last value is the last one and marked) {
  publish("last/a", 0, "one");
  publish("last/a", 0, "two");
  CHECK_EQ(retained("last/a"), "two");
  CHECK(last->retain);
  CHECK_EQ(topics->kept_bytes(), last->cost());
  CHECK_EQ(offsets("last/a"), (list{}));
  publish("short/a");
  CHECK(!last->retain);
  CHECK_EQ(retained("short/a"), "none");
}

CAF_TEST(the histories used least recently give way) {
  publish("a");
  auto one = topics->kept_bytes();
  make(3 * one);
  publish("a");
  publish("b");
  publish("c");
  CHECK_EQ(topics->kept_bytes(), 3 * one);
  CHECK_EQ(topics->take_evictions(), 0u);
  // Reading is using.
  offsets("a");
  publish("d");
  CHECK_EQ(topics->take_evictions(), 1u);
  CHECK_EQ(topics->take_evictions(), 0u);
  CHECK_EQ(offsets("b"), (list{}));
  CHECK_EQ(offsets("a"), (list{1}));
  CHECK_EQ(offsets("d"), (list{1}));
  CHECK(topics->kept_bytes() <= 3 * one);
  // Its place in the order stays.
  auto epoch = topics->read("b", 0, 1, 1'000'000, 0)->epoch;
  publish("b");
  CHECK_EQ(last->offset, 2u);
  CHECK_EQ(last->epoch, epoch);
}

CAF_TEST(a topic alone keeps what there is room for) {
  publish("a");
  auto one = last->cost();
  make(10 * one);
  for (int i = 0; i < 100; ++i)
    publish("a");
  CHECK(topics->kept_bytes() <= 10 * one);
  auto kept = offsets("a");
  REQUIRE(kept.size() > 3);
  CHECK_EQ(kept.back(), 100u);
  CHECK_EQ(kept.front(), 101u - kept.size());
}

CAF_TEST(last values do not give way and are refused when there is no room) {
  publish("last/a");
  auto one = last->cost();
  make(2 * one);
  CHECK(publish("last/a") == result::accepted);
  publish("b");
  CHECK(publish("last/b") == result::accepted);
  CHECK_EQ(offsets("b"), (list{}));
  CHECK_EQ(topics->kept_bytes(), 2 * one);
  CHECK(publish("last/c") == result::full);
  CHECK_EQ(retained("last/a"), "x");
  // Another value of the same size, and none, have room.
  CHECK(publish("last/a", 0, "y") == result::accepted);
  CHECK(publish("last/a", 0, "yy") == result::full);
  CHECK_EQ(retained("last/a"), "y");
  CHECK(publish("last/a", 0, "") == result::accepted);
  CHECK(publish("last/c") == result::accepted);
}

END_FIXTURE_SCOPE()
