#include <callboard/actors/load_score.hpp>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "actors/load_score_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;

using fixture = load_score_fixture;
using stage = load_stage;

BEGIN_FIXTURE_SCOPE(fixture)

// -- parts --------------------------------------------------------------------

CAF_TEST(who has nothing to do has no load) {
  auto x = make();
  rest(x, 10'000);
  CHECK_EQ(x.score(), 0.0);
  CHECK_EQ(x.peak(), 0.0);
  CHECK(x.stage() == stage::none);
  CHECK_EQ(x.token_price(), token_price_full);
}

CAF_TEST(it is time for a sample after a while) {
  auto x = make();
  CHECK(!x.due(now));
  CHECK(!x.due(now + load_score::sample_ms - 1));
  CHECK(x.due(now + load_score::sample_ms));
}

CAF_TEST(turns count by their length and not by their number) {
  options.high = 0;
  auto x = make();
  // Busy all the time, in short turns.
  run(x, 10'000, 1);
  CHECK_GT(x.part(load_part::turn), 0.0099);
  CHECK_LT(x.part(load_part::turn), 0.0101);
  run(x, 10'000, 50);
  CHECK_GT(x.part(load_part::turn), 0.499);
  CHECK_LT(x.part(load_part::turn), 0.501);
  run(x, 10'000, 100);
  CHECK_GT(x.score(), 0.999);
}

CAF_TEST(a moment of rest is in no turn) {
  auto x = make();
  for (auto i = 0; i < 100; ++i) {
    now += 200;
    x.add_turn(100);
    x.sample(now, {});
  }
  CHECK_GT(x.part(load_part::turn), 0.499);
  CHECK_LT(x.part(load_part::turn), 0.501);
}

CAF_TEST(one long turn sheds nothing and many do) {
  options.high = 0.9;
  options.low = 0.7;
  auto x = make();
  run(x, 100, 100);
  CHECK_GT(x.score(), 0.1);
  CHECK_LT(x.score(), 0.3);
  CHECK(x.stage() == stage::none);
  rest(x, 5000);
  run(x, 3000, 100);
  CHECK(x.stage() == stage::requests);
}

CAF_TEST(each part is measured by its own bound) {
  auto x = make(4);
  load_sample found;
  found.actors_waiting = load_score::actors_waiting_max / 2;
  found.outbox_bytes = 25'000;
  found.cpu_share = 0.25;
  found.memory_bytes = 1'500'000;
  settle(x, found);
  CHECK_EQ(x.part(load_part::turn), 0.0);
  CHECK_EQ(x.part(load_part::queue), 0.5);
  // Of a quarter of the node's.
  CHECK_EQ(x.part(load_part::outbox), 0.1);
  CHECK_EQ(x.part(load_part::cpu), 0.25);
  CHECK_EQ(x.part(load_part::memory), 0.75);
  CHECK_EQ(x.score(), 0.75);
}

CAF_TEST(memory without a bound is no part) {
  options.memory_bytes_max = 0;
  auto x = make();
  load_sample found;
  found.memory_bytes = size_t{1} << 40;
  settle(x, found);
  CHECK_EQ(x.score(), 0.0);
}

CAF_TEST(the largest part with its weight is the score) {
  options.weights = {1, 0.5, 0, 1, 1};
  auto x = make();
  load_sample found;
  found.actors_waiting = load_score::actors_waiting_max;
  found.outbox_bytes = 1'000'000;
  found.cpu_share = 0.25;
  settle(x, found);
  CHECK_EQ(x.score(), 0.5);
  CHECK_EQ(x.part(load_part::queue), 1.0);
  CHECK_EQ(x.part(load_part::outbox), 1.0);
  found.cpu_share = 0.75;
  settle(x, found);
  CHECK_EQ(x.score(), 0.75);
}

CAF_TEST(a score is 1 at most and soon forgotten) {
  options.high = 0.9;
  options.low = 0.7;
  auto x = make();
  run(x, 60'000, 10'000);
  CHECK_EQ(x.score(), 1.0);
  CHECK(x.part(load_part::turn) <= load_score::part_max);
  CHECK(x.stage() == stage::requests);
  // From 4 to 0.7 by the 500 ms of smoothing.
  rest(x, 850);
  CHECK(x.stage() != stage::none);
  rest(x, 50);
  CHECK(x.stage() == stage::none);
}

CAF_TEST(two samples at one time do no harm) {
  auto x = make();
  x.add_turn(10);
  x.sample(now, {});
  CHECK(std::isfinite(x.score()));
  x.sample(now - 5, {});
  CHECK(std::isfinite(x.score()));
}

// -- stages -------------------------------------------------------------------

CAF_TEST(stages are reached one after the other) {
  auto x = make();
  CHECK(settle(x, 0.4999) == stage::none);
  CHECK(settle(x, 0.5) == stage::connections);
  CHECK(settle(x, 0.6249) == stage::connections);
  CHECK(settle(x, 0.625) == stage::logins);
  CHECK(settle(x, 0.7499) == stage::logins);
  CHECK(settle(x, 0.75) == stage::publishes);
  CHECK(settle(x, 0.8749) == stage::publishes);
  CHECK(settle(x, 0.875) == stage::requests);
}

CAF_TEST(each stage stays until its own low mark) {
  auto x = make();
  CHECK(settle(x, 1) == stage::requests);
  CHECK(settle(x, 0.4375) == stage::requests);
  CHECK(settle(x, 0.4374) == stage::publishes);
  CHECK(settle(x, 0.375) == stage::publishes);
  CHECK(settle(x, 0.3749) == stage::logins);
  CHECK(settle(x, 0.3125) == stage::logins);
  CHECK(settle(x, 0.3124) == stage::connections);
  CHECK(settle(x, 0.25) == stage::connections);
  CHECK(settle(x, 0.2499) == stage::none);
  // What was left has to be reached anew.
  CHECK(settle(x, 0.4999) == stage::none);
}

CAF_TEST(a change of the stage is told) {
  auto x = make();
  load_sample found;
  found.cpu_share = 1;
  CHECK(x.sample(now += 1'000'000, found));
  CHECK(!x.sample(now += 1'000'000, found));
  CHECK(x.sample(now += 1'000'000, {}));
  CHECK(!x.sample(now += 1'000'000, {}));
}

CAF_TEST(a stage sheds what those in front of it do) {
  auto x = make();
  std::array stages{stage::connections, stage::logins, stage::publishes,
                    stage::requests};
  std::vector<int> shed;
  for (auto score : {0.0, 0.5, 0.625, 0.75, 0.875}) {
    settle(x, score);
    auto n = 0;
    for (auto y : stages)
      n += x.sheds(y) ? 1 : 0;
    shed.push_back(n);
  }
  CHECK_EQ(shed, (std::vector{0, 1, 2, 3, 4}));
}

CAF_TEST(a high mark of 0 sheds nothing) {
  options.high = 0;
  auto x = make();
  CHECK(settle(x, 1) == stage::none);
  CHECK_EQ(x.score(), 1.0);
  CHECK_EQ(x.token_price(), token_price_full);
  CHECK_EQ(refused(x, stage::requests, 100), 0);
}

CAF_TEST(a high mark of 1 sheds everything there and nothing below) {
  options.high = 1;
  auto x = make();
  CHECK(settle(x, 0.9999) == stage::none);
  CHECK(settle(x, 1) == stage::requests);
}

// -- shares -------------------------------------------------------------------

CAF_TEST(the last stage refuses the more the higher the load is now) {
  auto x = make();
  settle(x, 1);
  CHECK_EQ(refused(x, stage::requests, 100), 100);
  // It holds on, but there is room for an eighth.
  settle(x, 0.4375);
  CHECK(x.stage() == stage::requests);
  CHECK_EQ(refused(x, stage::requests, 800), 700);
}

CAF_TEST(of an earlier stage all is refused) {
  auto x = make();
  settle(x, 1);
  settle(x, 0.4375);
  CHECK_EQ(refused(x, stage::publishes, 100), 100);
  CHECK(settle(x, 0.375) == stage::publishes);
  CHECK_EQ(refused(x, stage::publishes, 400), 300);
  CHECK_EQ(refused(x, stage::requests, 100), 0);
}

CAF_TEST(what is found now decides about the share) {
  auto x = make();
  settle(x, 1);
  // The score is still high, but nothing is left to do.
  now += load_score::sample_ms;
  x.sample(now, {});
  CHECK(x.stage() == stage::requests);
  CHECK_EQ(refused(x, stage::requests, 100), 0);
}

CAF_TEST(tokens cost more from the low mark on) {
  auto x = make();
  settle(x, 0.25);
  CHECK_EQ(x.token_price(), 1000);
  settle(x, 0.625);
  CHECK_EQ(x.token_price(), 1600);
  settle(x, 1);
  CHECK_EQ(x.token_price(), 4000);
  settle(x, 0.2499);
  CHECK_EQ(x.token_price(), 1000);
}

// -- the last minute ----------------------------------------------------------

CAF_TEST(the peak is that of a minute) {
  auto x = make();
  settle(x, 0.75);
  for (auto i = 0; i < 59; ++i) {
    now += 1000;
    x.sample(now, {});
  }
  CHECK_LT(x.score(), 0.001);
  CHECK_EQ(x.peak(), 0.75);
  now += 1000;
  x.sample(now, {});
  CHECK_LT(x.peak(), 0.2);
}

CAF_TEST(a time without samples has no peak) {
  auto x = make();
  settle(x, 0.75);
  now += 59'000;
  x.sample(now, {});
  CHECK_EQ(x.peak(), 0.75);
  now += 60'000;
  x.sample(now, {});
  CHECK_LT(x.peak(), 0.001);
}

// -- names --------------------------------------------------------------------

CAF_TEST(parts and stages have names) {
  std::string names;
  for (size_t i = 0; i < load_part_count; ++i)
    names += std::string{to_string(static_cast<load_part>(i))} + ' ';
  for (size_t i = 0; i < load_stage_count; ++i)
    names += std::string{to_string(static_cast<load_stage>(i))} + ' ';
  CHECK_EQ(names, "turn queue outbox cpu memory none connections logins "
                  "publishes requests ");
}

// -- other options ------------------------------------------------------------

CAF_TEST(other marks count with the next sample) {
  auto x = make();
  CHECK(settle(x, 0.45) == stage::none);
  options.high = 0.4;
  options.low = 0.2;
  x.change(options);
  CHECK(x.stage() == stage::none);
  CHECK(settle(x, 0.45) == stage::connections);
  // Outboxes are the loops' together.
  auto y = make(2);
  options.outbox_bytes_max = 500'000;
  y.change(options);
  load_sample found;
  found.outbox_bytes = 250'000;
  settle(y, found);
  CHECK_GT(y.part(load_part::outbox), 0.99);
}

CAF_TEST(without marks everything ends at once) {
  auto x = make();
  CHECK(settle(x, 1) == stage::requests);
  CHECK_GT(x.token_price(), token_price_full);
  options.high = 0;
  x.change(options);
  CHECK(x.stage() == stage::none);
  CHECK_EQ(x.token_price(), token_price_full);
  CHECK(!x.refuses(stage::connections));
  CHECK(settle(x, 1) == stage::none);
}

END_FIXTURE_SCOPE()
