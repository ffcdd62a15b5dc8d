#include <callboard/actors/cluster/pattern_gaps.hpp>

#include <map>
#include <string>
#include <vector>

#include <caf/make_counted.hpp>

#include "support/test.hpp"

using namespace callboard;

using strings = std::vector<std::string>;
using extent = pattern_gaps::extent;

namespace {

/// Sets of nodes of one shard as `a` knows them; each has the slot of its
/// letter.
struct fixture {
  fixture() {
    settle({"a", "b", "c"});
  }

  /// Goes by nodes of which these own topics, and those something durable.
  void go_by(const strings& names, const strings& owners,
             const strings& stores = {}) {
    auto x = caf::make_counted<peer_set>();
    for (auto& name : names) {
      auto slot = slot_of(name);
      if (slot == peer_set::here)
        continue;
      if (x->slots.size() <= slot)
        x->slots.resize(slot + 1);
      auto& link = links[name];
      if (link == nullptr)
        link = std::make_shared<link_traffic>();
      member who{name, runs[name], {}, 1, member_state::up};
      x->slots[slot] = peer_node{std::move(who), nullptr, 0, link};
    }
    for (auto& name : owners)
      x->owner_slots.push_back(slot_of(name));
    for (auto& name : stores)
      x->store_slots.push_back(slot_of(name));
    gaps.begin(*x, *last, flush);
    flush.begin(*x, *last, true);
    last = x;
  }

  /// Returns what is to be told when all have settled.
  extent all_settle() {
    for (uint32_t slot = 0; slot < last->slots.size(); ++slot) {
      gaps.take_handed(slot, 0);
      flush.take_handed(slot, 0);
      flush.take_settled(slot, 0);
      gaps.take_settled(slot, 0);
    }
    return gaps.take();
  }

  extent settle(const strings& names, const strings& stores = {}) {
    go_by(names, names, stores);
    return all_settle();
  }

  static uint32_t slot_of(const std::string& name) {
    return name == "a" ? peer_set::here : static_cast<uint32_t>(name[0] - 'a');
  }

  pattern_gaps gaps{false};
  view_flush flush;
  peer_set_ptr last = caf::make_counted<peer_set>();
  std::map<std::string, std::shared_ptr<link_traffic>> links;
  std::map<std::string, std::string> runs;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(nodes that come lose nothing) {
  CHECK(gaps.take() == extent::none);
  CHECK(settle({"a", "b", "c", "d"}) == extent::none);
}

CAF_TEST(a node that owned something is lost once) {
  CHECK(settle({"a", "b"}) == extent::all);
  CHECK(gaps.take() == extent::none);
}

CAF_TEST(one that has settled and owns nothing is not ) {
  go_by({"a", "b", "c"}, {"a", "b"});
  CHECK(all_settle() == extent::none);
  CHECK(settle({"a", "b"}) == extent::none);
  // The same run again has not been anywhere else.
  links["c"] = nullptr;
  CHECK(settle({"a", "b", "c"}) == extent::none);
}

CAF_TEST(one that owns nothing and has not settled may have had something) {
  go_by({"a", "b", "c"}, {"a", "b"});
  CHECK(settle({"a", "b"}) == extent::all);
}

CAF_TEST(a link that begins anew has lost something) {
  links["b"] = nullptr;
  CHECK(settle({"a", "b", "c"}) == extent::all);
}

CAF_TEST(a run that was lost may have gone on and the next one has not ) {
  CHECK(settle({"a", "b"}) == extent::all);
  links["c"] = nullptr;
  CHECK(settle({"a", "b", "c"}) == extent::all);
  CHECK(settle({"a", "b"}) == extent::all);
  links["c"] = nullptr;
  runs["c"] = "next";
  CHECK(settle({"a", "b", "c"}) == extent::none);
}

CAF_TEST(where nodes with stores come and go what is durable may be lost) {
  CHECK(settle({"a", "b", "c"}, {"b"}) == extent::durable);
  CHECK(settle({"a", "b", "c"}, {"b"}) == extent::none);
  CHECK(settle({"a", "b", "c"}, {"b", "c"}) == extent::durable);
  go_by({"a", "b", "c"}, {"a", "b"}, {"b", "c"});
  CHECK(all_settle() == extent::none);
  go_by({"a", "b"}, {"a", "b"}, {"b"});
  CHECK(all_settle() == extent::durable);
}

CAF_TEST(a shard loses something when it begins for the second time) {
  gaps.take_reset(1, 0);
  // It does not know the patterns yet.
  CHECK(gaps.take() == extent::none);
  gaps.take_settled(1, 0);
  CHECK(gaps.take() == extent::all);
  go_by({"a", "b", "c", "d"}, {"a", "b", "c"});
  gaps.take_reset(3, 0);
  CHECK(all_settle() == extent::none);
}

CAF_TEST(nobody waits for a shard whose node is gone) {
  gaps.take_reset(2, 0);
  CHECK(settle({"a", "b"}) == extent::all);
}

CAF_TEST(what is lost before a node has settled for the first time is nobodys) {
  gaps = pattern_gaps{false};
  last = caf::make_counted<peer_set>();
  go_by({"a", "b", "c"}, {"a", "b", "c"});
  CHECK(settle({"a", "b"}) == extent::none);
}

CAF_TEST(a shard in place of one tells all loops) {
  gaps = pattern_gaps{true};
  last = caf::make_counted<peer_set>();
  CHECK(settle({"a", "b", "c"}) == extent::everywhere);
  CHECK(settle({"a", "b"}) == extent::all);
}

END_FIXTURE_SCOPE()
