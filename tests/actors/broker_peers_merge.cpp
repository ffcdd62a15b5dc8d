// Topics that have an owner in each of two clusters, which become one.

#include <callboard/actors/broker.hpp>

#include <string>

#include "actors/moves_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

/// Two clusters, of `a` and `b`, and of `c` and `d`.
struct fixture : moves_words {
  fixture() {
    for (int i = 0; i < 4; ++i)
      add(1);
    view({0, 1});
    view({2, 3});
  }

  /// Returns a topic that `a` owns in the first and `c` in the other one, and
  /// the node at this place in both together.
  static std::string topic_of_both(uint32_t owner) {
    placement one{{"a", "b"}};
    placement other{{"c", "d"}};
    placement both{{"a", "b", "c", "d"}};
    for (int i = 0;; ++i)
      if (auto name = "kept/" + std::to_string(i);
          one.owner_of(name) == 0 && other.owner_of(name) == 0
          && both.owner_of(name) == owner)
        return name;
  }

  /// Lets the nodes of the second cluster join those of the first one.
  void check_merge(uint32_t owner) {
    auto topic = topic_of_both(owner);
    auto& x = connect(1);
    auto& y = connect(3);
    CHECK_EQ(subscribe(x, topic), subscribed(1, "a.1", 0));
    CHECK_EQ(subscribe(y, topic), subscribed(1, "c.1", 0));
    publish(x, topic, "1");
    publish(x, topic, "2");
    publish(y, topic, "3");
    x.heard();
    y.heard();
    view({0, 1, 2, 3});
    CHECK_EQ(x.heard(), "");
    CHECK_EQ(y.heard(), new_epoch(topic, "a.1", 2));
    CHECK_EQ(publish(connect(2), topic, "4", 9), answered(9, "a.1", 3));
    CHECK_EQ(x.heard(), event(topic, 3, "4"));
    CHECK_EQ(y.heard(), event(topic, 3, "4"));
    CHECK_EQ(come_back(connect(3), topic, "a.1", 1),
             subscribed(1, "a.1", 3, true) + "; " + event(topic, 2, "2") + "; "
               + event(topic, 3, "4"));
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(a topic goes on as in the older cluster at its owner there) {
  check_merge(0);
}

CAF_TEST(a topic goes on as in the older cluster at its owner of the other) {
  check_merge(2);
}

CAF_TEST(two alone become one) {
  view({0});
  view({1});
  auto& x = connect(0);
  auto& y = connect(1);
  auto topic = topic_of_both(0);
  subscribe(x, topic);
  subscribe(y, topic);
  publish(x, topic, "1");
  publish(y, topic, "2");
  publish(y, topic, "3");
  x.heard();
  y.heard();
  view({1, 0});
  // The one that was there first has it go on, and owns it no more.
  auto told = x.heard();
  CHECK_EQ(told, new_epoch(topic, "b.1", 2));
  CHECK_EQ(y.heard(), "");
  CHECK_EQ(publish(y, topic, "4", 5),
           answered(5, "b.1", 3) + "; " + event(topic, 3, "4"));
  CHECK_EQ(x.heard(), event(topic, 3, "4"));
}

END_FIXTURE_SCOPE()
