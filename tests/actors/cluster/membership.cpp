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

/// As `b`, which is not the first.
struct second_fixture : membership_fixture {
  second_fixture() : membership_fixture{node("b")} {
    meet(a);
    meet(c);
    x.receive("a", cluster_view{5, "a", {a, b, c}}, now);
    tick();
  }
};

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
  say(b, {node("a", "0")});
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
  x.receive("b", cluster_view{3, "b", {b, node("a", "0")}}, now);
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
  CHECK_EQ(tell({5, "b", {b, a, node("")}}), "1 a: a");
  CHECK_EQ(tell({5, "b", {b, a, node(std::string(65, 'x'))}}), "1 a: a");
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

// -- going --------------------------------------------------------------------

CAF_TEST(who is silent for the timeout is no member) {
  form({b, c});
  auto begin = now;
  while (now < begin + 4750) {
    now += 250;
    say(b, {a, c});
    tick();
  }
  now = begin + 4999;
  say(b, {a, c});
  tick();
  CHECK_EQ(view(), "3 a: a b c");
  now = begin + 5000;
  tick();
  CHECK_EQ(view(), "4 a: a b");
}

CAF_TEST(a link that ends and comes back in time changes nothing) {
  form({b});
  x.unlinked("b", now);
  CHECK(!x.hears(b, now));
  CHECK_EQ(x.missing(), (strings{"b:1"}));
  pass(4750);
  CHECK_EQ(view(), "2 a: a b");
  x.linked(b, now);
  say(b, {a});
  CHECK(x.hears(b, now));
  CHECK(x.missing().empty());
  pass(4750);
  CHECK_EQ(view(), "2 a: a b");
}

CAF_TEST(what comes without a link is not heard) {
  form({b});
  x.unlinked("b", now);
  auto begin = now;
  while (now < begin + 5000) {
    now += 250;
    say(b, {a});
    x.heard("b", now);
    tick();
  }
  CHECK_EQ(view(), "3 a: a");
}

