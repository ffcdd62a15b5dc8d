// Operators who ask a shard for topics, and go.

#include <callboard/actors/broker.hpp>

#include <memory>
#include <string>
#include <vector>

#include <caf/event_based_actor.hpp>
#include <caf/sec.hpp>

#include "support/node_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

// A shard looks at so many in two steps.
constexpr auto topic_count = 10'000;

struct fixture : node_fixture {
  using answer = std::shared_ptr<std::string>;

  fixture() {
    start(1);
    auto& x = connect();
    for (auto i = 0; i < topic_count; ++i)
      x.publish("t" + std::to_string(i), "x");
    turn();
  }

  [[nodiscard]] const broker_actor& shard() const {
    return loops[0]->brokers[0].actor;
  }

  /// Asks for a page. What comes is in words, and empty before.
  answer list() {
    auto result = std::make_shared<std::string>();
    sys.spawn([result, to = shard()](caf::event_based_actor* me) {
      me->request(to, caf::infinite, lookup_atom_v, topic_query{"", 1, ""})
        .then([result](const topic_page& x) { *result = "next " + x.next; },
              [result](const caf::error& x) { *result = words_of(x); });
    });
    turn();
    return result;
  }

  std::vector<answer> list(size_t n) {
    std::vector<answer> result;
    while (result.size() < n)
      result.push_back(list());
    return result;
  }

  /// Lets time pass at once, as it does for a loop that is busy.
  void stall(caf::timespan x) {
    sched.clock().advance_time(x);
    turn();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(so many wait and one more is refused) {
  auto waiting = list(16);
  for (auto& x : waiting)
    CHECK_EQ(*x, "");
  CHECK_EQ(*list(), "overloaded");
  pass(100ms);
  for (auto& x : waiting)
    CHECK_EQ(*x, "next t0");
  auto again = list();
  pass(100ms);
  CHECK_EQ(*again, "next t0");
}

CAF_TEST(who waits is answered until nobody waits any more) {
  auto in_time = list();
  CHECK_EQ(*in_time, "");
  stall(1999ms);
  CHECK_EQ(*in_time, "next t0");
  auto late = list();
  stall(2s);
  CHECK_EQ(*late, "timeout");
}

CAF_TEST(those that are late go together) {
  auto late = list(3);
  stall(2s);
  for (auto& x : late)
    CHECK_EQ(*x, "timeout");
  // And there is nothing in front of others.
  auto next = list();
  pass(1ms);
  CHECK_EQ(*next, "next t0");
}

CAF_TEST(a shard that dies is gone and has not failed) {
  auto waiting = list(2);
  kill(shard());
  for (auto& x : waiting)
    CHECK_EQ(*x, words_of(caf::make_error(caf::sec::request_receiver_down)));
}

END_FIXTURE_SCOPE()
