#include <callboard/actors/cluster/view_flush.hpp>

#include <vector>

#include <caf/make_counted.hpp>

#include "support/test.hpp"

using namespace callboard;

using slots = std::vector<uint32_t>;

namespace {

/// Two nodes, at the slots 0 and 2, with one shard and with two.
struct fixture {
  fixture() {
    nodes.slots = {node("a", 1), std::nullopt, node("b", 2)};
  }

  static std::optional<peer_node> node(const std::string& name,
                                       uint32_t loops) {
    return peer_node{member{name, "1", {}, loops, member_state::up}, nullptr, 0,
                     std::make_shared<link_traffic>()};
  }

  void all_handed() {
    x.take_handed(0, 0);
    x.take_handed(2, 0);
    x.take_handed(2, 1);
  }

  slots told_handed() {
    slots result;
    x.tell_handed([&](uint32_t slot) { result.push_back(slot); });
    return result;
  }

  slots told_settled() {
    slots result;
    x.tell_settled([&](uint32_t slot) { result.push_back(slot); });
    return result;
  }

  peer_set none;
  peer_set nodes;
  view_flush x;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(without other nodes all have settled) {
  CHECK(x.all_handed());
  CHECK(x.all_settled());
  x.begin(none, nodes, true);
  CHECK(x.all_settled());
  CHECK(told_handed().empty());
}

CAF_TEST(all shards of all nodes have to say so) {
  x.begin(nodes, none, true);
  CHECK(!x.all_handed());
  x.take_handed(0, 0);
  x.take_handed(2, 1);
  CHECK(!x.all_handed());
  // These are not there.
  x.take_handed(1, 0);
  x.take_handed(2, 2);
  x.take_handed(3, 0);
  CHECK(!x.all_handed());
  x.take_handed(2, 0);
  CHECK(x.all_handed());
  CHECK(!x.all_settled());
  x.take_settled(0, 0);
  x.take_settled(2, 0);
  CHECK(!x.all_settled());
  x.take_settled(2, 1);
  CHECK(x.all_settled());
}

CAF_TEST(each node is told once) {
  x.begin(nodes, none, true);
  CHECK_EQ(told_handed(), (slots{0, 2}));
  CHECK(told_handed().empty());
  CHECK_EQ(told_settled(), (slots{0, 2}));
  CHECK(told_settled().empty());
  x.tell_again(2);
  CHECK_EQ(told_handed(), slots{2});
  CHECK_EQ(told_settled(), slots{2});
}

CAF_TEST(another view begins anew with all) {
  x.begin(nodes, none, true);
  all_handed();
  told_handed();
  x.begin(nodes, nodes, true);
  CHECK(!x.all_handed());
  CHECK_EQ(told_handed(), (slots{0, 2}));
}

CAF_TEST(another link begins anew with its node) {
  x.begin(nodes, none, true);
  all_handed();
  told_handed();
  peer_set other;
  other.slots = nodes.slots;
  other.slots[2] = node("b", 2);
  x.begin(other, nodes, false);
  CHECK(!x.all_handed());
  CHECK_EQ(told_handed(), slots{2});
  x.take_handed(2, 0);
  x.take_handed(2, 1);
  CHECK(x.all_handed());
}

CAF_TEST(who is gone is not waited for) {
  x.begin(nodes, none, true);
  x.take_handed(0, 0);
  peer_set fewer;
  fewer.slots = {nodes.slots[0]};
  x.begin(fewer, nodes, false);
  CHECK(x.all_handed());
}

END_FIXTURE_SCOPE()
