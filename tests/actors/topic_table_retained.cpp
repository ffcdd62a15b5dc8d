// The last value of a topic, for newcomers.

#include "actors/replay_fixture.hpp"

using namespace callboard;

namespace {

struct fixture : replay_fixture {
  fixture() {
    rules.push_back({"#", {.retain = true}});
    table.set_rules(rules);
    while (!table.revise(1000, 0)) {
    }
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a newcomer gets the last value first) {
  auto value = make_event("a", 1, "e", "x");
  value->retain = true;
  table.deliver(value);
  table.flush();
  auto& x = join();
  subscribe(x, "a", 1);
  CHECK_EQ(x.heard(), "subscribed 1 a e@1; a@1 retained");
  auto& actor = join();
  subscribe(actor, "a", 1, false);
  CHECK_EQ(actor.heard(), "subscribed 1 a e@1; value a@1 retained");
  // Who comes back and has it does not get it again.
  head = 1;
  kept.push_back(value);
  auto& y = join();
  come_back(y, 0);
  settle();
  CHECK_EQ(y.heard(), "subscribed 1 a e@1 whole; a@1");
  auto& z = join();
  come_back(z, 7);
  settle();
  CHECK_EQ(z.heard(), "subscribed 1 a e@1 lost; a@1 retained");
}

CAF_TEST(the owner brings the last value along) {
  auto& x = join();
  subscribe(x, "b", 1);
  auto value = make_event("b", 4);
  table.attached("b", table.new_generation("b"), {"e", 4}, value);
  CHECK_EQ(x.heard(), "subscribed 1 b e@4; b@4 retained");
}

CAF_TEST(a publication without a value clears the last one) {
  for (auto* nothing : {"", "\xC0"}) {
    auto value = make_event("a", ++head, "e", "x");
    value->retain = true;
    table.deliver(value);
    auto empty = make_event("a", ++head, "e", nothing);
    empty->retain = true;
    table.deliver(empty);
    auto& x = join();
    subscribe(x, "a", 1);
    CHECK_EQ(x.heard(), "subscribed 1 a e@" + std::to_string(head));
  }
}

END_FIXTURE_SCOPE()
