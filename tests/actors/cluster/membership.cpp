#include <callboard/actors/cluster/membership.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "actors/cluster/membership_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using strings = std::vector<std::string>;

namespace {

using fixture = membership_fixture;

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- joining ------------------------------------------------------------------

CAF_TEST(a node begins as a cluster of its own) {
  CHECK_EQ(view(), "1 a: a");
  pass(60'000);
  CHECK_EQ(view(), "1 a: a");
  CHECK(x.take_messages().empty());
  CHECK(x.missing().empty());
}

CAF_TEST(a newcomer is admitted once it hears all and all hear it) {
  meet(b);
  tick();
  CHECK_EQ(view(), "1 a: a");
  say(b, {});
  tick();
  CHECK_EQ(view(), "1 a: a");
  say(b, {a});
  tick();
  CHECK_EQ(view(), "2 a: a b");
  meet(c);
  say(c, {a});
  say(b, {a, c});
  tick();
  CHECK_EQ(view(), "2 a: a b");
  say(c, {a, b});
  say(b, {a});
  tick();
  CHECK_EQ(view(), "2 a: a b");
  say(b, {a, c});
  tick();
  CHECK_EQ(view(), "3 a: a b c");
}

CAF_TEST(several are admitted at once if they hear each other) {
  for (auto& who : {b, c, d})
    meet(who);
  say(b, {a, c, d});
  say(c, {a, b});
  say(d, {a, b});
  tick();
  CHECK_EQ(view(), "2 a: a b c");
}

CAF_TEST(who hears another run is not admitted) {
  meet(b);
  say(b, {a_node("a", "0")});
  tick();
  CHECK_EQ(view(), "1 a: a");
}

CAF_TEST(the smaller cluster joins the larger one) {
  x.linked(d, now);
  x.receive("d", cluster_view{7, "c", {c, d}}, now);
  x.receive("d", beat(d, {7, "c"}, {a}), now);
  tick();
  CHECK_EQ(view(), "1 a: a");
  // Both have two now, and this one's coordinator has the smaller name.
  form({b});
  say(b, {a, d});
  x.receive("d", beat(d, {7, "c"}, {a, b}), now);
  tick();
  CHECK_EQ(view(), "9 a: a b d");
}

CAF_TEST(nobody is admitted by a view that it goes by no longer) {
  meet(b);
  x.receive("b", beat(b, {9, "c"}, {a}), now);
  tick();
  CHECK_EQ(view(), "1 a: a");
  x.receive("b", cluster_view{9, "c", {b, c, d}}, now);
  tick();
  CHECK_EQ(view(), "1 a: a");
  x.receive("b", cluster_view{10, "b", {b}}, now);
  tick();
  CHECK_EQ(view(), "11 a: a b");
}

CAF_TEST(a view that names this node is gone by if it is newer) {
  meet(b);
  x.receive("b", cluster_view{1, "b", {b, a}}, now);
  CHECK_EQ(view(), "1 a: a");
  x.receive("b", cluster_view{2, "b", {b, a}}, now);
  CHECK_EQ(view(), "2 b: b a");
  x.receive("b", cluster_view{1, "a", {a}}, now);
  CHECK_EQ(view(), "2 b: b a");
  x.receive("b", cluster_view{2, "a", {a, b}}, now);
  CHECK_EQ(view(), "2 a: a b");
  // Another run is another node.
  x.receive("b", cluster_view{3, "b", {b, a_node("a", "0")}}, now);
  CHECK_EQ(view(), "2 a: a b");
}

CAF_TEST(there are no more members than may be) {
  x = membership{{1000, 5000, 2}, a};
  for (auto& who : {b, c})
    meet(who);
  all_say({b, c});
  tick();
  CHECK_EQ(view(), "2 a: a b");
  x.receive("b", cluster_view{3, "b", {a, b, c}}, now);
  CHECK_EQ(view(), "2 a: a b");
}

CAF_TEST(views that cannot be are ignored) {
  meet(b);
  auto tell = [&](const cluster_view& y) {
    x.receive("b", y, now);
    return view();
  };
  CHECK_EQ(tell({0, "b", {b, a}}), "1 a: a");
  CHECK_EQ(tell({5, "b", {b, a, a}}), "1 a: a");
  CHECK_EQ(tell({5, "b", {b, a, a_node("")}}), "1 a: a");
  CHECK_EQ(tell({5, "b", {b, a, a_node(std::string(65, 'x'))}}), "1 a: a");
  CHECK_EQ(tell({~uint64_t{0}, "b", {b, a}}), "1 a: a");
  // It is another's view.
  CHECK_EQ(tell({5, "c", {c, a}}), "1 a: a");
  CHECK_EQ(tell({5, "b", {b, a}}), "5 b: b a");
}

CAF_TEST(a member that has not got the view is sent it again) {
  form({b});
  CHECK_EQ(sent_views(), (strings{"b<1 a: a", "b<1 a: a", "b<2 a: a b"}));
  x.receive("b", beat(b, {1, "b"}, {a}), now);
  CHECK_EQ(sent_views(), (strings{"b<2 a: a b"}));
  x.receive("b", beat(b, {2, "a"}, {a}), now);
  CHECK(sent_views().empty());
}

CAF_TEST(others are sent the view until they have seen it) {
  meet(b);
  static_cast<void>(sent_views());
  auto y = beat(b, {9, "b"}, {});
  x.receive("b", y, now);
  CHECK_EQ(sent_views(), (strings{"b<1 a: a"}));
  y.seen = {1, "a"};
  x.receive("b", y, now);
  CHECK(sent_views().empty());
}

// -- names --------------------------------------------------------------------

CAF_TEST(another run of a node takes the place of the one before at once) {
  form({b, c});
  auto again = a_node("b", "2");
  x.unlinked("b", now);
  CHECK_EQ(x.refusal(again, now), "");
  meet(again);
  tick();
  CHECK_EQ(view(), "4 a: a c");
  say(again, {a, c});
  say(c, {a, again});
  tick();
  CHECK_EQ(view(), "5 a: a c b");
  CHECK_EQ(x.view().find("b")->incarnation, "2");
}

CAF_TEST(two living nodes cannot have one name) {
  form({b});
  auto other = a_node("b", "2");
  auto begin = now;
  CHECK_EQ(x.refusal(other, now), "another node with the name 'b' lives, at "
                                  "b:1: each node needs its own");
  CHECK_EQ(x.refusal(b, now), "");
  // A machine that fell silent and began again.
  CHECK(!x.refusal(other, begin + 1999).empty());
  CHECK_EQ(x.refusal(other, begin + 2000), "");
  CHECK_EQ(x.refusal(a_node("a", "2"), now),
           "this node has the name 'a' itself: each node needs its own");
  CHECK_EQ(x.refusal(a, now), "this is the same node");
}

CAF_TEST(names and addresses have bounds) {
  auto refused = [&](const member& y) { return !x.refusal(y, now).empty(); };
  CHECK(!refused(a_node(std::string(64, 'x'))));
  CHECK(refused(a_node(std::string(65, 'x'))));
  CHECK(refused(a_node("")));
  auto y = a_node("y");
  y.address = std::string(255, 'y');
  CHECK(!refused(y));
  y.address += 'y';
  CHECK(refused(y));
  y.address.clear();
  CHECK(refused(y));
  y = a_node("y", "");
  CHECK(refused(y));
  y = a_node("y");
  y.loops = 0;
  CHECK(refused(y));
}

CAF_TEST(links have a bound) {
  x = membership{{1000, 5000, 2}, a};
  for (auto i : {1, 2, 3})
    x.linked(a_node("n" + std::to_string(i)), now);
  CHECK_EQ(x.refusal(a_node("n4"), now), "");
  x.linked(a_node("n4"), now);
  CHECK(!x.refusal(a_node("n5"), now).empty());
  CHECK_EQ(x.refusal(a_node("n4"), now), "");
}

// -- addresses ----------------------------------------------------------------

CAF_TEST(nodes of other views are looked for) {
  x.linked(b, now);
  x.receive("b", cluster_view{7, "c", {c, b, d}}, now);
  CHECK_EQ(x.missing(), (strings{"c:1", "d:1"}));
  x.linked(c, now);
  CHECK_EQ(x.missing(), (strings{"d:1"}));
  // For a day.
  x.unlinked("b", now);
  pass(1000);
  now += 24 * 3600 * 1000 - 1001;
  tick();
  CHECK_EQ(x.missing(), (strings{"b:1", "d:1"}));
  now += 1;
  tick();
  CHECK(x.missing().empty());
}

CAF_TEST(as many are remembered as may be) {
  x = membership{{1000, 5000, 2}, a};
  for (int i = 0; i < 9; ++i) {
    auto who = a_node("n" + std::to_string(i));
    x.linked(who, now);
    x.unlinked(who.name, now);
    pass(1);
  }
  CHECK_EQ(x.missing(), (strings{"n5:1", "n6:1", "n7:1", "n8:1"}));
}

END_FIXTURE_SCOPE()
