#include <callboard/actors/load_score.hpp>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "support/test.hpp"

using namespace callboard;

namespace {

using stage = load_stage;

/// A score whose marks divide evenly: work is shed from 0.5, 0.625, 0.75 and
/// 0.875 on, and taken again below 0.25, 0.3125, 0.375 and 0.4375.
struct fixture {
  fixture() {
    options.high = 0.5;
    options.low = 0.25;
    options.weights = {1, 1, 1, 1, 1};
    options.turn_max = std::chrono::milliseconds{100};
    options.outbox_bytes_max = 1'000'000;
    options.memory_bytes_max = 2'000'000;
  }

  /// Makes one that has found nothing yet.
  load_score make(uint32_t loops = 1) {
    load_score result{options, loops};
    result.sample(now, {});
    return result;
  }

  /// Lets it find one thing for so long that all else is forgotten.
  void settle(load_score& x, const load_sample& found) {
    now += 1'000'000;
    x.sample(now, found);
  }

  /// The same with a score.
  stage settle(load_score& x, double score) {
    load_sample found;
    found.cpu_share = score;
    settle(x, found);
    return x.stage();
  }

  /// Lets time pass in turns of one length that follow each other at once.
  void run(load_score& x, int64_t ms, int64_t turn_ms) {
    for (auto end = now + ms; now < end;) {
      now += turn_ms;
      x.add_turn(static_cast<double>(turn_ms));
      if (x.due(now))
        x.sample(now, {});
    }
  }

  void rest(load_score& x, int64_t ms) {
    for (auto end = now + ms; now < end;) {
      now += load_score::sample_ms;
      x.sample(now, {});
    }
  }

  /// Returns how many of so many pieces of work are refused.
  static int refused(load_score& x, stage what, int n) {
    auto result = 0;
    for (auto i = 0; i < n; ++i)
      result += x.refuses(what) ? 1 : 0;
    return result;
  }

  load_options options;
  int64_t now = 1'000'000;
};

} // namespace

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

END_FIXTURE_SCOPE()
