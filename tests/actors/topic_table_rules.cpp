// What is subscribed goes by other rules.

#include <callboard/actors/topic_table.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "actors/topic_table_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using answer = topic_table::subscribe_result;
using kind = presence_change::kind;

namespace {

struct fixture : topic_table_fixture {
  void set(std::vector<topic_rule> x) {
    auto old = std::move(rules);
    rules = std::move(x);
    table.set_rules(rules);
  }

  void change(std::vector<topic_rule> x) {
    set(std::move(x));
    while (!table.revise(1000, 0)) {
    }
  }

  scribe& member(const std::string& topic, bool watches = false) {
    auto& result = join();
    if (table.subscribe(*result.box, topic, 1, true, nullptr, watches)
        == answer::attach)
      table.attached(topic, table.new_generation(topic), {"e", 0});
    result.words();
    return result;
  }

  /// Returns what the owners are told, sorted: `join 1; watch`.
  std::string told() {
    std::vector<std::string> words;
    for (auto& x : table.take_presence()) {
      auto id = ' ' + std::to_string(x.connection);
      words.push_back(x.what == kind::join    ? "join" + id
                      : x.what == kind::leave ? "leave" + id
                      : x.what == kind::watch ? "watch"
                                              : "unwatch");
    }
    std::ranges::sort(words);
    std::string result;
    for (auto& x : words)
      result += (result.empty() ? "" : "; ") + x;
    return result;
  }

  /// Returns a subscriber whose outbox holds 4,000 bytes.
  scribe& small(const std::string& topic) {
    auto& result = join(wire_form::msgpack, 4000);
    attach(result, topic);
    result.words();
    return result;
  }

  void deliver_each(const std::string& topic, uint64_t first, uint64_t last) {
    for (auto i = first; i <= last; ++i) {
      deliver(topic, i, "e", std::string(100, 'x'));
      table.flush();
    }
  }

  /// Lets the subscriber read, and what waits for it follow.
  std::string read(scribe& who) {
    std::string result;
    for (;;) {
      auto heard = who.heard();
      table.advance();
      if (heard.empty() && who.box->queued_bytes() == 0)
        return result;
      result += (result.empty() ? "" : "; ") + heard;
    }
  }

  static std::string events(const std::string& topic, uint64_t first,
                            uint64_t last) {
    std::string result;
    for (auto i = first; i <= last; ++i)
      result += (i == first ? "" : "; ") + topic + '@' + std::to_string(i);
    return result;
  }

  uint64_t dropped(overflow_policy x) {
    return table.take_drops()[static_cast<size_t>(x)];
  }

