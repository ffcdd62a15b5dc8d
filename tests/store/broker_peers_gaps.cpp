// What subscribers by a pattern are told as nodes that keep topics come and go.

#include <callboard/actors/broker.hpp>

#include <string>

#include "store/durable_sites_fixture.hpp"

#include "support/test.hpp"

using namespace callboard;

using type = frame_type;

namespace {

struct fixture : durable_sites {
  fixture()
    : kept{connect(0)},
      copied{connect(1, 1)},
      all{connect(0)},
      other{connect(1)} {
    subscribe(kept, "disk/+");
    subscribe(copied, "copies3/#");
    subscribe(all, "#");
    subscribe(other, "other/+");
  }

  static std::string lost(const std::string& pattern) {
    return "position " + pattern + " {\"reason\":\"events lost\"}";
  }

  // Those have been told whose patterns match topics that are kept.
  void check_durable_told() {
    CHECK_EQ(kept.heard(), lost("disk/+"));
    CHECK_EQ(copied.heard(), lost("copies3/#"));
    CHECK_EQ(all.heard(), lost("#"));
    CHECK_EQ(other.heard(), "");
  }

  void forget_words() {
    for (auto* x : {&kept, &copied, &all, &other})
      x->heard();
  }

  client& kept;
  client& copied;
  client& all;
  client& other;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(all are told of one that is lost) {
  lose_c();
  CHECK_EQ(other.heard(), lost("other/+"));
  check_durable_told();
}

CAF_TEST(one that is back may have served its topics already) {
  auto topic = topic_of(2, 0, "disk/");
  lose_c();
  forget_words();
  auto c = next_run(2);
  auto& z = connect(c);
  ++number;
  tell(c, {0, 1, c});
  // It does not know yet who wants it.
  z.publish(topic, "1");
  sites[c].node.turn();
  CHECK_EQ(stores[2]->events_of(topic).size(), 1u);
  for (size_t site : {0, 1})
    tell(site, {0, 1, c});
  settle();
  check_durable_told();
  publish(z, topic, "2");
  CHECK_EQ(kept.heard(), "event " + topic + " @2 by disk/+ \"2\"");
}

CAF_TEST(a topic with copies that goes back may have lost its last events) {
  lose_c();
  forget_words();
  bring_c_back();
  check_durable_told();
}

CAF_TEST(one that leaves takes its topics with it) {
  sites[2].self.state = member_state::leaving;
  view({0, 1, 2});
  for (auto* x : {&kept, &copied, &all, &other})
    CHECK_EQ(x->heard(), "");
  view({0, 1});
  check_durable_told();
}

CAF_TEST(a node that keeps nothing tells nobody) {
  view({0, 1, 2, 3});
  sites[3].self.state = member_state::leaving;
  view({0, 1, 2, 3});
  view({0, 1, 2});
  for (auto* x : {&kept, &copied, &all, &other})
    CHECK_EQ(x->heard(), "");
}

END_FIXTURE_SCOPE()
