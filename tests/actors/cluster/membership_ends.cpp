// How nodes cease to be members.

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
  second_fixture() : membership_fixture{a_node("b")} {
    meet(a);
    meet(c);
    x.receive("a", cluster_view{5, "a", {a, b, c}}, now);
    tick();
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

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

// -- leaving ------------------------------------------------------------------

CAF_TEST(who leaves owns nothing and is a member until it is gone) {
  form({b, c});
  auto leaves = beat(c, id_of(x.view()), {a, b});
  leaves.leaving = true;
  x.receive("c", leaves, now);
  tick();
  CHECK_EQ(view(), "4 a: a b c!");
  // Longer than a timeout.
  for (auto end = now + 20'000; now < end;) {
    now += 250;
    say(b, {a, c});
    leaves.view = id_of(x.view());
    x.receive("c", leaves, now);
    tick();
  }
  CHECK_EQ(view(), "4 a: a b c!");
  // It is looked for where its link ends.
  x.unlinked("c", now);
  CHECK_EQ(x.missing(), (strings{"c:1"}));
  x.linked(c, now);
  leaves.gone = true;
  x.receive("c", leaves, now);
  tick();
  CHECK_EQ(view(), "5 a: a b");
  x.unlinked("c", now);
  CHECK(x.missing().empty());
}

CAF_TEST(who is gone owns nothing until all know it) {
  form({b, c});
  auto leaves = beat(c, id_of(x.view()), {a, b});
  leaves.leaving = leaves.gone = true;
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

CAF_TEST(who is gone does not wait for others) {
  form({b, c});
  auto leaves = beat(c, id_of(x.view()), {a, b});
  leaves.leaving = leaves.gone = true;
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

CAF_TEST(who retires says so and is a member still) {
  form({b, c});
  CHECK(!x.retired());
  x.retire();
  CHECK(!x.retired());
  CHECK(x.heartbeat_for(*x.find("b"), now).leaving);
  CHECK(!x.heartbeat_for(*x.find("b"), now).gone);
  tick();
  CHECK_EQ(view(), "4 a: a! b c");
  CHECK(x.retired());
  pass_with(20'000, {b, c});
  CHECK_EQ(view(), "4 a: a! b c");
  CHECK(!x.left());
  x.leave();
  CHECK(x.heartbeat_for(*x.find("b"), now).gone);
}

CAF_TEST(who is alone retires at once and has not left) {
  x.retire();
  CHECK(x.retired());
  CHECK(!x.left());
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
  CHECK_EQ(view(), "6 a: a! b c");
  auto gone = beat(a, id_of(x.view()), {b, c});
  gone.leaving = gone.gone = true;
  x.receive("a", gone, now);
  tick();
  CHECK_EQ(view(), "7 b: b c");
}

CAF_TEST(a first that has begun again is dropped by the second) {
  auto again = a_node("a", "2");
  x.unlinked("a", now);
  meet(again);
  say(c, {b});
  tick();
  CHECK_EQ(view(), "6 b: b c");
}

END_FIXTURE_SCOPE()
