#include <callboard/net/accept_queue.hpp>

#include <functional>
#include <string>

#include "support/test.hpp"

using namespace callboard;
using namespace callboard::net;

namespace {

struct fixture {
  /// Waits under a name, which is written down when it has its place.
  uint64_t enter(const std::string& name, uint32_t loop = 0) {
    return queue.enter(loop, [this, name] { called += name; });
  }

  admission places{2, 2};
  accept_queue queue{places, 3};
  std::string called;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(while there are places nobody waits) {
  CHECK(queue.admit(0));
  CHECK(queue.admit(1));
  CHECK(!queue.admit(0));
  CHECK_EQ(queue.size(), 0u);
  queue.leave(1);
  CHECK(queue.admit(0));
}

CAF_TEST(who came first gets the next place) {
  CHECK(queue.admit(0));
  CHECK(queue.admit(0));
  for (auto name : {"a", "b", "c"})
    CHECK_NE(enter(name), 0u);
  CHECK_EQ(called, "");
  queue.leave(0);
  CHECK_EQ(called, "a");
  queue.leave(0);
  queue.leave(0);
  CHECK_EQ(called, "abc");
  CHECK_EQ(queue.size(), 0u);
  CHECK_EQ(places.connections(), 2u);
}

CAF_TEST(who waits gets a place when there are more) {
  CHECK(queue.admit(0));
  CHECK(queue.admit(0));
  for (auto name : {"a", "b", "c"})
    CHECK_NE(enter(name), 0u);
  places.set_connections_max(4);
  CHECK_EQ(called, "");
  queue.look_again();
  CHECK_EQ(called, "ab");
  CHECK_EQ(queue.size(), 1u);
}

CAF_TEST(as many wait as may and the next is refused) {
  CHECK(queue.admit(0));
  CHECK(queue.admit(0));
  for (auto name : {"a", "b", "c"})
    CHECK_NE(enter(name), 0u);
  CHECK_EQ(enter("d"), 0u);
  CHECK_EQ(queue.size(), 3u);
  queue.leave(0);
  CHECK_NE(enter("e"), 0u);
  CHECK_EQ(enter("f"), 0u);
}

CAF_TEST(who comes later does not overtake) {
  CHECK(queue.admit(0));
  CHECK(queue.admit(0));
  enter("a");
  // The place is free, but another one waits.
  places.leave(0);
  CHECK(!queue.admit(1));
  enter("b");
  // Nor does who waits let one that is free go unused.
  CHECK_EQ(called, "a");
  queue.leave(0);
  CHECK_EQ(called, "ab");
}

CAF_TEST(a place that is free by now is taken at once) {
  CHECK_NE(enter("a"), 0u);
  CHECK_EQ(called, "a");
  CHECK_EQ(queue.size(), 0u);
  CHECK_EQ(places.connections(), 1u);
}

CAF_TEST(who waits no longer gets no place) {
  CHECK(queue.admit(0));
  CHECK(queue.admit(0));
  auto a = enter("a");
  auto b = enter("b");
  CHECK(queue.forget(a));
  CHECK(!queue.forget(a));
  CHECK_EQ(queue.size(), 1u);
  queue.leave(0);
  CHECK_EQ(called, "b");
  // It has its place, which nobody but itself gives back.
  CHECK(!queue.forget(b));
  CHECK_EQ(places.connections(), 2u);
}

CAF_TEST(a place is taken on the loop that waits for it) {
  CHECK(queue.admit(0));
  CHECK(queue.admit(0));
  enter("a", 1);
  queue.leave(0);
  CHECK_EQ(called, "a");
  // Each has one now.
  queue.leave(1);
  for (int i = 0; i < 4; ++i)
    CHECK_EQ(places.least_loaded(), 1u);
}

CAF_TEST(on one loop not more wait than half of its sessions) {
  admission one{2, 1};
  accept_queue large{one, 1'000'000};
  CHECK(large.admit(1));
  for (size_t i = 0; i < accept_queue::loop_waiting_max; ++i)
    CHECK_NE(large.enter(0, [] {}), 0u);
  CHECK_EQ(large.enter(0, [] {}), 0u);
  CHECK_NE(large.enter(1, [] {}), 0u);
  // The first one's place is taken, the second one goes.
  large.leave(1);
  CHECK_NE(large.enter(0, [] {}), 0u);
  CHECK_EQ(large.enter(0, [] {}), 0u);
  CHECK(large.forget(2));
  CHECK_NE(large.enter(0, [] {}), 0u);
  CHECK_EQ(large.enter(0, [] {}), 0u);
}

// -- what the audit asks ------------------------------------------------------

CAF_TEST(a place on its way to who waits is no surplus) {
  CHECK(queue.admit(0));
  CHECK(queue.admit(0));
  auto a = enter("a", 1);
  queue.leave(0);
  CHECK_EQ(called, "a");
  // Taken, and not heard of on its loop.
  CHECK_EQ(places.connections(1), 1u);
  CHECK_EQ(queue.surplus(1, 0), 0u);
  CHECK_EQ(queue.surplus(0, 1), 0u);
  CHECK_EQ(queue.surplus(0, 0), 1u);
  CHECK(!queue.forget(a));
  CHECK_EQ(queue.surplus(1, 1), 0u);
  CHECK_EQ(queue.surplus(1, 0), 1u);
  // Once is enough.
  CHECK(!queue.forget(a));
  CHECK_EQ(queue.surplus(1, 0), 1u);
}

CAF_TEST(handovers in two rounds are no surplus) {
  CHECK(queue.admit(0));
  CHECK(queue.admit(0));
  auto a = enter("a");
  auto b = enter("b");
  queue.leave(0);
  CHECK_EQ(queue.surplus(0, 1), 0u);
  CHECK(!queue.forget(a));
  queue.leave(0);
  CHECK_EQ(called, "ab");
  CHECK_EQ(queue.surplus(0, 1), 0u);
  CHECK(!queue.forget(b));
  CHECK_EQ(queue.surplus(0, 2), 0u);
}

CAF_TEST(one that is taken at once is on its way as well) {
  auto a = enter("a");
  CHECK_EQ(called, "a");
  CHECK_EQ(queue.surplus(0, 0), 0u);
  CHECK(!queue.forget(a));
  CHECK_EQ(queue.surplus(0, 0), 1u);
}

CAF_TEST(more had than taken is no surplus) {
  CHECK_EQ(queue.surplus(0, 5), 0u);
  CHECK(queue.admit(0));
  CHECK_EQ(queue.surplus(0, 5), 0u);
}

CAF_TEST(where nobody may wait nobody does) {
  accept_queue none{places, 0};
  CHECK(none.admit(0));
  CHECK(none.admit(0));
  CHECK_EQ(none.enter(0, [this] { called += "a"; }), 0u);
  none.leave(0);
  CHECK_EQ(called, "");
  CHECK_EQ(places.connections(), 1u);
}

END_FIXTURE_SCOPE()
