#include <callboard/actors/cluster/peer_slots.hpp>

#include <string>

#include "actors/cluster/membership_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

namespace {

/// Node `a` with complete links to `b`, `c` and `d`.
struct fixture {
  fixture() {
    for (auto name : {"b", "c", "d"})
      link(a_node(name));
  }

  peer_link& link(const member& who) {
    auto& x = links.add(who, nullptr);
    links.take_number(x, 1);
    return x;
  }

  /// Makes the set of a view with these members, and returns its slots in
  /// words: "b . d".
  std::string assign(const std::vector<member>& members) {
    std::string result;
    for (auto& x : slots.assign({++number, "a", members}, "a", links)->slots) {
      result += result.empty() ? "" : " ";
      result += x ? x->who.name : ".";
    }
    return result;
  }

  std::string owners() const {
    std::string result;
    for (auto slot : slots.last()->owner_slots)
      result += slot == peer_set::here ? std::string{"here "}
                                       : std::to_string(slot) + ' ';
    return result;
  }

  /// Begins anew, with nodes that keep what is below `disk`.
  void know(const std::vector<std::string>& names) {
    std::vector<topic_rule> rules{{"disk/#", {.durability = durability::disk}}};
    keepers = caf::make_counted<store_nodes>(names, rules);
    slots = peer_slots{1024, keepers};
  }

  /// Returns the slots of these.
  std::string keeping() const {
    std::string result;
    for (auto slot : slots.last()->store_slots)
      result += slot == peer_set::here     ? std::string{"here "}
                : slot == peer_set::nobody ? std::string{"- "}
                                           : std::to_string(slot) + ' ';
    return result;
  }

  member a = a_node("a");
  member b = a_node("b");
  member c = a_node("c");
  member d = a_node("d");
  uint64_t number = 0;
  cluster_links links;
  peer_slots slots;
  store_nodes_ptr keepers;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(nodes keep their slots) {
  CHECK_EQ(assign({a}), "");
  CHECK_EQ(owners(), "here ");
  CHECK_EQ(assign({a, b, c}), "b c");
  CHECK_EQ(owners(), "here 0 1 ");
  CHECK_EQ(assign({c, a}), ". c");
  CHECK_EQ(owners(), "1 here ");
  CHECK_EQ(assign({c, a, d}), "d c");
  CHECK_EQ(slots.last()->number, number);
  CHECK_EQ(slots.last()->at(1)->link, links.find(c)->theirs);
  CHECK_EQ(slots.slot_of(*links.find(c)), 1u);
  CHECK_EQ(slots.slot_of(*links.find(b)), peer_set::here);
}

CAF_TEST(another run does not take the slot over in one step) {
  assign({a, b});
  links.remove("b");
  auto again = a_node("b", "2");
  link(again);
  CHECK_EQ(assign({a, again}), ". b");
}

CAF_TEST(another round means another slot) {
  assign({a, b, c});
  links.renew(*links.find(b));
  CHECK_EQ(assign({a, b, c}), ". c b");
  CHECK_EQ(slots.slot_of(*links.find(b)), 2u);
  links.renew(*links.find(b));
  CHECK_EQ(assign({a, b, c}), "b c");
}

CAF_TEST(a member without a link keeps its slot until there is one again) {
  assign({a, b, c});
  auto traffic = slots.last()->at(0)->traffic;
  links.remove("b");
  CHECK_EQ(assign({a, b, c}), "b c");
  CHECK(slots.last()->at(0)->traffic == traffic);
  link(b);
  CHECK_EQ(assign({a, b, c}), ". c b");
}

CAF_TEST(a member that was never linked has a slot that leads nowhere) {
  auto e = a_node("e");
  CHECK_EQ(assign({a, e}), "e");
  CHECK(slots.last()->at(0)->gate == nullptr);
  REQUIRE(slots.last()->at(0)->traffic != nullptr);
  CHECK_EQ(assign({a, e}), "e");
  link(e);
  CHECK_EQ(assign({a, e}), ". e");
}

CAF_TEST(those that leave own nothing) {
  auto leaves = b;
  leaves.state = member_state::leaving;
  assign({a, leaves, c});
  CHECK_EQ(owners(), "here 1 ");
  auto self = a;
  self.state = member_state::leaving;
  assign({self, b});
  CHECK_EQ(owners(), "0 ");
  CHECK_EQ(slots.last()->owner_of("anything"), 0u);
  // Unless there is nobody else.
  assign({self, leaves});
  CHECK_EQ(owners(), "here 0 ");
}

// -- store nodes --------------------------------------------------------------

CAF_TEST(durable topics have an owner while their node is there) {
  know({"a", "b", "c"});
  for (auto* x : {&a, &b, &d})
    x->stores = keepers->digest();
  assign({a, b});
  CHECK_EQ(keeping(), "here 0 - ");
  // One that keeps nothing changes nothing.
  assign({a, b, d});
  CHECK_EQ(keeping(), "here 0 - ");
  b.state = member_state::leaving;
  assign({a, b, d});
  CHECK_EQ(keeping(), "here 0 - ");
  assign({a, d});
  CHECK_EQ(keeping(), "here - - ");
  // It was not told that it is one.
  assign({a, c});
  CHECK_EQ(keeping(), "here - - ");
  c.stores = keepers->digest();
  assign({a, c});
  CHECK_EQ(keeping(), "here - 0 ");
}

CAF_TEST(durable topics have no owner where two were told of others) {
  know({"a", "b", "c"});
  for (auto* x : {&a, &b, &d})
    x->stores = keepers->digest();
  d.stores += 1;
  assign({a, b, d});
  CHECK_EQ(keeping(), "- - - ");
  assign({a, b});
  CHECK_EQ(keeping(), "here 0 - ");
}

CAF_TEST(other topics have nothing to do with store nodes) {
  know({"b"});
  a.stores = b.stores = keepers->digest();
  assign({a, b});
  auto& made = *slots.last();
  for (int i = 0; i < 50; ++i) {
    auto n = std::to_string(i);
    CHECK_EQ(made.owner_of("disk/" + n), 0u);
    auto owner = made.owners.owner_of(n) == 0 ? peer_set::here : 0u;
    CHECK_EQ(made.owner_of(n), owner);
  }
  CHECK(made.durable("disk/1"));
  CHECK(!made.durable("1"));
}

END_FIXTURE_SCOPE()
