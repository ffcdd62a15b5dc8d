#include <callboard/actors/cluster/cluster_links.hpp>

#include "actors/cluster/membership_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

/// Two nodes, each with its side of one link.
struct fixture {
  fixture() {
    one.add(a_node("x"), nullptr);
    x = &one.add(a_node("b"), nullptr);
    y = &two.add(a_node("a"), nullptr);
  }

  /// Lets one of them tell its number.
  bool tell_y() {
    return two.take_number(*y, x->mine);
  }

  bool tell_x() {
    return one.take_number(*x, y->mine);
  }

  bool agree() const {
    return x->mine == y->theirs && y->mine == x->theirs;
  }

  cluster_links one;
  cluster_links two;
  peer_link* x;
  peer_link* y;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(links are found by node and run and number) {
  CHECK_EQ(one.size(), 2u);
  CHECK(one.find(std::string_view{"b"}) == x);
  CHECK(one.find(a_node("b")) == x);
  CHECK(one.find(a_node("b", "2")) == nullptr);
  CHECK(one.find(x->mine) == x);
  CHECK(one.find(x->mine + 1) == nullptr);
  one.remove("b");
  CHECK(one.find(std::string_view{"b"}) == nullptr);
  CHECK_EQ(one.size(), 1u);
}

CAF_TEST(a link is complete when the number of the other is known) {
  CHECK(!x->complete());
  CHECK(!tell_x());
  CHECK(x->complete());
  CHECK(!tell_y());
  CHECK(agree());
  CHECK(!tell_x());
  CHECK(!tell_y());
}

CAF_TEST(who begins a round takes the other along) {
  tell_x();
  tell_y();
  auto traffic = y->traffic;
  auto number = x->mine;
  one.renew(*x);
  CHECK(one.find(number) == nullptr);
  CHECK(one.find(x->mine) == x);
  // What was on its way changes nothing.
  CHECK(!tell_x());
  CHECK(tell_y());
  CHECK(y->traffic != traffic);
  CHECK(!tell_x());
  CHECK(!tell_y());
  CHECK(agree());
}

CAF_TEST(two that begin a round at once need no other) {
  tell_x();
  tell_y();
  one.renew(*x);
  two.renew(*y);
  CHECK(!tell_x());
  CHECK(!tell_y());
  CHECK(agree());
}

CAF_TEST(a link that one of them has made anew begins a round at both) {
  tell_x();
  tell_y();
  two.renew(*y);
  tell_x();
  one.remove("b");
  auto old = y->theirs;
  x = &one.add(a_node("b"), nullptr);
  // As the welcome says.
  CHECK(tell_x());
  CHECK(tell_y());
  CHECK_NE(y->theirs, old);
  CHECK(tell_x());
  CHECK(!tell_y());
  CHECK(agree());
}

CAF_TEST(a round ends with what was held and counted in it) {
  tell_x();
  x->held.emplace_back();
  x->held_bytes = 7;
  x->told = 5;
  x->traffic->sent = 9;
  one.renew(*x);
  CHECK(x->held.empty());
  CHECK_EQ(x->held_bytes, 0u);
  CHECK_EQ(x->told, 0u);
  CHECK_EQ(x->traffic->sent.load(), 0u);
}

END_FIXTURE_SCOPE()
