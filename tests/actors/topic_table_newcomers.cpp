// The last values of the topics of a pattern, for those who are new to it.

#include <callboard/actors/topic_table.hpp>

#include <map>
#include <string>
#include <vector>

#include <callboard/actors/string_hash.hpp>

#include "actors/topic_table_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

/// Plays two shards that own the topics `r/…`, too. They look at two topics for
/// a page.
struct fixture : topic_table_fixture {
  fixture() {
    rules.push_back({"r/#", {.retain = true}});
  }

  /// Lets the shards confirm the pattern.
  void confirm(const std::string& pattern = "r/#") {
    auto generation = table.new_generation(pattern);
    table.pattern_attached(pattern, generation, 0, 2);
    table.pattern_attached(pattern, generation, 1, 2);
  }

  /// Publishes as a shard does.
  void publish(const std::string& topic, const std::string& content = {}) {
    auto event = make_event(topic, ++heads[topic], "e", content);
    event->no_echo = publisher != 0;
    event->publisher = publisher;
    values[shard_of(topic, 2)][topic] = event;
    table.deliver(event);
  }

  void ask() {
    for (auto& x : table.take_retained_queries(2))
      questions.push_back(x);
  }

  /// Answers the question that was asked first.
  void answer() {
    REQUIRE(!questions.empty());
    auto [shard, x] = questions.front();
    questions.erase(questions.begin());
    auto page = caf::make_counted<retained_page>();
    page->shard = shard;
    page->pattern = x.pattern;
    page->number = x.number;
    auto i = values[shard].upper_bound(x.after);
    for (; i != values[shard].end() && page->values.size() < 2; ++i)
      page->values.push_back(i->second);
    if (i != values[shard].end())
      page->upto = page->values.back()->topic;
    page->own_done = page->upto.empty();
    table.fetched(*page);
  }

  /// Asks and answers until nothing is left to do.
  void settle() {
    do {
      table.flush();
      table.advance();
      ask();
      while (!questions.empty())
        answer();
    } while (table.advancing());
    table.flush();
  }

  /// Returns the `n`-th topic of a shard, in the order of names.
  static std::string topic(uint32_t shard, int n = 0) {
    for (auto i = 10;; ++i) {
      auto name = "r/" + std::to_string(i);
      if (shard_of(name, 2) == shard && n-- == 0)
        return name;
    }
  }

  std::vector<std::pair<uint32_t, retained_query>> questions;
  std::map<std::string, uint64_t> heads;
  std::map<std::string, publication_ptr> values[2];
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a newcomer gets the last values of all shards first) {
  auto a = topic(0);
  auto b = topic(1);
  publish(a);
  publish(a);
  publish(b);
  auto& x = join();
  CHECK(subscribe(x, "r/#", 7) == topic_table::subscribe_result::attach);
  CHECK(table.take_retained_queries(2).empty());
  confirm();
  CHECK_EQ(x.heard(), "");
  settle();
  publish(b);
  table.flush();
  CHECK_EQ(x.heard(), "subscribed 7 r/# values; " + a + "@2 by r/# retained; "
                        + b + "@1 by r/# retained; " + b + "@2 by r/#");
  // The next one waits for a round of its own; the first gets nothing twice.
  auto& actor = join();
  CHECK(subscribe(actor, "r/#", 8, false)
        == topic_table::subscribe_result::waiting);
  settle();
  publish(a);
  table.flush();
  CHECK_EQ(actor.heard(), "subscribed 8 r/# values; value " + a
                            + "@2 by r/# retained; value " + b
                            + "@2 by r/# retained; value " + a + "@3 by r/#");
  CHECK_EQ(x.heard(), a + "@3 by r/#");
}

CAF_TEST(a pattern without such topics asks for nothing) {
  auto& x = join();
  attach(x, "s/#");
  CHECK_EQ(x.heard(), "subscribed 1 s/#");
  CHECK(!table.advancing());
  CHECK(table.take_retained_queries(2).empty());
}

