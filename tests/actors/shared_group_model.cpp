// Groups beside a naive model of what they promise, under random work.

#include <callboard/actors/shared_group.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "actors/group_fixture.hpp"

using namespace callboard;

namespace {

struct fixture : group_fixture {
  /// What became of an event.
  struct fate {
    std::string key;
    uint32_t attempts = 0;
    bool finished = false;
    /// Who had it last, if it has left that one.
    member_id left = 0;
  };

  uint32_t random(uint32_t n) {
    return std::uniform_int_distribution<uint32_t>{0, n - 1}(engine);
  }

  void on_given(const callboard::group_member& to,
                const group_delivery& what) override {
    auto offset = what.event->offset;
    auto& x = fates.at(offset);
    REQUIRE(!x.finished);
    REQUIRE_EQ(what.attempt, ++x.attempts);
    REQUIRE_LE(what.attempt, limits.attempts_max);
    REQUIRE(!paused.contains(to.id));
    REQUIRE_LE(to.given.size(), limits.inflight_max);
    REQUIRE(to.id != x.left || members.size() == 1);
    x.left = 0;
    // Nobody else has it, and its key has nothing in front of it.
    auto same = std::ranges::count_if(open, [offset](auto& y) {
      return y.second.offset == offset;
    });
    REQUIRE_EQ(same, 1);
    auto in_front = [&](auto& y) {
      return y.first < offset && y.second.key == x.key && !y.second.finished;
    };
    REQUIRE(x.key.empty() || std::ranges::none_of(fates, in_front));
  }

  void on_buried(const publication_ptr& event) override {
    auto& x = fates.at(event->offset);
    REQUIRE(!x.finished);
    if (history_size > 0)
      REQUIRE_EQ(x.attempts, limits.attempts_max);
    x.finished = true;
    ++buried;
  }

  void withdraw(const callboard::group_member& from, uint64_t number) override {
    fates.at(open.at(number).offset).left = from.id;
    group_fixture::withdraw(from, number);
  }

  // -- steps ------------------------------------------------------------------

  void publish_one() {
    auto key = random(3) == 0 ? std::string{} : "k" + std::to_string(random(6));
    fates[head + 1].key = key;
    publish(key);
  }

  // Something that a member has; or nothing.
  const given* pick() {
    if (open.empty())
      return nullptr;
    auto i = open.begin();
    std::advance(i, random(static_cast<uint32_t>(open.size())));
    picked = i->second;
    return &picked;
  }

  void confirm_one() {
    if (auto* x = pick()) {
      auto& what = fates.at(x->offset);
      REQUIRE(!what.finished);
      what.finished = true;
      ++confirmed;
      confirm(x->who, x->offset);
    }
  }

  void reject_one() {
    if (auto* x = pick()) {
      fates.at(x->offset).left = x->who;
      reject(x->who, x->offset);
    }
  }

  void pause_one() {
    if (auto* x = pick()) {
      paused.insert(x->who);
      --fates.at(x->offset).attempts;
      give_back(x->who, x->offset);
    }
  }

  void resume_one() {
    if (paused.empty())
      return;
    auto who = *paused.begin();
    paused.erase(who);
    resume(who);
  }

  void join_one() {
    if (members.size() == 5)
      return;
    members.insert(++last_member);
    join(last_member);
  }

  void leave_one() {
    if (members.empty())
      return;
    auto i = members.begin();
    std::advance(i, random(static_cast<uint32_t>(members.size())));
    auto who = *i;
    members.erase(i);
    paused.erase(who);
    for (auto& [number, x] : open)
      if (x.who == who)
        fates.at(x.offset).left = who;
    leave(who);
  }

  [[nodiscard]] bool has_room(const callboard::group_member& x) const {
    return !x.paused && x.given.size() < limits.inflight_max;
  }

  // Nothing waits that somebody who has room could be given.
  void check_liveness() {
    auto& group = *table->find("t", "g");
    std::set<uint64_t> had;
    for (auto& [number, x] : open)
      had.insert(x.offset);
    for (auto& x : group.members()) {
      if (!has_room(*x))
        continue;
      REQUIRE(x->bound.empty());
      // What a history keeps need not have been taken.
      if (history_size > 0)
        continue;
      for (auto& [offset, y] : fates)
        if (y.key.empty() && !y.finished && !had.contains(offset))
          REQUIRE(y.left == x->id && members.size() > 1);
    }
  }

