// Where what owners have said stands among events, as nodes have yet to settle.

#include <callboard/actors/broker.hpp>

#include <string>

#include "actors/moves_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using type = frame_type;

namespace {

using fixture = moves_fixture;

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

END_FIXTURE_SCOPE()
