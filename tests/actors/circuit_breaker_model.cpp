// Circuit breakers beside a naive model that keeps everything, under random
// requests.

#include <callboard/actors/circuit_breaker.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

using time_point = circuit_breaker::time_point;

struct request {
  uint32_t round = 0;
  // The model's name for it.
  size_t era = 0;
  time_point begin;
};

/// The same with a list of all that has ended, and a percentile by sorting.
class model {
public:
  explicit model(const circuit_options& options) : options_{options} {
  }

  caf::timespan wait(time_point now) {
    if (state == circuit_state::open && now >= until_)
      enter(circuit_state::half_open);
    if (state == circuit_state::open)
      return until_ - now;
    if (state != circuit_state::half_open || passed_ < options_.probes)
      return 0s;
    if (now - quiet_since() < patience())
      return std::min<caf::timespan>(options_.open_time, 1s);
    ++given_up;
    open(std::min(2 * open_time_, options_.open_time_max), now);
    return until_ - now;
  }

  void begin(time_point now) {
    if (state == circuit_state::half_open)
      probing_.push_back({now, passed_ == ended_.size()});
    ++passed_;
  }

  void finish(size_t began, request_verdict x, caf::timespan took,
              time_point now) {
    if (began != era)
      return;
    if (x == request_verdict::none) {
      --passed_;
      return;
    }
    ended_.push_back({slice_of(now), x == request_verdict::bad, took});
    if (state == circuit_state::half_open)
      return look_at_probes(now);
    const auto& recent = forget_old(now);
    if (recent.size() < options_.requests_min)
      return;
    auto failed = std::ranges::count(recent, true, &end::failed);
    auto too_many = options_.error_share > 0
                    && static_cast<double>(failed)
                         >= options_.error_share
                              * static_cast<double>(recent.size());
    if (too_many || is_slow(recent))
      open(options_.open_time, now);
  }

  circuit_state state = circuit_state::closed;
  size_t era = 0;
  // How often it has opened because probes were not answered.
  size_t given_up = 0;

private:
  // A probe's beginning, or its good end; `anew`: what came before does not
  // matter for the time without an answer.
  struct probe_event {
    time_point at;
    bool anew;
  };

  struct end {
    int64_t slice;
    bool failed;
    caf::timespan took;
  };

  int64_t slice_of(time_point x) const {
    return x.time_since_epoch() / (options_.window / 10);
  }

  // Returns what is in the window.
  const std::vector<end>& forget_old(time_point now) {
    std::erase_if(ended_,
                  [&](const end& x) { return x.slice + 10 <= slice_of(now); });
    return ended_;
  }

  // By the 99th percentile's nearest rank.
  bool is_slow(const std::vector<end>& xs) const {
    std::vector<caf::timespan> times;
    for (auto& x : xs)
      times.push_back(x.took);
    std::ranges::sort(times);
    auto rank = (99 * times.size() + 99) / 100;
    return options_.latency > 0s && times[rank - 1] > options_.latency;
  }

  caf::timespan patience() const {
    return std::max(std::max(open_time_, options_.latency),
                    options_.timeout_min);
  }

  time_point quiet_since() const {
    auto last = probing_.size() - 1;
    while (!probing_[last].anew)
      --last;
    return probing_[last].at;
  }

  void look_at_probes(time_point now) {
    probing_.push_back({now, true});
    if (ended_.back().failed || is_slow({ended_.back()}))
      open(std::min(2 * open_time_, options_.open_time_max), now);
    else if (ended_.size() == options_.probes)
      enter(circuit_state::closed);
  }

  void open(caf::timespan time, time_point now) {
    open_time_ = time;
    until_ = now + time;
    enter(circuit_state::open);
  }

  void enter(circuit_state x) {
    state = x;
    ++era;
    ended_.clear();
    probing_.clear();
    passed_ = 0;
  }

  circuit_options options_;
  std::vector<end> ended_;
  std::vector<probe_event> probing_;
  size_t passed_ = 0;
  time_point until_;
  caf::timespan open_time_{0};
};

struct fixture {
  size_t below(size_t n) {
    return static_cast<size_t>(rng() % n);
  }

  circuit_options random_options() {
    // Products with these have no rounding.
    double shares[] = {0, 0.25, 0.5, 1};
    caf::timespan latencies[] = {0s, 500ms, 2s};
    caf::timespan impatience[] = {0s, 1s, 3s};
    circuit_options x;
    x.error_share = shares[below(4)];
    x.latency = latencies[below(3)];
    x.timeout_min = impatience[below(3)];
    x.requests_min = 1 + below(30);
    x.probes = 1 + below(5);
    x.open_time = std::chrono::milliseconds{100 + below(3000)};
    x.open_time_max = 5s;
    return x;
  }

  void run(uint64_t seed) {
    rng.seed(seed);
    auto options = random_options();
    circuit_breaker x{options};
    model y{options};
    std::vector<request> open;
    // Responders are well or ill for a while.
    size_t errors_percent = 0;
    for (int i = 0; i < 3000; ++i) {
      if (below(200) == 0)
        errors_percent = below(2) == 0 ? 1 : below(100);
      now += std::chrono::milliseconds{below(50) == 0 ? below(4000)
                                                      : below(60)};
      if (below(2) == 0) {
        auto wait = x.wait(now);
        REQUIRE_EQ(wait, y.wait(now));
        if (wait == 0s) {
          y.begin(now);
          request begun{x.begin(), y.era, now};
          // Some are never answered.
          if (below(10) != 0)
            open.push_back(begun);
        }
      } else if (!open.empty()) {
        auto k = below(open.size());
        auto done = open[k];
        open[k] = open.back();
        open.pop_back();
        auto end = below(20) == 0                ? request_verdict::none
                   : below(100) < errors_percent ? request_verdict::bad
                                                 : request_verdict::good;
        auto took = now - done.begin;
        x.finish(done.round, end, took, now);
        y.finish(done.era, end, took, now);
      }
      REQUIRE(x.state() == y.state);
      ++seen[static_cast<size_t>(y.state)];
    }
    given_up += y.given_up;
  }

  std::mt19937_64 rng;
  time_point now{1000h};
  size_t seen[3] = {};
  size_t given_up = 0;
};

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(it does as a list of all requests does) {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    MESSAGE("seed " << seed);
    run(seed);
  }
  // All of it has been tried.
  for (auto n : seen)
    CHECK(n > 100);
  CHECK(given_up > 100);
}

END_FIXTURE_SCOPE()
