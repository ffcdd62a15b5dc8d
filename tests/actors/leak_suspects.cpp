#include <callboard/actors/leak_suspects.hpp>

#include <set>
#include <string>

#include "support/test.hpp"

using namespace callboard;

CAF_TEST(what two rounds in a row suspect is a leak) {
  leak_suspects x;
  x.begin_round();
  CHECK(!x.suspect(leak_kind::unregistered, 1));
  // Twice in one round is once.
  CHECK(!x.suspect(leak_kind::unregistered, 1));
  CHECK_EQ(x.size(), 1u);
  x.begin_round();
  CHECK(!x.suspect(leak_kind::unregistered, 2));
  CHECK(x.suspect(leak_kind::unregistered, 1));
  // It was told of.
  CHECK_EQ(x.size(), 1u);
}

CAF_TEST(a round in between clears a suspect) {
  leak_suspects x;
  x.suspect(leak_kind::unregistered, 1);
  x.begin_round();
  x.begin_round();
  CHECK(!x.suspect(leak_kind::unregistered, 1));
  x.begin_round();
  CHECK(x.suspect(leak_kind::unregistered, 1));
}

CAF_TEST(kinds have numbers of their own) {
  leak_suspects x;
  x.suspect(leak_kind::unregistered, 1);
  x.begin_round();
  CHECK(!x.suspect(leak_kind::registered_dead, 1));
}

CAF_TEST(what was told of takes two rounds to be told of again) {
  leak_suspects x;
  x.suspect(leak_kind::unregistered, 1);
  x.begin_round();
  CHECK(x.suspect(leak_kind::unregistered, 1));
  x.begin_round();
  CHECK(!x.suspect(leak_kind::unregistered, 1));
  x.begin_round();
  CHECK(x.suspect(leak_kind::unregistered, 1));
}

CAF_TEST(nothing is suspected after a clear) {
  leak_suspects x;
  x.suspect(leak_kind::unregistered, 1);
  x.begin_round();
  x.suspect(leak_kind::unregistered, 2);
  x.clear();
  CHECK_EQ(x.size(), 0u);
  CHECK(!x.suspect(leak_kind::unregistered, 1));
  CHECK(!x.suspect(leak_kind::unregistered, 2));
}

CAF_TEST(every kind has a name) {
  std::set<std::string> names;
  for (size_t i = 0; i < leak_kind_count; ++i)
    names.emplace(to_string(static_cast<leak_kind>(i)));
  CHECK_EQ(names.size(), leak_kind_count);
  CHECK(!names.contains("unknown"));
  CHECK_EQ(to_string(static_cast<leak_kind>(leak_kind_count)), "unknown");
}
