#include <callboard/actors/action_guards.hpp>

#include <chrono>
#include <string>
#include <vector>

#include <callboard/actors/responder_error.hpp>

#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

const auto failed = request_outcome::failure(errc::responder_failed);
const auto answered = request_outcome::answer(payload{});

action_options with_breaker(size_t rate = 0) {
  action_options x;
  x.rate.per_second = rate;
  x.breaker = true;
  x.circuit.requests_min = 2;
  x.circuit.probes = 1;
  return x;
}

struct fixture {
  /// Makes the guards of a rule for every action.
  action_guards make(action_options x, size_t guards_max = 10) {
    return {{{"#", x}}, guards_max};
  }

  action_guard& add(action_guards& guards, const std::string& action) {
    return guards.add(action, guards.rules()[0], now);
  }

  std::string check(action_guard& x) {
    return to_string(x.check(now).code);
  }

  std::string check_notify(action_guard& x) {
    return to_string(x.check_notify(now).code);
  }

  void fail(action_guard& x, int n) {
    for (int i = 0; i < n; ++i)
      x.finish(x.begin(), failed, 1ms, now);
  }

  action_guard::time_point now{1000h};
};

request_verdict verdict(errc x, caf::timespan took = 10s) {
  return verdict_of(request_outcome::failure(x), took, 1s);
}

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

// -- rules --------------------------------------------------------------------

CAF_TEST(the first rule that matches counts) {
  std::vector<action_rule> rules{{"a/b", {}}, {"a/+", {}}, {"a/#", {}}};
  CHECK(rule_of(rules, "a/b") == &rules[0]);
  CHECK(rule_of(rules, "a/c") == &rules[1]);
  CHECK(rule_of(rules, "a/b/c") == &rules[2]);
  CHECK(rule_of(rules, "b") == nullptr);
  CHECK(rule_of({}, "a/b") == nullptr);
}

// -- verdicts -----------------------------------------------------------------

CAF_TEST(an answer and what is one are good) {
  CHECK(verdict_of(answered, 10s, 1s) == request_verdict::good);
  request_outcome own;
  own.temporary = true;
  for (uint16_t code : {1000, 65535}) {
    own.code = code;
    CHECK(verdict_of(own, 10s, 1s) == request_verdict::good);
  }
  for (auto x : {errc::bad_payload, errc::forbidden, errc::rate_limited})
    CHECK(verdict(x) == request_verdict::good);
}

CAF_TEST(what says that nobody could answer is bad) {
  for (auto x :
       {errc::responder_failed, errc::timeout, errc::internal, errc::overloaded,
        errc::shutting_down, errc::owner_down, errc::storage_unavailable,
        errc::no_responder, errc::circuit_open})
    CHECK(verdict(x) == request_verdict::bad);
}

CAF_TEST(a timeout says nothing if its asker was impatient) {
  CHECK(verdict(errc::timeout, 1s) == request_verdict::bad);
  CHECK(verdict(errc::timeout, 1s - 1ns) == request_verdict::none);
  CHECK(verdict(errc::responder_failed, 1ms) == request_verdict::bad);
}

// -- one guard ----------------------------------------------------------------

CAF_TEST(without a limit and a breaker everything passes) {
  auto guards = make({});
  auto& x = add(guards, "a");
  fail(x, 100);
  CHECK_EQ(check(x), "none");
  CHECK_EQ(check_notify(x), "none");
  CHECK(x.breaker() == nullptr);
  CHECK(x.state() == circuit_state::closed);
}

CAF_TEST(a rate without a burst lets the requests of a second pass at once) {
  auto guards = make({.rate = {2}});
  auto& x = add(guards, "a");
  CHECK_EQ(check(x), "none");
  CHECK_EQ(check_notify(x), "none");
  CHECK_EQ(check_notify(x), "rate_limited");
  auto refused = x.check(now);
  CHECK_EQ(to_string(refused.code), "rate_limited");
  CHECK_EQ(refused.retry_after, 500ms);
  now += 500ms;
  CHECK_EQ(check(x), "none");
  CHECK_EQ(check(x), "rate_limited");
}

CAF_TEST(a burst may be larger than the requests of a second) {
  auto guards = make({.rate = {1, 3}});
  auto& x = add(guards, "a");
  for (int i = 0; i < 3; ++i)
    CHECK_EQ(check(x), "none");
  CHECK_EQ(check(x), "rate_limited");
}

CAF_TEST(an open circuit takes no token) {
  auto options = with_breaker(1);
  options.circuit.open_time = 100ms;
  auto guards = make(options);
  auto& x = add(guards, "a");
  fail(x, 2);
  CHECK(x.state() == circuit_state::open);
  auto refused = x.check(now);
  CHECK_EQ(to_string(refused.code), "circuit_open");
  CHECK_EQ(refused.retry_after, 100ms);
  CHECK_EQ(check_notify(x), "circuit_open");
  now += 100ms;
  CHECK_EQ(check(x), "none");
  CHECK_EQ(check(x), "rate_limited");
}

CAF_TEST(a request that passed and was given to nobody is no probe) {
  auto guards = make(with_breaker());
  auto& x = add(guards, "a");
  fail(x, 2);
  now += 5s;
  CHECK_EQ(check(x), "none");
  CHECK_EQ(check(x), "none");
  x.begin();
  CHECK_EQ(check(x), "circuit_open");
}

