// What those who come back are sent by the owner of their topic, where much is
// on its way to their node.

#include <callboard/actors/cluster/broker_peers.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <callboard/actors/broker.hpp>

#include "support/sites_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : sites_fixture {
  fixture() {
    rules.push_back({"kept/#", {.history_size = 100}});
  }

  void start() {
    for (int i = 0; i < 3; ++i)
      add();
    view({0, 1, 2});
  }

  // Returns the n-th topic that `c` owns.
  std::string topic(size_t n = 0) {
    for (int i = 0;; ++i) {
      auto name = "kept/" + std::to_string(i);
      if (sites[2].nodes->owner_of(name) == peer_set::here && n-- == 0)
        return name;
    }
  }

  // What is on its way from the owner to `a`.
  link_traffic& way() {
    return *sites[2].nodes->at(0)->traffic;
  }

  // Lets a client subscribe to the n-th topic from an offset on.
  void come_back(client& x, uint32_t n, uint64_t offset) {
    auto name = topic(n);
    auto epoch = "c." + std::to_string(n + 1);
    frame_view since;
    since.type = type::subscribe;
    since.seq_id = n + 1;
    since.subject = name;
    since.meta.mark(meta_key::since);
    since.meta.since = {epoch, offset};
    x.say(since);
  }

  // A client of `a` missed two events, and the way to it is full.
  client& wait_for_room() {
    for (auto what : {"1", "2", "3"})
      publish(connect(2), topic(), what);
    auto& result = connect(0);
    way().sent += outbox_bytes_max;
    come_back(result, 0, 1);
    settle();
    return result;
  }

  // Lets the owner look again whether there is room.
  void look() {
    sites[2].node.pass(20ms);
    settle();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(what was missed is sent when there is room) {
  start();
  auto& x = wait_for_room();
  look();
  CHECK_EQ(x.heard(), "");
  way().acknowledged += outbox_bytes_max;
  look();
  CHECK_EQ(x.heard(), subscribed(1, "c.1", 3, true) + "; event " + topic()
                        + " @2 \"2\"; event " + topic() + " @3 \"3\"");
}

CAF_TEST(who has gone meanwhile is sent nothing) {
  start();
  auto& x = wait_for_room();
  say(x, type::unsubscribe, 2, topic());
  auto before = frames(2, 0);
  way().acknowledged += outbox_bytes_max;
  look();
  CHECK_EQ(frames(2, 0), before);
}

CAF_TEST(who comes back to much gets it bit by bit) {
  // Less than each topic has kept.
  outbox_bytes_max = 256 * 1024;
  start();
  const std::string what(16 * 1024, 'x');
  auto& y = connect(2);
  for (uint32_t n = 0; n < 4; ++n)
    for (int i = 0; i < 20; ++i)
      publish(y, topic(n), what);
  auto& x = connect(0);
  for (uint32_t n = 0; n < 4; ++n)
    come_back(x, n, 0);
  settle();
  int64_t events = 0;
  for (int i = 0; i < 100 && events < 80; ++i) {
    CHECK(way().outstanding() <= outbox_bytes_max);
    events += std::ranges::count(x.take(), type::event, &frame::type);
    acknowledge(2, 0);
    look();
  }
  CHECK_EQ(events, 80);
}

END_FIXTURE_SCOPE()
