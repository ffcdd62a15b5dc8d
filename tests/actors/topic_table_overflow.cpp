// What becomes of events for those who read too slowly.

#include <callboard/actors/topic_table.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "actors/topic_table_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

struct fixture : topic_table_fixture {
  fixture() {
    rules.push_back({"oldest", {.overflow = overflow_policy::drop_oldest}});
    rules.push_back({"newest", {.overflow = overflow_policy::drop_newest}});
    rules.push_back({"latest", {.overflow = overflow_policy::latest}});
  }

  /// Returns a subscriber whose outbox holds `bytes_max` bytes.
  scribe& small(const std::string& topic, size_t bytes_max = 4000,
                wire_form form = wire_form::msgpack) {
    auto& result = join(form, bytes_max);
    attach(result, topic);
    result.words();
    return result;
  }

  /// Delivers events of 100 bytes and more, a turn each.
  void deliver_each(const std::string& topic, uint64_t first, uint64_t last) {
    for (auto i = first; i <= last; ++i) {
      deliver(topic, i, "e", std::string(100, 'x'));
      table.flush();
    }
  }

  /// Lets the subscriber read, and what waits for it follow.
  static std::string all(topic_table_fixture& x, scribe& who) {
    std::string result;
    for (;;) {
      auto heard = who.heard();
      x.table.advance();
      if (heard.empty() && who.box->queued_bytes() == 0)
        return result;
      result += (result.empty() ? "" : "; ") + heard;
    }
  }

  std::string read(scribe& who) {
    return all(*this, who);
  }

  static std::string events(const std::string& topic, uint64_t first,
                            uint64_t last) {
    std::string result;
    for (auto i = first; i <= last; ++i)
      result += (i == first ? "" : "; ") + topic + '@' + std::to_string(i);
    return result;
  }

  static std::string gap(const std::string& topic, uint64_t offset) {
    return "position " + topic + " e@" + std::to_string(offset)
           + " events dropped";
  }

  uint64_t dropped(overflow_policy x) {
    return table.take_drops()[static_cast<size_t>(x)];
  }

