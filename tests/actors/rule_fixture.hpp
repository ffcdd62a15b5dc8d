#pragma once

#include <callboard/actors/router.hpp>

#include <cstdint>
#include <string>
#include <string_view>

#include "actors/router_fixture.hpp"

namespace callboard {

/// A router whose actions have a rule.
struct rule_fixture : router_fixture {
  /// Starts the router with one rule.
  void hold(const std::string& pattern, action_options x) {
    node.options.action_rules = {{pattern, x}};
    restart();
  }

  /// A breaker that opens at 2 of 4 for 5 s, and closes after 2 probes.
  static action_options breaker() {
    action_options x;
    x.breaker = true;
    x.circuit.requests_min = 4;
    x.circuit.probes = 2;
    return x;
  }

  void fail(const fake_client& from, errc x = errc::responder_failed) {
    REQUIRE(!from->served.empty());
    say(from, resolve_atom_v, from->served.back().first,
        request_outcome::failure(x));
  }

  /// Opens the circuit of an action that `responder` alone serves.
  void open_circuit(const fake_client& asker, const fake_client& responder,
                    const std::string& action) {
    for (int i = 0; i < 4; ++i) {
      ask(asker, action, 1);
      fail(responder);
    }
    answers(asker);
  }

  /// Asks, and returns the answer that comes at once with its time to wait.
  std::string ask_and_wait(const fake_client& from, const std::string& action) {
    ask(from, action, 1);
    if (from->answers.empty())
      return "";
    auto& outcome = from->answers.back().second;
    auto result = outcome.name;
    if (outcome.retry_after_ms > 0)
      result += ' ' + std::to_string(outcome.retry_after_ms);
    from->answers.clear();
    return result;
  }

  int64_t circuits(circuit_state x, std::string_view pattern = "#") {
    return make_circuit_metrics(sys.metrics(), pattern).of(x)->value();
  }

  int64_t openings(std::string_view pattern = "#") {
    return make_circuit_metrics(sys.metrics(), pattern).openings->value();
  }

  int64_t guarded() const {
    return ctx.metrics.guarded_actions->value();
  }

  int64_t evictions() const {
    return ctx.metrics.guard_evictions->value();
  }

  int64_t kept_by_circuits() const {
    return ctx.metrics.requests_circuit_open->value();
  }

  int64_t kept_by_rates() const {
    return ctx.metrics.requests_rate_limited->value();
  }
};

} // namespace callboard
