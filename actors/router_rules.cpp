#include <callboard/actors/router.hpp>

#include <string_view>
#include <utility>

#include <caf/actor_system.hpp>
#include <caf/telemetry/counter.hpp>
#include <caf/telemetry/gauge.hpp>

// How a router holds requests to its rules.

namespace callboard {

action_guard* router::guard_of(const registration& x, std::string_view action,
                               caf::actor_clock::time_point now) {
  if (x.rule == nullptr)
    return nullptr;
  if (auto* known = guards_.find(action))
    return known;
  if (guards_.full()) {
    ctx_.metrics.guard_evictions->inc();
    forget_circuit(*guards_.take_oldest());
  }
  auto& result = guards_.add(action, *x.rule, now);
  ctx_.metrics.guarded_actions->inc();
  // From now on a scrape finds them.
  metrics_of(*x.rule);
  return &result;
}

refusal router::check(action_guard& guard, caf::actor_clock::time_point now) {
  auto before = guard.state();
  auto result = guard.check(now, ctx_.load.token_price());
  note_circuit(guard, before);
  count_refusal(result.code);
  return result;
}

bool router::drops_notify(const registration& x, std::string_view action) {
  auto now = clock().now();
  auto* guard = guard_of(x, action, now);
  auto refused = guard->check_notify(now, ctx_.load.token_price());
  count_refusal(refused.code);
  return static_cast<bool>(refused);
}

void router::count_refusal(errc code) {
  if (code == errc::circuit_open)
    ctx_.metrics.requests_circuit_open->inc();
  else if (code == errc::rate_limited)
    ctx_.metrics.requests_rate_limited->inc();
}

void router::judge(const pending_request& x, const request_outcome& outcome,
                   caf::actor_clock::time_point now) {
  auto guard = x.guard.lock();
  if (guard == nullptr)
    return;
  auto before = guard->state();
  guard->finish(x.guard_round, outcome, now - x.begin, now);
  note_circuit(*guard, before);
}

void router::judge_cancelled(const pending_request& x) {
  // Changes no circuit's state.
  if (auto guard = x.guard.lock())
    guard->cancel(x.guard_round, clock().now());
}

void router::note_circuit(const action_guard& guard, circuit_state before) {
  auto state = guard.state();
  if (state == before)
    return;
  auto& metrics = metrics_of(guard.rule());
  if (auto* left = metrics.of(before))
    left->dec();
  if (auto* entered = metrics.of(state))
    entered->inc();
  if (state == circuit_state::open)
    metrics.openings->inc();
  if (ctx_.log_circuit)
    ctx_.log_circuit(guard.action(), *guard.breaker());
}

void router::forget_circuit(const action_guard& guard) {
  ctx_.metrics.guarded_actions->dec();
  if (auto* left = metrics_of(guard.rule()).of(guard.state()))
    left->dec();
}

circuit_metrics& router::metrics_of(const action_rule& rule) {
  auto i = static_cast<size_t>(&rule - guards_.rules().data());
  auto& result = circuits_[i];
  if (rule.options.breaker && result.openings == nullptr)
    result = make_circuit_metrics(home_system().metrics(), rule.pattern);
  return result;
}

} // namespace callboard
