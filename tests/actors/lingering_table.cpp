#include <callboard/actors/lingering_table.hpp>

#include <string>

#include "support/test.hpp"

using namespace callboard;

namespace {

struct entry {
  int uses = 0;
  /// Until when it has something to remember.
  int64_t until_ms = 0;

  bool used() const {
    return uses > 0;
  }

  bool at_rest(int64_t now_ms) const {
    return now_ms >= until_ms;
  }
};

struct fixture {
  entry& get(const std::string& key, int64_t now_ms) {
    return table.get(key, now_ms, [] { return entry{}; });
  }

  /// Uses an entry once, after which it remembers until `until_ms`.
  void use(const std::string& key, int64_t now_ms, int64_t until_ms) {
    get(key, now_ms).until_ms = until_ms;
    table.settle(key, now_ms);
  }

  bool has(const std::string& key) {
    return table.find(key) != nullptr;
  }

  lingering_table<std::string, entry> table{3};
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(an entry is made once and found again) {
  CHECK(!has("a"));
  auto& made = get("a", 0);
  made.uses = 1;
  CHECK(&get("a", 0) == &made);
  CHECK(table.find("a") == &made);
  CHECK_EQ(table.size(), 1u);
}

CAF_TEST(what is used stays) {
  get("a", 0).uses = 2;
  for (auto left : {1, 0}) {
    table.settle("a", 0);
    CHECK(has("a"));
    table.find("a")->uses = left;
  }
  table.settle("a", 0);
  CHECK_EQ(table.size(), 0u);
}

CAF_TEST(what has nothing to remember goes at once) {
  use("a", 5, 5);
  CHECK(!has("a"));
  use("a", 5, 6);
  CHECK(has("a"));
}

CAF_TEST(what only remembers goes when others come and its time is over) {
  use("a", 0, 100);
  use("b", 0, 200);
  get("c", 99).uses = 1;
  CHECK(has("a"));
  get("d", 100).uses = 1;
  CHECK(!has("a"));
  CHECK(has("b"));
  get("e", 200).uses = 1;
  CHECK(!has("b"));
  CHECK_EQ(table.size(), 3u);
}

CAF_TEST(an old one that is known already is no new one) {
  use("a", 0, 100);
  use("b", 0, 100);
  // Looking at `b` lets nothing go.
  get("b", 100);
  CHECK(has("a"));
}

CAF_TEST(of those that only remember there are so many) {
  for (auto key : {"a", "b", "c"})
    use(key, 0, 100);
  CHECK_EQ(table.size(), 3u);
  use("d", 0, 100);
  CHECK_EQ(table.size(), 3u);
  CHECK(has("d"));
}

CAF_TEST(what is used again is not forgotten) {
  for (auto key : {"a", "b", "c"})
    use(key, 0, 100);
  for (auto key : {"a", "b", "c"})
    get(key, 0).uses = 1;
  for (auto key : {"d", "e", "f", "g"})
    use(key, 0, 100);
  for (auto key : {"a", "b", "c"})
    CHECK(has(key));
  CHECK_EQ(table.size(), 6u);
  // And lingers anew when it is let go.
  for (auto key : {"a", "b", "c"}) {
    table.find(key)->uses = 0;
    table.settle(key, 0);
  }
  CHECK_EQ(table.size(), 3u);
  for (auto key : {"a", "b", "c"})
    CHECK(has(key));
}

CAF_TEST(an entry that lingers twice is there once) {
  use("a", 0, 100);
  use("a", 0, 300);
  get("b", 200).uses = 1;
  CHECK(has("a"));
  get("c", 300).uses = 1;
  CHECK(!has("a"));
  get("d", 300).uses = 1;
  CHECK_EQ(table.size(), 3u);
}

END_FIXTURE_SCOPE()
