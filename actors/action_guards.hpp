#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <caf/actor_clock.hpp>
#include <caf/error.hpp>
#include <caf/timespan.hpp>

#include <callboard/actors/action_options.hpp>
#include <callboard/actors/circuit_breaker.hpp>
#include <callboard/actors/linked_list.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/actors/string_hash.hpp>
#include <callboard/actors/token_bucket.hpp>
#include <callboard/messages/errc.hpp>

namespace callboard {

/// Why a request goes to no responder, and when it may be worth trying again.
struct refusal {
  /// none: it goes to one.
  errc code = errc::none;
  /// Zero: what the code says by itself.
  caf::timespan retry_after{0};

  explicit operator bool() const noexcept {
    return code != errc::none;
  }
};

/// Returns what a client is told of a request that was refused.
request_outcome to_outcome(const refusal& x);

/// Returns what an embedded asker is told; `retry_after_of` reads its time.
caf::error to_error(const refusal& x);

/// Holds the requests for one action to its rule.
class action_guard : public std::enable_shared_from_this<action_guard> {
public:
  using time_point = caf::actor_clock::time_point;

  /// @param round see `action_guards::round`.
  action_guard(std::string_view action, std::shared_ptr<const action_rule> rule,
               uint64_t round, time_point now);

  [[nodiscard]] const std::string& action() const noexcept {
    return action_;
  }

  [[nodiscard]] const action_rule& rule() const noexcept {
    return *rule_;
  }

  /// Returns the round of rules that its own is of.
  [[nodiscard]] uint64_t round() const noexcept {
    return round_;
  }

  /// Goes by another rule from now on. What it has counted towards a rate, and
  /// the state of its breaker, stay where the rule has one, too.
  void assign(std::shared_ptr<const action_rule> rule, uint64_t round,
              time_point now);

  /// Returns its breaker; null where the rule has none.
  [[nodiscard]] const circuit_breaker* breaker() const noexcept {
    return breaker_ ? &*breaker_ : nullptr;
  }

  /// Returns the state of its breaker; closed where the rule has none.
  [[nodiscard]] circuit_state state() const noexcept {
    return breaker_ ? breaker_->state() : circuit_state::closed;
  }

  /// Decides about a request, and counts it where it may pass: `circuit_open`,
  /// `rate_limited` or none.
  /// @param price of a token, as in `token_bucket`.
  refusal check(time_point now, int64_t price = token_price_full);

  /// The same for a notify, of which nobody knows how it ends: it passes as
  /// soon as a request would be let through to see how that goes.
  refusal check_notify(time_point now, int64_t price = token_price_full);

  /// Says that the request that has just passed is given to a responder.
  /// @returns what `finish` wants to know.
  uint32_t begin() noexcept;

  /// Counts how it has ended.
  /// @param took the time from its beginning.
  void finish(uint32_t round, const request_outcome& outcome,
              caf::timespan took, time_point now);

  /// Counts that nobody waits for its answer any more.
  void cancel(uint32_t round, time_point now);

  /// Where it stands among the guards, by the last use.
  list_links<action_guard> by_use;

private:
  refusal take_token(time_point now, int64_t price);

  std::string action_;
  std::shared_ptr<const action_rule> rule_;
  uint64_t round_ = 0;
  std::optional<token_bucket> bucket_;
  std::optional<circuit_breaker> breaker_;
};

/// Returns what the end of a request says about its responder.
/// @param took the time from its beginning.
/// @param timeout_min as in `circuit_options`.
request_verdict verdict_of(const request_outcome& outcome, caf::timespan took,
                           caf::timespan timeout_min) noexcept;

/// The guards of a router shard's actions: as many as have been asked for under
/// a rule, up to a bound. Rules that change are another round of them. What a
/// guard goes by lasts as long as the guard.
class action_guards {
public:
  using time_point = action_guard::time_point;

  /// @param guards_max how many there may be, from 1.
  action_guards(std::vector<action_rule> rules, size_t guards_max);

  action_guards(const action_guards&) = delete;

  action_guards& operator=(const action_guards&) = delete;

  [[nodiscard]] const std::vector<action_rule>& rules() const noexcept {
    return *rules_;
  }

  /// Returns the number of the rules' round; from 1.
  [[nodiscard]] uint64_t round() const noexcept {
    return round_;
  }

  /// Begins another round. Guards that are there keep their rules: `revise` is
  /// to be called for each of them.
  void set_rules(std::vector<action_rule> x);

  /// Returns the rule of `action`, which lives as long as the round; or null.
  [[nodiscard]] const action_rule* rule_of(std::string_view action) const {
    return callboard::rule_of(*rules_, action);
  }

  /// Returns all guards, in any order. One that is gone has expired.
  [[nodiscard]] std::vector<std::weak_ptr<action_guard>> all() const;

  /// Lets a guard of this go by its rule of this round.
  /// @returns false if there is none: the guard is to be removed.
  bool revise(action_guard& x, time_point now);

  /// Takes a guard of this out.
  void remove(action_guard& x);

  /// Returns the guard of `action`, as the one used last; null if there is
  /// none.
  action_guard* find(std::string_view action);

  /// Returns whether there are as many as may be.
  [[nodiscard]] bool full() const noexcept {
    return size() >= guards_max_;
  }

  /// Takes out the one that was used longest ago. How the requests end that are
  /// in flight under it is not counted.
  /// @pre there is one.
  std::shared_ptr<action_guard> take_oldest();

  /// Adds a guard, as the one used last.
  /// @param rule one of `rules()`.
  /// @pre `action` has none, and `!full()`.
  action_guard& add(std::string_view action, const action_rule& rule,
                    time_point now);

  [[nodiscard]] size_t size() const noexcept {
    return by_action_.size();
  }

private:
  [[nodiscard]] std::shared_ptr<const action_rule>
  share(const action_rule& x) const {
    return {rules_, &x};
  }

  std::shared_ptr<const std::vector<action_rule>> rules_;
  uint64_t round_ = 1;
  size_t guards_max_;
  std::unordered_map<std::string, std::shared_ptr<action_guard>, string_hash,
                     std::equal_to<>>
    by_action_;
  // The one used last is the first.
  linked_list<action_guard, &action_guard::by_use> by_use_;
};

} // namespace callboard
