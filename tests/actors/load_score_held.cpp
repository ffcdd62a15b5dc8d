// What the parts of the load do that get no smaller with less work.

#include <callboard/actors/load_score.hpp>

#include "actors/load_score_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using fixture = load_score_fixture;
using stage = load_stage;

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(what takes memory keeps newcomers out and no more) {
  for (auto part : {&load_sample::outbox_bytes, &load_sample::memory_bytes}) {
    auto x = make();
    load_sample found;
    auto find = [&](size_t bytes) {
      found.*part = bytes;
      settle(x, found);
      return x.stage();
    };
    auto full = part == &load_sample::outbox_bytes ? options.outbox_bytes_max
                                                   : options.memory_bytes_max;
    CHECK(find(full / 2 - 1) == stage::none);
    CHECK(find(full / 2) == stage::connections);
    CHECK(find(full * 5 / 8 - 1) == stage::connections);
    CHECK(find(full * 5 / 8) == stage::logins);
    CHECK(find(full * 4) == stage::logins);
    CHECK_EQ(x.score(), 1.0);
    CHECK_EQ(refused(x, stage::publishes, 100), 0);
    CHECK_EQ(refused(x, stage::requests, 100), 0);
    CHECK_EQ(x.token_price(), token_price_full);
    CHECK(find(full / 4) == stage::connections);
    CHECK(find(full / 4 - 1) == stage::none);
  }
}

CAF_TEST(work is shed by its own load where memory is full) {
  auto x = make();
  load_sample found;
  found.memory_bytes = options.memory_bytes_max;
  auto find = [&](double cpu_share) {
    found.cpu_share = cpu_share;
    settle(x, found);
    return x.stage();
  };
  CHECK(find(0.7499) == stage::logins);
  CHECK(find(0.75) == stage::publishes);
  CHECK(find(0.875) == stage::requests);
  // What is refused goes by it, too.
  CHECK(find(0.4375) == stage::requests);
  CHECK_EQ(refused(x, stage::requests, 800), 700);
  CHECK(find(0.4374) == stage::publishes);
  CHECK(find(0.3749) == stage::logins);
  CHECK(find(0) == stage::logins);
  found.memory_bytes = 0;
  CHECK(find(0) == stage::none);
}

CAF_TEST(a part holds what it alone would keep) {
  options.weights = {1, 1, 1, 1, 0.5};
  auto x = make();
  load_sample found;
  found.memory_bytes = options.memory_bytes_max;
  // Nothing is shed below the high mark.
  found.memory_bytes -= 1;
  settle(x, found);
  CHECK(x.stage() == stage::none);
  CHECK(!x.holds(load_part::memory));
  found.memory_bytes += 1;
  settle(x, found);
  CHECK(x.stage() == stage::connections);
  CHECK(x.holds(load_part::memory));
  CHECK(!x.holds(load_part::cpu));
  // By its weight, as long as it is not below the low one.
  found.cpu_share = 1;
  found.memory_bytes = options.memory_bytes_max / 2;
  settle(x, found);
  CHECK(x.holds(load_part::memory));
  CHECK(x.holds(load_part::cpu));
  found.memory_bytes -= 1;
  settle(x, found);
  CHECK(!x.holds(load_part::memory));
}

END_FIXTURE_SCOPE()
