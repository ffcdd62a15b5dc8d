#include <callboard/actors/cluster/first_round.hpp>

#include "support/test.hpp"

using namespace callboard;

namespace {

using outcome = first_round::outcome;

constexpr int64_t until = 1'005'000;

struct fixture {
  outcome look(int64_t now = until - 1) {
    return x.look(now);
  }

  first_round x{until};
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(without addresses a node is alone once that is known) {
  CHECK(look() == outcome::open);
  x.complete();
  CHECK(look() == outcome::alone);
}

CAF_TEST(a node is alone when nobody is at any address) {
  x.add("s:1");
  x.add("s:2");
  x.complete();
  x.found_nobody("s:1");
  x.found_nobody("s:1");
  x.found_nobody("m:1");
  CHECK(look() == outcome::open);
  x.found_nobody("s:2");
  CHECK(look() == outcome::alone);
}

CAF_TEST(there may be more addresses until it is told that there are not ) {
  x.add("s:1");
  x.found_nobody("s:1");
  CHECK(look() == outcome::open);
  x.add("s:2");
  x.complete();
  CHECK(look() == outcome::open);
  // One try of each is enough.
  x.add("s:1");
  x.found_nobody("s:2");
  CHECK(look() == outcome::alone);
}

CAF_TEST(a node that has found another one is not alone) {
  x.add("s:1");
  x.complete();
  x.found_node();
  x.found_nobody("s:1");
  CHECK(look() == outcome::open);
  x.settled();
  CHECK(look() == outcome::joined);
}

CAF_TEST(a node that others have found first need not look) {
  x.add("s:1");
  x.found_node();
  x.settled();
  CHECK(look() == outcome::joined);
}

CAF_TEST(it is over in any case in the end) {
  x.add("s:1");
  CHECK(look(until - 1) == outcome::open);
  CHECK(look(until) == outcome::late);
}

CAF_TEST(it is over once) {
  x.complete();
  CHECK(!x.over());
  CHECK(look() == outcome::alone);
  CHECK(x.over());
  x.add("s:1");
  x.found_node();
  x.settled();
  CHECK(look(until) == outcome::open);
  CHECK(x.over());
}

END_FIXTURE_SCOPE()
