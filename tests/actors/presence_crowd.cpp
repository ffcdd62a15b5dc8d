// A crowd comes to a topic that many are in already and some watch.

#include <callboard/actors/presence_registry.hpp>

#include <string>

#include "actors/topic_table_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

/// One loop and the owner of its topics.
struct fixture : topic_table_fixture {
  fixture() {
    rules.push_back({"#", {.presence = true}});
  }

  void join_watching(scribe& who) {
    table.subscribe(*who.box, "t", 1, true, nullptr, true);
  }

  /// Lets the owner hear what the loop has to tell, and the watchers what the
  /// owner has.
  void turn(int64_t now_ms) {
    for (auto& x : table.take_presence())
      owner.apply(x, {}, now_ms);
    owner.advance(now_ms, [this](const presence_news_ptr& x, const loop_set&) {
      steps += x->steps.size();
      frames += table.deliver_presence(*x, "n");
    });
  }

  presence_registry owner{{5'000, 250, 100'000}};
  size_t steps = 0;
  size_t frames = 0;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(ten thousand who join one hundred thousand are told in few frames) {
  attach(join(), "t");
  for (int i = 0; i < 100; ++i)
    join_watching(join());
  for (int i = 0; i < 100'000; ++i)
    subscribe(join(), "t", 1);
  turn(0);
  CHECK_EQ(owner.count("t").members, 100'101u);
  int64_t ms = 0;
  for (; owner.due_ms() != presence_registry::never; ms += 250)
    turn(ms);
  // All but the first, who came before anybody watched.
  CHECK_EQ(steps, 100'100u);
  frames = 0;
  steps = 0;
  for (int i = 0; i < 10'000; ++i) {
    subscribe(join(), "t", 1);
    if (i % 100 == 99)
      turn(ms + i / 10);
  }
  for (ms += 1'000; owner.due_ms() != presence_registry::never; ms += 250)
    turn(ms);
  CHECK_EQ(steps, 10'000u);
  CHECK_EQ(owner.count("t").members, 110'101u);
  // Frames of up to 256 to 100 watchers, not the million that one frame a step
  // would be.
  MESSAGE("frames: " << frames);
  CHECK(frames <= 4'500u);
  CHECK(frames >= 4'000u);
}

END_FIXTURE_SCOPE()