CAF_TEST(what is published between the pages comes once) {
  auto a = topic(0);
  auto b = topic(1);
  auto other = "r/x/" + a;
  publish(a);
  publish(b);
  auto& x = join();
  subscribe(x, "r/#", 1);
  confirm();
  publish(a);
  publish(b);
  ask();
  publish(a);
  publish(b);
  // The first shard's answer: what comes to `a` now is news, to `b` not yet.
  answer();
  publish(a);
  publish(b);
  answer();
  publish(a);
  publish(b);
  settle();
  auto heard = x.words();
  std::vector<std::string> want{
    "subscribed 1 r/# values", a + "@3 by r/# retained",
    b + "@4 by r/# retained",  a + "@4 by r/#",
    a + "@5 by r/#",           b + "@5 by r/#"};
  CHECK_EQ(heard, want);
}

CAF_TEST(the value of a topic that goes to another node meanwhile comes once) {
  auto a = topic(0);
  publish(a);
  auto& x = join();
  subscribe(x, "r/#", 1);
  confirm();
  ask();
  auto page = caf::make_counted<retained_page>();
  page->pattern = "r/#";
  page->number = questions.front().second.number;
  page->values = {values[0][a]};
  page->own_done = true;
  // The shard had it when its own topics were looked at, and has come to those
  // of another node, which has it by now.
  page->upto = "another node";
  questions.erase(questions.begin());
  table.fetched(*page);
  ask();
  page->upto.clear();
  questions.pop_back();
  table.fetched(*page);
  settle();
  auto heard = x.words();
  std::vector<std::string> want{"subscribed 1 r/# values",
                                a + "@1 by r/# retained"};
  CHECK_EQ(heard, want);
}

CAF_TEST(pages of a shard cover what they have looked at) {
  std::vector<std::string> names;
  for (int i = 0; i < 3; ++i)
    names.push_back(topic(0, i));
  for (auto& x : names)
    publish(x);
  auto& x = join();
  subscribe(x, "r/#", 1);
  confirm();
  ask();
  answer();
  for (auto& y : names)
    publish(y);
  settle();
  auto heard = x.heard();
  CHECK_EQ(heard, "subscribed 1 r/# values; " + names[0]
                    + "@1 by r/# retained; " + names[1] + "@1 by r/# retained; "
                    + names[2] + "@2 by r/# retained; " + names[0]
                    + "@2 by r/#; " + names[1] + "@2 by r/#");
}

CAF_TEST(as many as may be come and of one more none) {
  for (size_t i = 0; i < values_max; ++i)
    publish(topic(i % 2, static_cast<int>(i / 2)));
  auto& x = join();
  subscribe(x, "r/#", 1);
  confirm();
  settle();
  CHECK_EQ(x.words().size(), 1 + values_max);
  publish(topic(0, 9));
  table.flush();
  x.words();
  auto& y = join();
  subscribe(y, "r/#", 2);
  settle();
  CHECK_EQ(y.heard(), "subscribed 2 r/# too many values");
  publish(topic(0));
  table.flush();
  CHECK_EQ(y.heard(), topic(0) + "@2 by r/#");
  CHECK_EQ(x.heard(), topic(0) + "@2 by r/#");
}

CAF_TEST(who leaves while the shards are asked is not answered) {
  publish(topic(0));
  auto& x = join();
  auto& y = join();
  subscribe(x, "r/#", 1);
  confirm();
  ask();
  auto left = table.unsubscribe(*x.box, "r/#");
  CHECK_EQ(left.waiting_seq_id, 1u);
  CHECK(left.detach);
  // Answers to the one that left are not for the next one.
  subscribe(y, "r/#", 2);
  confirm();
  answer();
  CHECK_EQ(y.heard(), "");
  questions.clear();
  settle();
  CHECK_EQ(y.heard(),
           "subscribed 2 r/# values; " + topic(0) + "@1 by r/# retained");
  CHECK_EQ(x.heard(), "");
}

CAF_TEST(a shard that is asked anew begins the round again) {
  auto a = topic(0);
  auto b = topic(1);
  publish(a);
  publish(b);
  auto& x = join();
  subscribe(x, "r/#", 1);
  confirm();
  ask();
  answer();
  // The other one dies with the question.
  questions.clear();
  publish(a);
  confirm();
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 r/# values; " + a + "@2 by r/# retained; "
                        + b + "@1 by r/# retained");
}

