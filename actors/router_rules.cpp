#include <callboard/actors/router.hpp>

#include <string_view>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <caf/telemetry/counter.hpp>
#include <caf/telemetry/gauge.hpp>

// How a router holds requests to its rules.

namespace callboard {

// -- rules that change --------------------------------------------------------

void router::reload(const rule_set_ptr& x) {
  guards_.set_rules(x->actions);
  for (auto& rule : guards_.rules())
    metrics_of(rule);
  auto under_way = !unrevised_.empty();
  unrevised_ = guards_.all();
  if (!under_way)
    go_on_reloading();
}

void router::go_on_reloading() {
  auto now = clock().now();
  auto left = names_a_step(guards_.rules().size());
  for (; left > 0 && !unrevised_.empty(); --left) {
    auto guard = unrevised_.back().lock();
    unrevised_.pop_back();
    if (guard != nullptr && guard->round() != guards_.round())
      revise(*guard, now);
  }
  if (!unrevised_.empty())
    delayed_anon_send(caf::actor_cast<router_actor>(this), rule_step_interval,
                      reload_atom_v);
}

void router::revise(action_guard& guard, caf::actor_clock::time_point now) {
  count_circuit(guard, -1);
  if (guards_.revise(guard, now))
    return count_circuit(guard, 1);
  ctx_.metrics.guarded_actions->dec();
  guards_.remove(guard);
}

const action_rule* router::rule_of(registration& x) {
  // The rules of another node are its own affair.
  if (x.who->node == nullptr && x.rules_round != guards_.round()) {
    x.rule = guards_.rule_of(x.action->first);
    x.rules_round = guards_.round();
  }
  return x.rule;
}

// -- rules --------------------------------------------------------------------

action_guard* router::guard_of(registration& x, std::string_view action,
                               caf::actor_clock::time_point now) {
  auto* rule = rule_of(x);
  if (rule == nullptr)
    return nullptr;
  if (auto* known = guards_.find(action)) {
    // It has the responder's rule: both go by what clients see of the name.
    if (known->round() != guards_.round())
      revise(*known, now);
    return known;
  }
  if (guards_.full()) {
    ctx_.metrics.guard_evictions->inc();
    forget_guard(*guards_.take_oldest());
  }
  auto& result = guards_.add(action, *rule, now);
  ctx_.metrics.guarded_actions->inc();
  // From now on a scrape finds them.
  metrics_of(*rule);
  return &result;
}

refusal router::check(action_guard& guard, caf::actor_clock::time_point now) {
  auto before = guard.state();
  auto result = guard.check(now, ctx_.load.token_price());
  note_circuit(guard, before);
  count_refusal(result.code);
  return result;
}

bool router::drops_notify(registration& x, std::string_view action) {
  if (rule_of(x) == nullptr)
    return false;
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

void router::count_circuit(const action_guard& guard, int64_t n) {
  if (auto* gauge = metrics_of(guard.rule()).of(guard.state()))
    gauge->inc(n);
}

void router::forget_guard(const action_guard& guard) {
  ctx_.metrics.guarded_actions->dec();
  count_circuit(guard, -1);
}

circuit_metrics& router::metrics_of(const action_rule& rule) {
  auto& result = circuits_[rule.pattern];
  if (rule.options.breaker && result.openings == nullptr)
    result = make_circuit_metrics(home_system().metrics(), rule.pattern);
  return result;
}

} // namespace callboard
