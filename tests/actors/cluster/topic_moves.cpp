#include <callboard/actors/cluster/topic_moves.hpp>

#include <map>
#include <string>
#include <vector>

#include <caf/make_counted.hpp>

#include "support/test.hpp"

using namespace callboard;

using strings = std::vector<std::string>;

namespace {

/// Sets of nodes as `a` knows them; each has the slot of its letter.
struct fixture {
  peer_set_ptr nodes(uint64_t number, const strings& names) {
    auto x = caf::make_counted<peer_set>();
    x->number = number;
    x->coordinator = names[0];
    x->owners = placement{names};
    for (auto& name : names) {
      auto slot = name == "a" ? peer_set::here
                              : static_cast<uint32_t>(name[0] - 'a');
      x->order.push_back(slot);
      x->owner_slots.push_back(slot);
      if (slot == peer_set::here)
        continue;
      if (x->slots.size() <= slot)
        x->slots.resize(slot + 1);
      auto& link = links[name];
      if (link == nullptr)
        link = std::make_shared<link_traffic>();
      x->slots[slot] = peer_node{member{name, "1", {}, 1, member_state::up},
                                 nullptr, 0, link};
    }
    return x;
  }

  /// Goes by these nodes; all have settled.
  void settle(const peer_set_ptr& now) {
    x.begin(last, *now, false);
    x.end(*now);
    last = now;
  }

  void go_by(const peer_set_ptr& now) {
    x.begin(last, *now, false);
    last = now;
  }

  bool moves(const std::string& topic) {
    return x.moves(topic, *last);
  }

  /// Returns a topic that these own in the two sets.
  static std::string topic_of(uint32_t before, const peer_set_ptr& old,
                              uint32_t after, const peer_set_ptr& now) {
    for (int i = 0;; ++i)
      if (auto name = "t" + std::to_string(i);
          old->owner_of(name) == before && now->owner_of(name) == after)
        return name;
  }

  static constexpr auto here = peer_set::here;

  std::map<std::string, link_traffic_ptr> links;
  peer_set_ptr last = caf::make_counted<peer_set>();
  topic_moves x{false};
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(topics move whose owner is another one) {
  auto old = nodes(1, {"a", "b"});
  auto now = nodes(2, {"a", "b", "c"});
  settle(old);
  CHECK(!x.open());
  CHECK(!moves("t"));
  go_by(now);
  CHECK(x.open());
  CHECK(moves(topic_of(here, old, 2, now)));
  CHECK(moves(topic_of(1, old, 2, now)));
  CHECK(!moves(topic_of(here, old, here, now)));
  CHECK(!moves(topic_of(1, old, 1, now)));
  x.end(*now);
  CHECK(!moves(topic_of(1, old, 2, now)));
}

CAF_TEST(topics that went and came back move) {
  auto old = nodes(1, {"a", "b"});
  auto between = nodes(2, {"a", "b", "c"});
  auto now = nodes(3, {"a", "b"});
  settle(old);
  go_by(between);
  go_by(now);
  CHECK(moves(topic_of(1, old, 2, between)));
  CHECK(!moves(topic_of(1, old, 1, between)));
}

CAF_TEST(an owner is lost that is gone or has begun anew) {
  auto old = nodes(1, {"a", "b", "c"});
  auto now = nodes(2, {"a", "b", "d"});
  settle(old);
  go_by(now);
  auto lost = [&](uint32_t before, uint32_t after) {
    return x.lost_owner(topic_of(before, old, after, now), *now);
  };
  CHECK(lost(2, 1));
  CHECK(lost(2, here));
  CHECK(lost(2, 3));
  CHECK(!lost(1, 3));
  CHECK(!lost(1, 1));
  CHECK(!lost(here, 3));
  links["b"] = nullptr;
  now = nodes(3, {"a", "b", "d"});
  go_by(now);
  CHECK(lost(1, 3));
  CHECK(lost(1, 1));
  CHECK(!lost(here, 3));
  // Nobody has reported to it, but it may have let in whom it was given.
  links["d"] = nullptr;
  now = nodes(4, {"a", "b", "d"});
  go_by(now);
  CHECK(lost(here, 3));
  x.end(*now);
  CHECK(!lost(1, 1));
}

CAF_TEST(all move where this node has joined others) {
  settle(nodes(1, {"a"}));
  go_by(nodes(2, {"b", "a"}));
  for (auto* topic : {"1", "2", "3", "4"})
    CHECK(moves(topic));
  x.end(*last);
  // One that joins this one takes what is its own.
  go_by(nodes(3, {"b", "a", "c"}));
  CHECK(!moves(topic_of(here, nodes(2, {"b", "a"}), here, last)));
}

CAF_TEST(all move at a shard that begins anew) {
  topic_moves y{true};
  CHECK(y.open());
  CHECK(y.moves("t", *last));
  auto now = nodes(1, {"a", "b"});
  y.begin(last, *now, true);
  CHECK(y.moves("t", *now));
  y.end(*now);
  CHECK(!y.moves("t", *now));
}

CAF_TEST(topics of a node with another link move) {
  auto old = nodes(1, {"a", "b", "c"});
  settle(old);
  links.erase("c");
  auto now = nodes(1, {"a", "b", "c"});
  go_by(now);
  CHECK(moves(topic_of(2, old, 2, now)));
  CHECK(!moves(topic_of(1, old, 1, now)));
}

CAF_TEST(what an old owner has sent comes first) {
  auto old = nodes(1, {"a", "b"});
  auto now = nodes(2, {"a", "b", "c"});
  settle(old);
  go_by(now);
  auto topic = topic_of(1, old, 2, now);
  CHECK(x.from_before(1, 1, topic, *now));
  CHECK(!x.from_before(1, 2, topic, *now));
  CHECK(!x.from_before(2, 2, topic, *now));
  CHECK(x.owned(1, topic, *now));
  CHECK(x.owned(2, topic, *now));
  CHECK(!x.owned(1, topic_of(here, old, 2, now), *now));
  std::vector<uint32_t> owners;
  x.for_each_owner(topic, *now, [&](uint32_t y) { owners.push_back(y); });
  CHECK_EQ(owners, (std::vector<uint32_t>{1, 2}));
}

CAF_TEST(the way tells which views one went by) {
  auto first = nodes(1, {"a", "b"});
  auto second = nodes(2, {"a", "b", "c"});
  auto third = nodes(3, {"a", "b"});
  settle(first);
  auto settled = x.way();
  topic_moves y{false};
  y.begin(caf::make_counted<peer_set>(), *first, true);
  CHECK_EQ(y.way(), settled);
  y.end(*first);
  CHECK_EQ(y.way(), settled);
  go_by(second);
  go_by(third);
  y.begin(first, *third, false);
  CHECK(x.way() != y.way());
  x.end(*third);
  y.end(*third);
  CHECK_EQ(x.way(), y.way());
  // Another link is no other view.
  go_by(third);
  CHECK_EQ(x.way(), y.way());
}

END_FIXTURE_SCOPE()