  // So many events of 100 bytes fit into half of a small outbox, and so many
  // are held beside it.
  static constexpr uint64_t fit = 18;
  uint64_t held = 2000
                  / static_cast<uint64_t>(
                    make_event("a", 1, "e", std::string(100, 'x'))->cost());
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- presence -----------------------------------------------------------------

CAF_TEST(members are told to the owner when presence is switched on) {
  auto& alice = member("a");
  member("a");
  CHECK_EQ(told(), "");
  change({{"a", {.presence = true}}});
  CHECK_EQ(told(), "join 1; join 2");
  table.unsubscribe(*alice.box, "a");
  CHECK_EQ(told(), "leave 1");
  // Nothing has changed.
  change({{"#", {.presence = true}}});
  CHECK_EQ(told(), "");
}

CAF_TEST(members leave and watchers ask anew when it is switched off) {
  change({{"#", {.presence = true}}});
  auto& alice = member("a", true);
  auto& bob = member("a");
  CHECK_EQ(told(), "join 1; join 2; watch");
  change({});
  CHECK_EQ(told(), "leave 1; leave 2; unwatch");
  CHECK_EQ(alice.heard(), "a@0");
  CHECK_EQ(bob.heard(), "");
  CHECK_EQ(table.take_presence_frames(), 1u);
  CHECK_EQ(table.take_presence_frames(), 0u);
  // Who goes now is not among them any more.
  table.unsubscribe(*alice.box, "a");
  CHECK_EQ(told(), "");
  // And who watched does so no longer when it is there again.
  change({{"#", {.presence = true}}});
  CHECK_EQ(told(), "join 2");
}

CAF_TEST(who subscribes before its topic was looked at goes by the new rules) {
  for (int i = 0; i < 50; ++i)
    member("t/" + std::to_string(i));
  set({{"#", {.presence = true}}});
  CHECK(!table.revise(1, 0));
  told();
  auto& newcomer = join();
  for (int i = 0; i < 50; ++i)
    table.subscribe(*newcomer.box, "t/" + std::to_string(i), 1, true, nullptr,
                    true);
  auto changes = table.take_presence();
  CHECK_EQ(std::ranges::count(changes, kind::watch, &presence_change::what),
           50);
}

CAF_TEST(who subscribes before its pattern was looked at gets last values) {
  // So many that a step that has seen all topics has not seen all of them.
  for (int i = 0; i < 500; ++i)
    attach(join(), "p/" + std::to_string(i) + "/+");
  set({{"#", {.retain = true}}});
  CHECK(!table.revise(20, 0));
  auto& newcomer = join();
  for (int i = 0; i < 500; ++i)
    CHECK(subscribe(newcomer, "p/" + std::to_string(i) + "/+", 1)
          == answer::waiting);
}

// -- overflow -----------------------------------------------------------------

CAF_TEST(who lags gets what is held when its topic disconnects) {
  change({{"a", {.overflow = overflow_policy::drop_oldest}}});
  auto& slow = small("a");
  deliver_each("a", 1, fit + 2);
  change({});
  deliver_each("a", fit + 3, fit + 4);
  CHECK_EQ(read(slow), events("a", 1, fit + 4));
  CHECK_EQ(dropped(overflow_policy::drop_oldest), 0u);
}

CAF_TEST(a gap is told where it is under another policy too) {
  change({{"a", {.overflow = overflow_policy::drop_newest}}});
  auto& slow = small("a");
  deliver_each("a", 1, 100);
  change({{"a", {.overflow = overflow_policy::drop_oldest}}});
  CHECK_EQ(dropped(overflow_policy::drop_newest), 100 - fit);
  deliver_each("a", 101, 101);
  CHECK_EQ(read(slow),
           events("a", 1, fit) + "; position a e@100 events dropped; a@101");
}

CAF_TEST(what waits behind no gap is kept under another policy) {
  change({{"a", {.overflow = overflow_policy::drop_newest}}});
  auto& slow = small("a");
  deliver_each("a", 1, fit + held);
  change({{"a", {.overflow = overflow_policy::drop_oldest}}});
  CHECK_EQ(read(slow), events("a", 1, fit + held));
}

CAF_TEST(what was published under the old policy goes by it) {
  auto& slow = small("a");
  deliver_each("a", 1, 1);
  // More than half of the outbox, and not shared out yet.
  deliver("a", 2, "e", std::string(2500, 'x'));
  change({{"a", {.overflow = overflow_policy::latest}}});
  table.flush();
  CHECK_EQ(read(slow), "a@1; a@2");
}

// -- last values --------------------------------------------------------------

CAF_TEST(newcomers get no last value when the topic retains none) {
  change({{"a", {.retain = true}}});
  auto& alice = join();
  subscribe(alice, "a", 1);
  table.attached("a", table.new_generation("a"), {"e", 1}, make_event("a", 1));
  CHECK_EQ(alice.heard(), "subscribed 1 a e@1; a@1 retained");
  change({});
  auto& bob = join();
  subscribe(bob, "a", 1);
  CHECK_EQ(bob.heard(), "subscribed 1 a e@1");
}

CAF_TEST(newcomers get no last value of an owner that has older rules) {
  change({{"a", {.retain = true}}});
  attach(join(), "a");
  change({});
  auto value = make_event("a", 1, "e", "x");
  value->retain = true;
  table.deliver(value);
  table.flush();
  auto& alice = join();
  subscribe(alice, "a", 1);
  CHECK_EQ(alice.heard(), "subscribed 1 a e@1");
  table.attached("a", table.new_generation("a"), {"e", 1}, value);
  auto& bob = join();
  subscribe(bob, "a", 1);
  CHECK_EQ(bob.heard(), "subscribed 1 a e@1");
}

CAF_TEST(last values go by rules that have not come to the topic yet) {
  attach(join(), "a");
  auto value = make_event("a", 1, "e", "x");
  value->retain = true;
  set({{"#", {.retain = true}}});
  table.deliver(value);
  table.flush();
  auto& alice = join();
  subscribe(alice, "a", 1);
  CHECK_EQ(alice.heard(), "subscribed 1 a e@1; a@1 retained");
  // The owner's answer is there in front of who waits for it.
  auto& bob = join();
  subscribe(bob, "b", 1);
  set({});
  table.attached("b", table.new_generation("b"), {"e", 4}, make_event("b", 4));
  CHECK_EQ(bob.heard(), "subscribed 1 b e@4");
}

CAF_TEST(newcomers to a pattern wait for last values where there may be some) {
  attach(join(), "a/+");
  auto& alice = join();
  CHECK(subscribe(alice, "a/+", 1) == answer::subscribed);
  change({{"a/#", {.retain = true}}});
  auto& bob = join();
  CHECK(subscribe(bob, "a/+", 1) == answer::waiting);
  change({});
  auto& carol = join();
  CHECK(subscribe(carol, "a/+", 1) == answer::subscribed);
}

// -- in steps -----------------------------------------------------------------

CAF_TEST(a step looks at some topics and patterns) {
  for (int i = 0; i < 50; ++i) {
    member("t/" + std::to_string(i));
    attach(join(), "p/" + std::to_string(i) + "/+");
  }
  set({{"#", {.presence = true}}});
  size_t steps = 1;
  while (!table.revise(5, 0))
    ++steps;
  CHECK(steps >= 20u);
  CHECK_EQ(table.take_presence().size(), 50u);
  CHECK(table.revise(5, 0));
  CHECK(table.take_presence().empty());
}

END_FIXTURE_SCOPE()
