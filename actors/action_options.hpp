#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <caf/timespan.hpp>

#include <callboard/actors/token_bucket.hpp>

namespace callboard {

/// When a circuit breaker opens, and for how long.
struct circuit_options {
  /// It opens where this share of the window's requests, or more, has failed,
  /// 0 … 1; 0: failures alone do not open it.
  double error_share = 0.5;
  /// It opens where the 99th percentile of the window's durations is longer,
  /// 0 … 5 min; 0: durations do not open it.
  caf::timespan latency{0};
  /// How far it looks back, 1 s … 1 h.
  caf::timespan window = std::chrono::seconds{10};
  /// Requests in the window without which it does not open, 1 … 1,000,000.
  size_t requests_min = 20;
  /// How long it stays open at first, 0.1 s … 1 h. Each time that a probe is
  /// bad it is twice as long as the time before …
  caf::timespan open_time = std::chrono::seconds{5};
  /// … but not longer than this, 0.1 s … 24 h, or than `open_time`.
  caf::timespan open_time_max = std::chrono::minutes{1};
  /// Requests that are let through to see whether it may close, 1 … 100; all of
  /// them have to be good.
  size_t probes = 3;
  /// A request that times out before that counts as nothing, 0 … 5 min: its
  /// asker was impatient, which says nothing about the responder.
  caf::timespan timeout_min = std::chrono::seconds{1};

  friend bool operator==(const circuit_options&, const circuit_options&)
    = default;
};

/// What the requests for an action are held to.
struct action_options {
  /// Requests and notifies, over the node; each number is 0 … 1,000,000.
  rate_limit rate;
  /// Whether requests are kept from responders that fail.
  bool breaker = false;
  /// How, where they are.
  circuit_options circuit;

  friend bool operator==(const action_options&, const action_options&)
    = default;
};

/// The options of the actions that match a pattern or have its very name.
struct action_rule {
  std::string pattern;
  action_options options;

  friend bool operator==(const action_rule&, const action_rule&) = default;
};

/// Returns the first of the rules that matches what clients see of `action`, a
/// full name; null if none does.
const action_rule* rule_of(const std::vector<action_rule>& rules,
                           std::string_view action) noexcept;

} // namespace callboard
