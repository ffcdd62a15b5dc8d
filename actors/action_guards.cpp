#include <callboard/actors/action_guards.hpp>

#include <chrono>
#include <utility>

#include <callboard/actors/alarms.hpp>

namespace callboard {

namespace {

using std::chrono::milliseconds;

// Returns whether an outcome means that whoever serves the action could not
// answer. Errors of an application's own, and those about what was asked, are
// answers.
bool is_failure(const request_outcome& x) noexcept {
  return x.failed() && x.code < application_errc_min && x.temporary
         && x.code != wire_number(errc::rate_limited);
}

} // namespace

request_outcome to_outcome(const refusal& x) {
  auto result = request_outcome::failure(x.code);
  if (x.retry_after.count() > 0)
    // Rounded up: who comes then does not come too early.
    result.retry_after_ms = static_cast<uint64_t>(
      std::chrono::ceil<milliseconds>(x.retry_after).count());
  return result;
}

caf::error to_error(const refusal& x) {
  if (x.retry_after.count() == 0)
    return caf::make_error(x.code);
  // The context that the client library gives its errors, too.
  auto& known = info(x.code);
  return caf::make_error(x.code, known.number, std::string{known.name},
                         std::string{known.sentence}, known.temporary,
                         x.retry_after);
}

request_verdict verdict_of(const request_outcome& outcome, caf::timespan took,
                           caf::timespan timeout_min) noexcept {
  if (!is_failure(outcome))
    return request_verdict::good;
  if (outcome.code == wire_number(errc::timeout) && took < timeout_min)
    return request_verdict::none;
  return request_verdict::bad;
}

// -- action_guard -------------------------------------------------------------

action_guard::action_guard(std::string_view action,
                           std::shared_ptr<const action_rule> rule,
                           uint64_t round, time_point now)
  : action_{action} {
  assign(std::move(rule), round, now);
}

void action_guard::assign(std::shared_ptr<const action_rule> rule,
                          uint64_t round, time_point now) {
  rule_ = std::move(rule);
  round_ = round;
  auto& x = rule_->options;
  if (!x.rate.on())
    bucket_.reset();
  else if (bucket_)
    bucket_->change(x.rate, past_ms(now));
  else
    bucket_.emplace(x.rate, past_ms(now));
  if (!x.breaker)
    breaker_.reset();
  else if (breaker_)
    breaker_->change(x.circuit, now);
  else
    breaker_.emplace(x.circuit);
}

refusal action_guard::check(time_point now, int64_t price) {
  if (breaker_)
    if (auto wait = breaker_->wait(now); wait.count() > 0)
      return {errc::circuit_open, wait};
  return take_token(now, price);
}

refusal action_guard::check_notify(time_point now, int64_t price) {
  if (breaker_ && breaker_->blocks(now))
    return {errc::circuit_open};
  return take_token(now, price);
}

refusal action_guard::take_token(time_point now, int64_t price) {
  if (bucket_)
    if (auto wait_ms = bucket_->take(1, past_ms(now), price); wait_ms > 0)
      return {errc::rate_limited, milliseconds{wait_ms}};
  return {};
}

uint32_t action_guard::begin() noexcept {
  return breaker_ ? breaker_->begin() : 0;
}

void action_guard::finish(uint32_t round, const request_outcome& outcome,
                          caf::timespan took, time_point now) {
  if (!breaker_)
    return;
  auto verdict = verdict_of(outcome, took, rule_->options.circuit.timeout_min);
  breaker_->finish(round, verdict, took, now);
}

void action_guard::cancel(uint32_t round, time_point now) {
  if (breaker_)
    breaker_->finish(round, request_verdict::none, caf::timespan{0}, now);
}

// -- action_guards ------------------------------------------------------------

action_guards::action_guards(std::vector<action_rule> rules, size_t guards_max)
  : rules_{std::make_shared<const std::vector<action_rule>>(std::move(rules))},
    guards_max_{guards_max} {
}

void action_guards::set_rules(std::vector<action_rule> x) {
  rules_ = std::make_shared<const std::vector<action_rule>>(std::move(x));
  ++round_;
}

std::vector<std::weak_ptr<action_guard>> action_guards::all() const {
  std::vector<std::weak_ptr<action_guard>> result;
  result.reserve(size());
  for (auto& [action, guard] : by_action_)
    result.push_back(guard);
  return result;
}

bool action_guards::revise(action_guard& x, time_point now) {
  auto* rule = rule_of(x.action());
  if (rule == nullptr)
    return false;
  x.assign(share(*rule), round_, now);
  return true;
}

void action_guards::remove(action_guard& x) {
  by_use_.erase(x);
  by_action_.erase(by_action_.find(x.action()));
}

action_guard* action_guards::find(std::string_view action) {
  auto i = by_action_.find(action);
  if (i == by_action_.end())
    return nullptr;
  auto& result = *i->second;
  by_use_.erase(result);
  by_use_.push_front(result);
  return &result;
}

std::shared_ptr<action_guard> action_guards::take_oldest() {
  auto& oldest = *by_use_.last();
  by_use_.erase(oldest);
  auto node = by_action_.extract(oldest.action());
  return std::move(node.mapped());
}

action_guard& action_guards::add(std::string_view action,
                                 const action_rule& rule, time_point now) {
  auto guard = std::make_shared<action_guard>(action, share(rule), round_, now);
  by_use_.push_front(*guard);
  return *by_action_.emplace(std::string{action}, std::move(guard))
            .first->second;
}

} // namespace callboard
