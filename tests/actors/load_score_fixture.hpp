#pragma once

#include <callboard/actors/load_score.hpp>

#include <chrono>
#include <cstdint>

namespace callboard {

/// A score whose marks divide evenly: work is shed from 0.5, 0.625, 0.75 and
/// 0.875 on, and taken again below 0.25, 0.3125, 0.375 and 0.4375.
struct load_score_fixture {
  using stage = load_stage;

  load_score_fixture() {
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

} // namespace callboard