CAF_TEST(a slow newcomer gets them as it reads and then what came meanwhile) {
  std::string large(300, 'v');
  for (int i = 0; i < 2; ++i)
    for (uint32_t shard : {0, 1})
      publish(topic(shard, i), large);
  auto& x = join(wire_form::msgpack, 1500);
  subscribe(x, "r/#", 1);
  confirm();
  settle();
  // A quarter of the outbox at a time.
  CHECK(x.box->queued_bytes() < 800);
  publish(topic(0), "w");
  publish(topic(1), "w");
  table.flush();
  CHECK(!x.box->overflowed());
  std::vector<std::string> heard;
  for (auto words = x.words(); !words.empty(); words = x.words()) {
    heard.insert(heard.end(), words.begin(), words.end());
    table.advance();
  }
  std::vector<std::string> want{"subscribed 1 r/# values"};
  for (uint32_t shard : {0, 1})
    for (int i = 0; i < 2; ++i)
      want.push_back(topic(shard, i) + "@1 by r/# retained");
  want.push_back(topic(0) + "@2 by r/#");
  want.push_back(topic(1) + "@2 by r/#");
  CHECK_EQ(heard, want);
  publish(topic(1), "w");
  table.flush();
  CHECK_EQ(x.heard(), topic(1) + "@3 by r/#");
}

CAF_TEST(who does not read is cut off like others) {
  std::string large(300, 'v');
  for (int i = 0; i < 2; ++i)
    for (uint32_t shard : {0, 1})
      publish(topic(shard, i), large);
  auto& x = join(wire_form::msgpack, 1500);
  subscribe(x, "r/#", 1);
  confirm();
  settle();
  for (int i = 0; i < 20; ++i) {
    publish(topic(0), large);
    table.flush();
  }
  CHECK(x.box->overflowed());
}

CAF_TEST(what comes behind the pages is bounded) {
  std::string large(100'000, 'v');
  publish(topic(0));
  auto& x = join();
  subscribe(x, "r/#", 1);
  confirm();
  ask();
  answer();
  for (int i = 0; i < 60; ++i)
    publish(topic(0), large);
  table.flush();
  auto words = x.words();
  REQUIRE(!words.empty());
  CHECK_EQ(words[0], "subscribed 1 r/# too many values");
  // It gets what came since it was answered.
  for (size_t i = 1; i < words.size(); ++i)
    CHECK_EQ(words[i], topic(0) + '@' + std::to_string(62 - words.size() + i)
                         + " by r/#");
  CHECK(words.size() > 10);
}

CAF_TEST(what comes behind the topics of a shard itself is kept once) {
  auto a = topic(0);
  auto b = topic(0, 1);
  publish(a);
  publish(b);
  auto& x = join();
  subscribe(x, "r/#", 1);
  confirm();
  ask();
  // The shard owns `a`; another node owns `b` and gives its value later.
  auto give = [&](const std::string& name, const std::string& upto) {
    auto page = caf::make_counted<retained_page>();
    page->pattern = "r/#";
    page->number = questions.front().second.number;
    page->values.push_back(values[0][name]);
    page->upto = upto;
    page->own_done = true;
    std::erase_if(questions, [](auto& y) { return y.first == 0; });
    table.fetched(*page);
  };
  give(a, "\1elsewhere");
  publish(a);
  publish(b);
  ask();
  give(b, {});
  publish(b);
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 r/# values; " + a + "@1 by r/# retained; "
                        + b + "@2 by r/# retained; " + a + "@2 by r/#; " + b
                        + "@3 by r/#");
}

CAF_TEST(an own event is not for its publisher but its last value is) {
  auto& x = join();
  publisher = x.box->connection;
  publish(topic(0));
  subscribe(x, "r/#", 1);
  confirm();
  ask();
  answer();
  publish(topic(0));
  publisher = 0;
  publish(topic(0));
  settle();
  CHECK_EQ(x.heard(), "subscribed 1 r/# values; " + topic(0)
                        + "@1 by r/# retained; " + topic(0) + "@3 by r/#");
}

END_FIXTURE_SCOPE()