  // Of events with 100 bytes of payload, so many fit into half of an outbox of
  // 4,000 bytes, and so many are held beside it.
  static constexpr uint64_t fit = 18;
  uint64_t held
    = 2000
      / static_cast<uint64_t>(
        make_event("oldest", 1, "e", std::string(100, 'x'))->cost());
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(the oldest of those that wait are dropped) {
  auto& slow = small("oldest");
  auto& quick = ready("oldest");
  deliver_each("oldest", 1, 100);
  CHECK_EQ(quick.heard(), events("oldest", 1, 100));
  CHECK_EQ(read(slow), events("oldest", 1, fit) + "; "
                         + gap("oldest", 100 - held) + "; "
                         + events("oldest", 101 - held, 100));
  CHECK_EQ(dropped(overflow_policy::drop_oldest), 100 - fit - held);
  deliver_each("oldest", 101, 102);
  CHECK_EQ(slow.heard(), events("oldest", 101, 102));
}

CAF_TEST(the newest are dropped once too many wait) {
  auto& slow = small("newest");
  auto& quick = ready("newest");
  deliver_each("newest", 1, 100);
  CHECK_EQ(quick.heard(), events("newest", 1, 100));
  CHECK_EQ(read(slow),
           events("newest", 1, fit + held) + "; " + gap("newest", 100));
  CHECK_EQ(dropped(overflow_policy::drop_newest), 100 - fit - held);
  deliver_each("newest", 101, 102);
  CHECK_EQ(slow.heard(), events("newest", 101, 102));
}

CAF_TEST(all but the last are dropped) {
  auto& slow = small("latest");
  deliver_each("latest", 1, 100);
  CHECK_EQ(read(slow), events("latest", 1, fit) + "; " + gap("latest", 99)
                         + "; " + events("latest", 100, 100));
  CHECK_EQ(dropped(overflow_policy::latest), 100 - fit - 1);
}

CAF_TEST(as many as may wait are no gap and one more is) {
  for (std::string topic : {"oldest", "newest"}) {
    auto& slow = small(topic);
    deliver_each(topic, 1, fit + held);
    CHECK_EQ(read(slow), events(topic, 1, fit + held));
    auto& other = small(topic);
    table.unsubscribe(*slow.box, topic);
    auto first = fit + held + 1;
    deliver_each(topic, first, first + fit + held);
    CHECK(read(other).find("events dropped") != std::string::npos);
    table.unsubscribe(*other.box, topic);
  }
  CHECK_EQ(dropped(overflow_policy::disconnect), 0u);
}

CAF_TEST(one that waits is no gap where only the last is kept) {
  auto& slow = small("latest");
  deliver_each("latest", 1, fit + 1);
  CHECK_EQ(read(slow), events("latest", 1, fit + 1));
  CHECK_EQ(dropped(overflow_policy::latest), 0u);
}

CAF_TEST(half of the outbox may wait and not a byte more) {
  for (size_t more : {0, 1}) {
    auto& slow = small("oldest", 400);
    // `oldest@1|…` and a line break.
    deliver("oldest", 1, "e", std::string(90, 'x'));
    table.flush();
    deliver("oldest", 2, "e", std::string(90 + more, 'x'));
    table.flush();
    CHECK_EQ(slow.box->queued_bytes(), more == 0 ? 200u : 100u);
    CHECK_EQ(read(slow), events("oldest", 1, 2));
    table.unsubscribe(*slow.box, "oldest");
  }
}

CAF_TEST(those of a turn are held like those of many) {
  auto& slow = small("oldest");
  for (uint64_t i = 1; i <= 30; ++i)
    deliver("oldest", i, "e", std::string(100, 'x'));
  table.flush();
  // Nothing waited, so that all of them went.
  CHECK_EQ(slow.box->queued_bytes() > 3000, true);
  for (uint64_t i = 31; i <= 60; ++i)
    deliver("oldest", i, "e", std::string(100, 'x'));
  table.flush();
  CHECK_EQ(read(slow), events("oldest", 1, 30) + "; " + gap("oldest", 60 - held)
                         + "; " + events("oldest", 61 - held, 60));
}

CAF_TEST(who lags is not closed) {
  for (std::string topic : {"oldest", "newest", "latest"}) {
    auto& slow = small(topic);
    deliver_each(topic, 1, 1000);
    CHECK(!slow.box->overflowed());
    CHECK(slow.box->queued_bytes() <= 2000);
    table.unsubscribe(*slow.box, topic);
  }
  auto& cut = small("other");
  deliver_each("other", 1, 1000);
  CHECK(cut.box->overflowed());
}

CAF_TEST(what comes while one catches up follows without a gap) {
  auto& slow = small("oldest", 4000);
  deliver_each("oldest", 1, fit + held);
  slow.heard();
  // The turn in which it drains has an event of its own.
  deliver("oldest", fit + held + 1, "e", "x");
  table.flush();
  table.advance();
  deliver("oldest", fit + held + 2, "e", "x");
  table.flush();
  CHECK_EQ(read(slow), events("oldest", fit + 1, fit + held + 2));
}

CAF_TEST(an event is counted once for who lags and not where it is dropped) {
  for (std::string topic : {"oldest", "newest", "latest"}) {
    auto& slow = small(topic);
    auto& quick = ready(topic);
    int64_t delivered = 0;
    for (uint64_t i = 1; i <= 100; ++i) {
      delivered
        += static_cast<int64_t>(deliver(topic, i, "e", std::string(100, 'x')));
      if (i % 3 == 0)
        table.flush();
    }
    table.flush();
    auto events = [](const std::vector<std::string>& words) {
      return std::ranges::count_if(words, [](auto& x) {
        return !x.starts_with("position");
      });
    };
    auto got = events(quick.words());
    CHECK_EQ(got, 100);
    for (auto words = slow.words(); !words.empty(); words = slow.words()) {
      got += events(words);
      table.advance();
    }
    CHECK(got < 200);
    CHECK_EQ(delivered + table.take_replayed(), got);
    table.unsubscribe(*slow.box, topic);
    table.unsubscribe(*quick.box, topic);
  }
}

CAF_TEST(an own event that makes its publisher lag is not counted for it) {
  auto& slow = small("oldest");
  deliver_each("oldest", 1, fit);
  table.take_replayed();
  publisher = slow.box->connection;
  CHECK_EQ(deliver("oldest", fit + 1, "e", std::string(100, 'x')), 0u);
  publisher = 0;
  CHECK_EQ(table.take_replayed(), 0);
}

CAF_TEST(an own event is not held for its publisher) {
  auto& slow = small("oldest");
  deliver_each("oldest", 1, fit + 1);
  publisher = slow.box->connection;
  deliver_each("oldest", fit + 2, fit + 2);
  publisher = 0;
  deliver_each("oldest", fit + 3, fit + 3);
  CHECK_EQ(read(slow), events("oldest", 1, fit + 1) + "; "
                         + events("oldest", fit + 3, fit + 3));
}

CAF_TEST(one that lags can leave and come back) {
  auto& slow = small("oldest");
  ready("oldest");
  deliver_each("oldest", 1, 50);
  auto result = table.unsubscribe(*slow.box, "oldest");
  CHECK(result.found);
  CHECK_EQ(result.waiting_seq_id, 0u);
  CHECK_EQ(read(slow), events("oldest", 1, fit));
  subscribe(slow, "oldest", 2);
  deliver_each("oldest", 51, 51);
  CHECK_EQ(slow.heard(), "subscribed 2 oldest e@50; oldest@51");
}

CAF_TEST(one that lags can go) {
  auto& slow = small("latest");
  deliver_each("latest", 1, 50);
  std::vector<std::string> detached;
  table.remove(*slow.box, detached);
  CHECK_EQ(detached, std::vector<std::string>{"latest"});
  CHECK_EQ(table.topics(), 0u);
  slow.heard();
  table.advance();
  CHECK_EQ(slow.heard(), "");
}

CAF_TEST(who lags hears at its end that the topic started over) {
  auto& slow = small("oldest");
  deliver_each("oldest", 1, 50);
  table.attached("oldest", table.new_generation("oldest"), {"f", 7});
  CHECK_EQ(read(slow),
           events("oldest", 1, fit) + "; position oldest f@7 events dropped");
  deliver("oldest", 8, "f", "x");
  table.flush();
  CHECK_EQ(slow.heard(), "oldest@8");
}

CAF_TEST(who lags is told of a gap before what comes behind it) {
  for (std::string topic : {"oldest", "latest"}) {
    auto& slow = small(topic);
    deliver_each(topic, 1, fit + 2);
    table.attached(topic, table.new_generation(topic), {"f", 0});
    deliver(topic, 1, "f", "x");
    table.flush();
    CHECK_EQ(read(slow), events(topic, 1, fit) + "; position " + topic
                           + " f@0 events dropped; " + topic + "@1");
  }
}

CAF_TEST(topics share what is held for a reader) {
  auto& slow = small("newest");
  attach(slow, "oldest");
  attach(slow, "latest");
  slow.words();
  deliver_each("newest", 1, fit + held);
  CHECK(slow.box->held_bytes > 0);
  CHECK(slow.box->held_bytes <= 2000);
  // Nothing is left for the others, whatever their policy.
  deliver_each("oldest", 1, 2);
  deliver_each("latest", 1, 2);
  CHECK(slow.box->held_bytes <= 2000);
  CHECK_EQ(read(slow), events("newest", 1, fit + held) + "; " + gap("oldest", 2)
                         + "; " + gap("latest", 2));
  CHECK_EQ(slow.box->held_bytes, 0);
  deliver("oldest", 3, "e", "x");
  table.flush();
  CHECK_EQ(slow.heard(), "oldest@3");
}

CAF_TEST(each form is held in its own) {
  auto& text = small("oldest", 4000, wire_form::json);
  auto& binary = small("oldest", 4000, wire_form::msgpack);
  deliver_each("oldest", 1, fit + 1);
  CHECK_EQ(read(text), events("oldest", 1, fit + 1));
  CHECK_EQ(read(binary), events("oldest", 1, fit + 1));
}

CAF_TEST(who recovers can lag afterwards) {
  auto& slow = join(wire_form::msgpack, 4000);
  attach(slow, "oldest");
  table.unsubscribe(*slow.box, "oldest");
  topic_position since{"e", 0};
  table.subscribe(*slow.box, "oldest", 2, true, &since);
  table.attached("oldest", table.new_generation("oldest"), {"e", 0});
  slow.words();
  deliver_each("oldest", 1, fit + held);
  CHECK_EQ(read(slow), events("oldest", 1, fit + held));
}

END_FIXTURE_SCOPE()