CAF_TEST(of two that do not hear each other the younger goes) {
  for (auto younger_says : {false, true}) {
    x = membership{options, a};
    form({b, c});
    auto begin = now + 250;
    auto until = [&](int64_t end) {
      while (now < end) {
        now = std::min(end, now + 250);
        say(b, younger_says ? std::vector{a, c} : std::vector{a});
        say(c, younger_says ? std::vector{a} : std::vector{a, b});
        tick();
      }
    };
    until(begin + 4999);
    CHECK_EQ(view(), "3 a: a b c");
    until(begin + 5000);
    CHECK_EQ(view(), "4 a: a b");
    // It stays away.
    x.receive("c", cluster_view{5, "c", {c}}, now);
    until(now + 60'000);
    CHECK_EQ(view(), "4 a: a b");
  }
}

CAF_TEST(not to hear another for a while changes nothing) {
  form({b, c});
  for (int i = 0; i < 10; ++i) {
    for (int j = 0; j < 19; ++j) {
      now += 250;
      say(b, {a});
      say(c, {a, b});
      tick();
    }
    pass_with(250, {b, c});
  }
  CHECK_EQ(view(), "3 a: a b c");
}

CAF_TEST(a member that goes by a newer view without this node is dropped) {
  form({b, c});
  x.receive("c", cluster_view{4, "c", {c}}, now);
  tick();
  CHECK_EQ(view(), "5 a: a b");
  // It begins anew.
  x.receive("c", beat(c, {4, "c"}, {a, b}), now);
  tick();
  CHECK_EQ(view(), "6 a: a b c");
}

CAF_TEST(who is in no newer view is alone and above them) {
  form({b, c});
  x.receive("b", cluster_view{9, "b", {b, c}}, now);
  tick();
  CHECK_EQ(view(), "10 a: a c");
  x.receive("c", cluster_view{11, "b", {b, c}}, now);
  tick();
  CHECK_EQ(view(), "12 a: a");
  // Theirs is larger.
  all_say({b, c});
  pass_with(1000, {b, c});
  CHECK_EQ(view(), "12 a: a");
}

// -- names --------------------------------------------------------------------

CAF_TEST(another run of a node takes the place of the one before at once) {
  form({b, c});
  auto again = node("b", "2");
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
  auto other = node("b", "2");
  auto begin = now;
  CHECK_EQ(x.refusal(other, now), "another node with the name 'b' lives, at "
                                  "b:1: each node needs its own");
  CHECK_EQ(x.refusal(b, now), "");
  // A machine that fell silent and began again.
  CHECK(!x.refusal(other, begin + 1999).empty());
  CHECK_EQ(x.refusal(other, begin + 2000), "");
  CHECK_EQ(x.refusal(node("a", "2"), now),
           "this node has the name 'a' itself: each node needs its own");
  CHECK_EQ(x.refusal(a, now), "this is the same node");
}

CAF_TEST(names and addresses have bounds) {
  auto refused = [&](const member& y) { return !x.refusal(y, now).empty(); };
  CHECK(!refused(node(std::string(64, 'x'))));
  CHECK(refused(node(std::string(65, 'x'))));
  CHECK(refused(node("")));
  auto y = node("y");
  y.address = std::string(255, 'y');
  CHECK(!refused(y));
  y.address += 'y';
  CHECK(refused(y));
  y.address.clear();
  CHECK(refused(y));
  y = node("y", "");
  CHECK(refused(y));
  y = node("y");
  y.loops = 0;
  CHECK(refused(y));
}

CAF_TEST(links have a bound) {
  x = membership{{1000, 5000, 2}, a};
  for (auto i : {1, 2, 3})
    x.linked(node("n" + std::to_string(i)), now);
  CHECK_EQ(x.refusal(node("n4"), now), "");
  x.linked(node("n4"), now);
  CHECK(!x.refusal(node("n5"), now).empty());
  CHECK_EQ(x.refusal(node("n4"), now), "");
}

// -- leaving ------------------------------------------------------------------

CAF_TEST(who leaves owns nothing until all know it) {
  form({b, c});
  auto leaves = beat(c, id_of(x.view()), {a, b});
  leaves.leaving = true;
  x.receive("c", leaves, now);
  tick();
  CHECK_EQ(view(), "4 a: a b c!");
  pass(250);
  CHECK_EQ(view(), "4 a: a b c!");
  say(b, {a, c});
  pass(250);
  CHECK_EQ(view(), "4 a: a b c!");
  leaves.view = id_of(x.view());
  x.receive("c", leaves, now);
  pass(250);
  CHECK_EQ(view(), "5 a: a b");
  // It is not admitted, and not looked for.
  pass_with(10'000, {b, c});
  CHECK_EQ(view(), "5 a: a b");
  x.unlinked("c", now);
  CHECK(x.missing().empty());
}

CAF_TEST(who leaves is not waited for) {
  form({b, c});
  auto leaves = beat(c, id_of(x.view()), {a, b});
  leaves.leaving = true;
  x.receive("c", leaves, now);
  tick();
  auto begin = now;
  auto until = [&](int64_t end) {
    while (now < end) {
      now = std::min(end, now + 250);
      // It has not got the view.
      x.receive("b", beat(b, {3, "a"}, {a, c}), now);
      x.receive("c", leaves, now);
      tick();
    }
  };
  until(begin + 4999);
  CHECK_EQ(view(), "4 a: a b c!");
  until(begin + 5000);
  CHECK_EQ(view(), "5 a: a b");
}

CAF_TEST(the coordinator leaves by another hand) {
  form({b, c});
  x.leave();
  tick();
  CHECK_EQ(view(), "4 a: a! b c");
  pass_with(20'000, {b, c});
  CHECK_EQ(view(), "4 a: a! b c");
  CHECK(!x.left());
  x.receive("b", cluster_view{5, "b", {b, c}}, now);
  tick();
  CHECK(!x.left());
  x.receive("c", cluster_view{5, "b", {b, c}}, now);
  tick();
  CHECK_EQ(view(), "6 a: a!");
  CHECK(x.left());
  pass_with(20'000, {b, c});
  CHECK(x.left());
}

CAF_TEST(who is alone leaves at once) {
  CHECK(!x.left());
  x.leave();
  CHECK(x.left());
}

// -- a process that was stopped -----------------------------------------------

CAF_TEST(others have time to be heard after this node was stopped) {
  form({b, c});
  now += 60'000;
  tick();
  CHECK_EQ(view(), "3 a: a b c");
  say(b, {a, c});
  pass(1999);
  CHECK_EQ(view(), "3 a: a b c");
  pass(1);
  CHECK_EQ(view(), "4 a: a b");
}

CAF_TEST(two intervals are no pause) {
  form({b});
  pass(4000);
  x.unlinked("b", now);
  now += 2000;
  tick();
  CHECK_EQ(view(), "3 a: a");
}

CAF_TEST(a pause is not counted as not hearing another) {
  form({b, c});
  say(b, {a});
  now += 60'000;
  say(b, {a});
  say(c, {a, b});
  tick();
  CHECK_EQ(view(), "3 a: a b c");
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
    auto who = node("n" + std::to_string(i));
    x.linked(who, now);
    x.unlinked(who.name, now);
    pass(1);
  }
  CHECK_EQ(x.missing(), (strings{"n5:1", "n6:1", "n7:1", "n8:1"}));
}

END_FIXTURE_SCOPE()

BEGIN_FIXTURE_SCOPE(second_fixture)

CAF_TEST(the second acts when the first is silent) {
  CHECK_EQ(view(), "5 a: a b c");
  auto begin = now;
  auto until = [&](int64_t end) {
    while (now < end) {
      now = std::min(end, now + 250);
      say(c, {a, b});
      tick();
    }
  };
  until(begin + 4999);
  CHECK_EQ(view(), "5 a: a b c");
  until(begin + 5000);
  CHECK_EQ(view(), "6 b: b c");
}

CAF_TEST(the second does nothing while the first is heard) {
  meet(d);
  all_say({a, c, d});
  pass_with(1000, {a, c, d});
  auto begin = now;
  while (now < begin + 20'000) {
    now += 250;
    say(a, {b, c});
    tick();
  }
  CHECK_EQ(view(), "5 a: a b c");
}

CAF_TEST(the second acts while the first leaves) {
  auto leaves = a;
  leaves.state = member_state::leaving;
  x.receive("a", cluster_view{6, "a", {leaves, b, c}}, now);
  CHECK_EQ(view(), "6 a: a! b c");
  say(a, {b, c});
  say(c, {a, b});
  tick();
  CHECK_EQ(view(), "7 b: b c");
}

CAF_TEST(a first that has begun again is dropped by the second) {
  auto again = node("a", "2");
  x.unlinked("a", now);
  meet(again);
  say(c, {b});
  tick();
  CHECK_EQ(view(), "6 b: b c");
}

END_FIXTURE_SCOPE()