CAF_TEST(a cancelled probe leaves its place) {
  auto guards = make(with_breaker());
  auto& x = add(guards, "a");
  fail(x, 2);
  now += 5s;
  CHECK_EQ(check(x), "none");
  auto round = x.begin();
  CHECK_EQ(check(x), "circuit_open");
  x.cancel(round, now);
  CHECK_EQ(check(x), "none");
  x.finish(x.begin(), answered, 1ms, now);
  CHECK(x.state() == circuit_state::closed);
}

CAF_TEST(notifies pass from the end of the open time on) {
  auto guards = make(with_breaker());
  auto& x = add(guards, "a");
  fail(x, 2);
  now += 5s - 1ns;
  CHECK_EQ(check_notify(x), "circuit_open");
  now += 1ns;
  CHECK_EQ(check_notify(x), "none");
  // They are no probes.
  CHECK(x.state() == circuit_state::open);
  CHECK_EQ(check(x), "none");
}

// -- all of them --------------------------------------------------------------

CAF_TEST(the one that was used longest ago gives way) {
  auto guards = make({.rate = {1}}, 3);
  for (auto* action : {"a", "b", "c"}) {
    CHECK(!guards.full());
    add(guards, action);
  }
  CHECK(guards.full());
  CHECK_EQ(guards.find("a")->action(), "a");
  CHECK_EQ(guards.take_oldest()->action(), "b");
  CHECK(!guards.full());
  CHECK(guards.find("b") == nullptr);
  CHECK_EQ(guards.take_oldest()->action(), "c");
  CHECK_EQ(guards.take_oldest()->action(), "a");
  CHECK_EQ(guards.size(), 0u);
}

CAF_TEST(a guard that has given way begins anew) {
  auto guards = make({.rate = {1}}, 1);
  auto& before = add(guards, "a");
  auto held = before.weak_from_this();
  CHECK_EQ(check(before), "none");
  CHECK_EQ(check(before), "rate_limited");
  guards.take_oldest();
  CHECK(held.expired());
  CHECK_EQ(check(add(guards, "a")), "none");
}

CAF_TEST(each action has its own) {
  auto guards = make({.rate = {1}});
  auto& x = add(guards, "a");
  auto& y = add(guards, "b");
  CHECK_EQ(check(x), "none");
  CHECK_EQ(check(x), "rate_limited");
  CHECK_EQ(check(y), "none");
}

// -- another round of rules ---------------------------------------------------

CAF_TEST(guards keep their rule until they are revised) {
  auto guards = make({.rate = {1}});
  auto& x = add(guards, "a");
  guards.set_rules({{"a", {.rate = {5}}}});
  CHECK_EQ(x.rule().pattern, "#");
  CHECK_LT(x.round(), guards.round());
  CHECK(guards.revise(x, now));
  CHECK_EQ(x.rule().pattern, "a");
  CHECK_EQ(x.round(), guards.round());
  CHECK(guards.find("a") == &x);
}

CAF_TEST(a guard without a rule is to be removed) {
  auto guards = make({.rate = {1}});
  auto& x = add(guards, "a");
  add(guards, "b");
  guards.set_rules({{"b", {}}});
  CHECK(!guards.revise(x, now));
  CHECK_EQ(guards.all().size(), 2u);
  guards.remove(x);
  CHECK(guards.find("a") == nullptr);
  CHECK_EQ(guards.size(), 1u);
  CHECK_EQ(guards.take_oldest()->action(), "b");
}

// -- what askers are told -----------------------------------------------------

CAF_TEST(a client is told to come not too early) {
  auto ms = [](caf::timespan x) {
    return to_outcome(refusal{errc::circuit_open, x}).retry_after_ms;
  };
  CHECK_EQ(ms(1ns), 1u);
  CHECK_EQ(ms(1ms), 1u);
  CHECK_EQ(ms(1ms + 1ns), 2u);
  CHECK_EQ(ms(5s), 5000u);
  auto x = to_outcome(refusal{errc::rate_limited, 1s});
  CHECK_EQ(x.code, wire_number(errc::rate_limited));
  CHECK_EQ(x.name, "rate_limited");
  CHECK(x.temporary);
  // Without a time it is the code's own.
  CHECK_EQ(to_outcome(refusal{errc::overloaded}).retry_after_ms, 1000u);
}

CAF_TEST(an embedded asker is told the same) {
  auto x = to_error(refusal{errc::circuit_open, 1500ms});
  CHECK(x == errc::circuit_open);
  CHECK_EQ(retry_after_of(x), 1500ms);
  auto y = to_error(refusal{errc::no_responder});
  CHECK_EQ(y, caf::error{errc::no_responder});
  CHECK_EQ(retry_after_of(y), 0s);
  CHECK_EQ(retry_after_of(caf::error{}), 0s);
  auto own = to_error(responder_error{1001, "busy", "Later.", true, 2s});
  CHECK_EQ(retry_after_of(own), 2s);
}

CAF_TEST(a price lowers the rate of an action) {
  auto guards = make({.rate = {10, 8}});
  auto& x = add(guards, "a");
  CHECK(!x.check(now, 4000));
  CHECK(!x.check_notify(now, 4000));
  auto refused = x.check(now, 4000);
  CHECK(refused.code == errc::rate_limited);
  CHECK(refused.retry_after == 400ms);
  CHECK(x.check_notify(now, 4000).code == errc::rate_limited);
}

END_FIXTURE_SCOPE()
