// What subscribers by a pattern are told as nodes and shards are lost.

#include <callboard/actors/broker.hpp>

#include <string>

#include "actors/moves_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using type = frame_type;

namespace {

/// Somebody at the first node has `p/#`, and somebody at the second loop of the
/// second one has all.
struct fixture : moves_fixture {
  fixture() : x{connect(0)}, y{connect(1, 1)} {
    subscribe(x, "p/#");
    subscribe(y, "#");
  }

  static std::string lost(const std::string& pattern) {
    return "position " + pattern + " {\"reason\":\"events lost\"}";
  }

  static std::string by_p(const std::string& topic, const std::string& what) {
    return "event " + topic + " @1 by p/# \"" + what + '"';
  }

  /// Returns how often a client was told of a gap of its pattern.
  static size_t gaps(client& who, const std::string& pattern) {
    size_t result = 0;
    for (auto& frame : who.take())
      if (frame.words() == lost(pattern))
        ++result;
    return result;
  }

  void check_both_told() {
    CHECK_EQ(x.heard(), lost("p/#"));
    CHECK_EQ(y.heard(), lost("#"));
  }

  void check_nobody_told() {
    CHECK_EQ(x.heard(), "");
    CHECK_EQ(y.heard(), "");
  }

  client& x;
  client& y;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- nodes that come and go as they should ------------------------------------

CAF_TEST(a node that joins tells nobody of a gap) {
  view({0, 1, 2, 3});
  check_nobody_told();
}

CAF_TEST(one that leaves with nothing left tells nobody) {
  retire();
  view({0, 1, 2});
  view({0, 1});
  check_nobody_told();
}

CAF_TEST(nor does its next run) {
  retire();
  view({0, 1, 2});
  view({0, 1});
  add_run(2, "next").self.state = member_state::up;
  view({0, 1, 4});
  check_nobody_told();
}

CAF_TEST(a node that was alone before it joined tells nobody) {
  view({3});
  view({0, 1, 2, 3});
  check_nobody_told();
}

// -- those that do not --------------------------------------------------------

CAF_TEST(all are told once of a node that is lost) {
  crash(2);
  view({0, 1});
  check_both_told();
}

CAF_TEST(the gap stands where it is) {
  auto topic = leaving(1, "p/");
  auto& lost_one = connect(2);
  auto& next = connect(1);
  publish(lost_one, topic, "1");
  // Nobody hears of it.
  lost_one.publish(topic, "2");
  sites[2].node.turn();
  crash(2);
  ++number;
  for (size_t site : {1, 0})
    tell(site, {0, 1});
  next.publish(topic, "3");
  settle();
  CHECK_EQ(x.heard(),
           by_p(topic, "1") + "; " + lost("p/#") + "; " + by_p(topic, "3"));
}

CAF_TEST(one that is lost as it leaves may have had something) {
  retire();
  ++number;
  for (size_t site : {0, 2})
    tell(site, {0, 1, 2});
  settle();
  crash(2);
  view({0, 1});
  check_both_told();
}

CAF_TEST(what is lost in several views of one move is told once) {
  crash(2);
  ++number;
  tell(0, {0, 1});
  // The other one has yet to hear of it.
  CHECK_EQ(x.heard(), "");
  ++number;
  tell(0, {0, 1, 3});
  crash(3);
  view({0, 1});
  check_both_told();
}

CAF_TEST(where a link begins anew its two nodes are told) {
  ++rounds[{0, 2}];
  tell(0, {0, 1, 2});
  tell(2, {0, 1, 2});
  settle();
  CHECK_EQ(x.heard(), lost("p/#"));
  CHECK_EQ(y.heard(), "");
}

CAF_TEST(nodes that were apart tell when they part and when they meet) {
  view({1, 2});
  view({0});
  check_both_told();
  view({0, 1, 2});
  check_both_told();
  // It is over with that.
  view({0, 1, 2, 3});
  check_nobody_told();
}

// -- shards -------------------------------------------------------------------

CAF_TEST(a shard of another node that begins anew is told of once) {
  replace_broker(1, 0);
  settle();
  CHECK_EQ(x.heard(), lost("p/#"));
  replace_broker(1, 0);
  settle();
  CHECK_EQ(x.heard(), lost("p/#"));
}

CAF_TEST(a gap is over when the shard that begins anew knows the patterns) {
  replace_broker(1, 0);
  // It says so, and nobody answers yet.
  sites[1].node.turn();
  carry(1);
  sites[0].node.turn();
  CHECK_EQ(x.heard(), "");
  settle();
  CHECK_EQ(x.heard(), lost("p/#"));
}

CAF_TEST(all loops are told of what a shard of their node has missed) {
  replace_broker(1, 0);
  settle();
  // That it died, and that the other nodes know of the next one.
  CHECK_EQ(gaps(y, "#"), 2u);
}

END_FIXTURE_SCOPE()
