// topic_table beside a naive model of it, under random work.

#include <callboard/actors/topic_table.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <callboard/messages/topic.hpp>

#include "actors/topic_table_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

using words = std::vector<std::string>;

/// Who has which subjects, and what each must have heard.
struct fixture : topic_table_fixture {
  void publish(const std::string& topic, bool no_echo, scribe& who_publishes) {
    publisher = no_echo ? who_publishes.box->connection : 0;
    auto offset = ++offsets[topic];
    deliver(topic, offset);
    auto line = topic + '@' + std::to_string(offset);
    for (auto& [who, subjects] : model) {
      if (no_echo && who == &who_publishes)
        continue;
      for (auto& x : subjects) {
        if (x == topic)
          expected[who].push_back(line);
        else if (is_pattern(x) && matches(x, topic))
          expected[who].push_back(line + " by " + x);
      }
    }
  }

  void subscribe_to(scribe& who, const std::string& subject) {
    auto result = subscribe(who, subject, 1);
    auto known = model[&who].contains(subject);
    REQUIRE_EQ(result == topic_table::subscribe_result::duplicate, known);
    if (known)
      return;
    if (result == topic_table::subscribe_result::attach) {
      auto generation = table.new_generation(subject);
      if (is_pattern(subject))
        table.pattern_attached(subject, generation, 0, 1);
      else
        table.attached(subject, generation, {"e", offsets[subject]});
    }
    model[&who].insert(subject);
    expected[&who].push_back(is_pattern(subject)
                               ? "subscribed 1 " + subject
                               : "subscribed 1 " + subject + " e@"
                                   + std::to_string(offsets[subject]));
  }

  void unsubscribe_from(scribe& who, const std::string& subject) {
    auto result = table.unsubscribe(*who.box, subject);
    REQUIRE_EQ(result.found, model[&who].erase(subject) > 0);
    REQUIRE_EQ(result.detach, result.found && !wanted(subject));
  }

  void leave(scribe& who) {
    std::vector<std::string> detached;
    table.remove(*who.box, detached);
    std::ranges::sort(detached);
    words gone;
    for (auto& x : std::exchange(model[&who], {}))
      if (!wanted(x))
        gone.push_back(x);
    REQUIRE_EQ(detached, gone);
  }

  bool wanted(const std::string& subject) const {
    return std::ranges::any_of(model, [&](auto& x) {
      return x.second.contains(subject);
    });
  }

  void check_counts() {
    std::set<std::string> subjects;
    size_t n = 0;
    for (auto& [who, xs] : model) {
      subjects.insert(xs.begin(), xs.end());
      n += xs.size();
    }
    REQUIRE_EQ(table.topics(), subjects.size());
    REQUIRE_EQ(table.subscriptions(), n);
    for (auto& x : scribes) {
      REQUIRE_EQ(x->box->subscriptions.size(), model[x.get()].size());
      for (auto& s : x->box->subscriptions)
        REQUIRE(s->box == x->box.get());
    }
  }

  /// Ends the turn. Events of one subject come in order; different subjects
  /// are told apart first, because their order is free within a turn.
  void check_heard() {
    table.flush();
    for (auto& x : scribes) {
      auto heard = by_subject(x->words());
      REQUIRE_EQ(heard, by_subject(std::exchange(expected[x.get()], {})));
    }
  }

  static std::map<std::string, words> by_subject(const words& lines) {
    std::map<std::string, words> result;
    for (auto& x : lines) {
      auto by = x.find(" by ");
      if (by != std::string::npos)
        result[x.substr(by + 4)].push_back(x);
      else if (x.starts_with("subscribed 1 "))
        result[x.substr(13, x.find(' ', 13) - 13)].push_back(x);
      else
        result[x.substr(0, x.find('@'))].push_back(x);
    }
    return result;
  }

  std::map<const scribe*, std::set<std::string>> model;
  std::map<const scribe*, words> expected;
  std::map<std::string, uint64_t> offsets;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(the table does what a naive one does) {
  static const words subjects{"a", "b", "a/b", "a/c", "a/b/c",
                              "+", "#", "a/+", "a/#", "+/b"};
  std::mt19937 random{2024};
  auto roll = [&](size_t n) { return random() % n; };
  for (auto form : {wire_form::msgpack, wire_form::json, wire_form::msgpack})
    for (int i = 0; i < 4; ++i)
      join(form);
  size_t heard = 0;
  for (int round = 0; round < 20'000; ++round) {
    auto& who = *scribes[roll(scribes.size())];
    switch (roll(16)) {
      default:
        publish(subjects[roll(5)], roll(4) == 0, who);
        break;
      case 0:
      case 1:
      case 2:
      case 3:
        subscribe_to(who, subjects[roll(subjects.size())]);
        break;
      case 4:
      case 5:
      case 6:
        unsubscribe_from(who, subjects[roll(subjects.size())]);
        break;
      case 7:
        if (roll(10) == 0)
          leave(who);
        break;
      case 8:
        for (auto& [x, lines] : expected)
          heard += lines.size();
        check_heard();
        check_counts();
        break;
    }
  }
  check_heard();
  CHECK_GT(heard, 20'000u);
  for (auto& x : scribes)
    leave(*x);
  check_counts();
  CHECK_EQ(table.topics(), 0u);
  scheduler.flush();
  CHECK_EQ(scheduler.queued_bytes(), 0u);
}

END_FIXTURE_SCOPE()
