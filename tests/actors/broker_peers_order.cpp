// Where what owners have said stands among events, as nodes have yet to settle.

#include <callboard/actors/broker.hpp>

#include <algorithm>
#include <chrono>
#include <deque>
#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/rule_set.hpp>

#include "actors/moves_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

using type = frame_type;

namespace {

struct fixture : moves_fixture {
  /// Takes what a site has sent to another one and was not carried yet.
  std::deque<cluster_site::parcel> take_sent(size_t from, size_t to) {
    std::deque<cluster_site::parcel> result;
    auto all = std::exchange(*sites[from].sent, {});
    for (auto& x : all)
      (x.to == to ? result : *sites[from].sent).push_back(std::move(x));
    return result;
  }

  [[nodiscard]] bool has_sent(size_t from, size_t to) const {
    return std::ranges::any_of(*sites[from].sent,
                               [to](auto& x) { return x.to == to; });
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(an owner that stays has answered in front of what it sends then) {
  auto topic = topic_of(1);
  auto& x = connect(2);
  auto& y = connect(1);
  x.say(type::subscribe, 1, topic);
  sites[2].node.turn();
  carry(2);
  sites[1].node.turn();
  y.publish(topic, "1");
  sites[1].node.turn();
  // The home's link to a node that was there before it begins anew.
  ++rounds[{0, 2}];
  tell(2, {0, 1, 2});
  carry(1);
  sites[2].node.turn();
  tell(0, {0, 1, 2});
  settle();
  CHECK_EQ(x.heard(), subscribed(1, "b.1", 0) + "; " + event(topic, 1, "1"));
  CHECK_EQ(subscribe(connect(2), topic), subscribed(1, "b.1", 1));
}

CAF_TEST(last values stand behind the events that they are as new as) {
  auto topic = moving({"a", "b", "c"}, 1, {"a", "c"}, 1, "last/");
  auto& x = connect(0);
  auto& y = connect(2);
  x.say(type::subscribe, 1, "last/+");
  sites[0].node.turn();
  carry(0);
  for (size_t site : {1, 2}) {
    sites[site].node.turn();
    carry(site);
  }
  // The next owner is asked last, and hears of it when it goes by the view.
  sites[0].node.turn();
  for (int i = 0; i < 9 && !has_sent(0, 2); ++i) {
    carry(0);
    sites[1].node.turn();
    carry(1);
    sites[0].node.turn();
  }
  CAF_REQUIRE(has_sent(0, 2));
  sites[1].self.state = member_state::leaving;
  ++number;
  for (size_t site : {0, 1, 2})
    tell(site, {0, 1, 2});
  y.publish(topic, "1");
  sites[2].node.turn();
  carry();
  for (auto& site : sites)
    site.node.turn();
  // It has settled before the home, which lacks what the old owner says.
  auto late = take_sent(1, 0);
  carry(0);
  carry(1);
  sites[2].node.turn();
  carry(2);
  sites[0].node.turn();
  CHECK_EQ(x.heard(), "");
  *sites[1].sent = std::move(late);
  settle();
  CHECK_EQ(x.heard(), "response 1 {\"retained\":true}; event " + topic
                        + " @1 by last/+ retained \"1\"");
}

CAF_TEST(a home forgets a last value as its owner does) {
  auto topic = topic_of(2, 0, "last/");
  auto& x = connect(0);
  subscribe(connect(1, 0), topic);
  publish(x, topic, "1");
  rule_set_ptr none = caf::make_counted<rule_set>(std::vector<topic_rule>{});
  caf::anon_send(sites[2].node.loops[0]->brokers[0].actor, reload_atom_v, none);
  sites[2].node.pass(1s);
  settle();
  publish(x, topic, "2");
  CHECK_EQ(subscribe(connect(1, 1), topic), subscribed(1, "c.1", 2));
}

END_FIXTURE_SCOPE()
