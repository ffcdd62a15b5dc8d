#pragma once

#include <callboard/actors/circuit_breaker.hpp>

#include <chrono>
#include <optional>
#include <utility>

#include "support/test.hpp"

namespace callboard {

/// A circuit breaker whose time the test moves.
struct circuit_fixture {
  using state = circuit_state;
  using verdict = request_verdict;

  circuit_fixture() {
    options.requests_min = 4;
  }

  circuit_breaker& circuit() {
    if (!breaker)
      breaker.emplace(options);
    return *breaker;
  }

  void renew() {
    breaker.reset();
  }

  caf::timespan wait() {
    return circuit().wait(now);
  }

  /// Lets a request pass that does not end yet.
  uint32_t begin() {
    REQUIRE_EQ(wait(), caf::timespan{0});
    return circuit().begin();
  }

  void finish(uint32_t round, verdict x,
              caf::timespan took = std::chrono::milliseconds{1}) {
    circuit().finish(round, x, took, now);
  }

  /// Lets `n` requests pass and end at once.
  void end(size_t n, verdict x,
           caf::timespan took = std::chrono::milliseconds{1}) {
    for (size_t i = 0; i < n; ++i)
      finish(begin(), x, took);
  }

  /// Opens it, and waits until its time is over.
  void half_open() {
    end(4, verdict::bad);
    REQUIRE(circuit().state() == state::open);
    now += circuit().open_time();
  }

  bool is(state x) {
    return circuit().state() == x;
  }

  circuit_options options;
  std::optional<circuit_breaker> breaker;
  // A slice of every window begins here.
  circuit_breaker::time_point now{std::chrono::hours{1000}};
};

} // namespace callboard
