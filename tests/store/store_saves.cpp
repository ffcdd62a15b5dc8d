// Where groups stand, in the tables.

#include <callboard/store/store_tables.hpp>

#include <algorithm>

#include "store/tables_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

struct fixture : tables_fixture {
  fixture() {
    bounds.places_max = 3;
    reopen();
  }

  void save_place(const std::string& topic, const group_place& where) {
    CHECK(
      tables->save({topic, "e", heads[topic], options, false, where}, now_ms));
  }

  /// Returns the names of the groups of a topic.
  std::string groups(const std::string& topic) {
    std::string result;
    for (auto& x : tables->load(topic, options, now_ms).groups)
      result += x.group;
    std::ranges::sort(result);
    return result;
  }
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(places go with their topic) {
  options.history_ttl = 1ms;
  append("a");
  append("b");
  save_place("a", {"g", 1, 1, {}});
  now_ms += 1;
  sweep();
  sweep();
  now_ms += store_tables::empty_ms_max - 2;
  // Somebody is still there.
  save_place("a", {"g", 1, 1, {}});
  now_ms += 2;
  sweep();
  CHECK_EQ(kept("b"), "gone");
  CHECK_EQ(kept("a"), "none");
  CHECK_EQ(groups("a"), "g");
  now_ms += store_tables::empty_ms_max - 3;
  sweep();
  CHECK_EQ(groups("a"), "g");
  now_ms += 1;
  sweep();
  CHECK_EQ(kept("a"), "gone");
  CHECK_EQ(rows("places"), 0);
}

CAF_TEST(places go with a topic that starts over) {
  append("a");
  save_place("a", {"g", 1, 1, {}});
  // What an unclean end has made void.
  options.durability = durability::memory;
  tables->load("a", options, now_ms);
  tables->save({"a", "e", 1, {}, {}, options});
  reopen(false);
  CHECK_EQ(tables->load("a", options, now_ms).epoch, "");
  sweep();
  CHECK_EQ(rows("topics"), 0);
  CHECK_EQ(rows("places"), 0);
}

CAF_TEST(places of a topic are bounded and the oldest give way) {
  append("a");
  for (auto name : {"x", "y", "z"}) {
    ++now_ms;
    save_place("a", {name, 1, 1, {}});
  }
  CHECK_EQ(groups("a"), "xyz");
  ++now_ms;
  save_place("a", {"x", 1, 1, {}});
  save_place("a", {"v", 1, 1, {}});
  CHECK_EQ(rows("places"), 4);
  CHECK_EQ(groups("a"), "vxz");
  CHECK_EQ(rows("places"), 3);
  CHECK_EQ(groups("a"), "vxz");
}

CAF_TEST(a damaged place costs what it knew and nothing else) {
  append("a", 5);
  save_place("a", {"g", 2, 4, {{3, 1}}});
  auto found = tables->load("a", options, now_ms).groups;
  REQUIRE_EQ(found.size(), 1u);
  CHECK_EQ(found[0].reach, 4u);
  CHECK_EQ(found[0].open.size(), 1u);
  db.run("UPDATE places SET open = open || x'00'");
  found = tables->load("a", options, now_ms).groups;
  REQUIRE_EQ(found.size(), 1u);
  CHECK_EQ(found[0].place, 2u);
  CHECK_EQ(found[0].reach, 2u);
  CHECK(found[0].open.empty());
  // Nor is a place believed that is behind its topic.
  save_place("a", {"g", 9, 9, {}});
  CHECK_EQ(tables->load("a", options, now_ms).groups[0].place, 5u);
}

END_FIXTURE_SCOPE()