  void step() {
    step_once();
    check_liveness();
  }

  void step_once() {
    switch (random(20)) {
      case 0:
        return join_one();
      case 1:
        return leave_one();
      case 2:
        return reject_one();
      case 3:
        return pause_one();
      case 4:
      case 5:
        return resume_one();
      case 6:
        return pass(random(1500));
      case 7:
      case 8:
      case 9:
      case 10:
      case 11:
      case 12:
        return publish_one();
      default:
        return confirm_one();
    }
  }

  // Lets one member that does its work finish everything.
  void finish() {
    while (!paused.empty())
      resume_one();
    if (members.empty())
      join_one();
    while (!open.empty())
      confirm_one();
  }

  void run(unsigned seed) {
    engine.seed(seed);
    fates.clear();
    open.clear();
    members.clear();
    paused.clear();
    kept = {};
    head = confirmed = buried = 0;
    start();
    // The group is there from the beginning on.
    join_one();
    for (int i = 0; i < 1500; ++i)
      step();
    finish();
    for (auto& [offset, x] : fates)
      if (!x.finished)
        CAF_FAIL("event " << offset << " of seed " << seed << " is nowhere");
    auto counts = table->take_counts();
    CHECK_EQ(counts.confirmations, confirmed);
    CHECK_EQ(counts.dead_letters, buried);
    CHECK_EQ(counts.lost, 0u);
    CHECK_EQ(confirmed + buried, fates.size());
    CHECK(buried > 0 && counts.timeouts > 0 && counts.redeliveries > 0);
    CHECK_EQ(table->events(), 0u);
    CHECK_EQ(table->bytes(), 0);
    CHECK(table->deadlines().empty());
    CHECK_EQ(table->find("t", "g")->place(), head);
  }

  std::mt19937 engine;
  std::map<uint64_t, fate> fates;
  std::set<member_id> members;
  std::set<member_id> paused;
  member_id last_member = 0;
  given picked{};
  uint64_t confirmed = 0;
  uint64_t buried = 0;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(nothing is lost that the history keeps) {
  history_size = 10'000;
  for (unsigned seed = 1; seed <= 40; ++seed)
    run(seed);
}

CAF_TEST(without a history everything is confirmed or a dead letter) {
  history_size = 0;
  for (unsigned seed = 1; seed <= 40; ++seed)
    run(seed);
}

CAF_TEST(where keys belong depends on who is there and not on who was) {
  using places = std::map<member_id, std::set<uint64_t>>;
  auto places_of = [this] {
    places result;
    for (auto& x : table->find("t", "g")->members())
      result[x->id] = x->bound;
    return result;
  };
  auto join_paused = [this](member_id id) {
    auto made = table->join("t", "g", {}, id, {}, false, now);
    made.member->paused = true;
  };
  limits.pending_max = 1000;
  engine.seed(1);
  for (int i = 0; i < 100; ++i) {
    // The same events and the same members, that came and went in any order.
    auto run = [&](bool come_and_go) {
      start();
      join_paused(1);
      for (head = 1; head <= 60; ++head) {
        table->publish(make("t", head, "k" + std::to_string(head)), now,
                       [] { return false; });
        auto id = 2 + random(5);
        if (come_and_go && table->find(id) == nullptr)
          join_paused(id);
        else if (come_and_go)
          table->leave(*table->find(id), false, now);
      }
      auto stays = 1 + static_cast<member_id>(i) % 6;
      for (member_id id = 1; id <= 6; ++id) {
        if (table->find(id) != nullptr && (id > stays || come_and_go))
          table->leave(*table->find(id), false, now);
        if (id <= stays && table->find(id) == nullptr)
          join_paused(id);
      }
      return places_of();
    };
    auto expected = run(false);
    CHECK(run(true) == expected);
    CHECK_EQ(table->events(), 60u);
  }
}

END_FIXTURE_SCOPE()
