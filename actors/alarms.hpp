#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include <caf/actor_clock.hpp>

namespace callboard {

/// Returns `x` in whole milliseconds, for asking what is due.
inline int64_t past_ms(caf::actor_clock::time_point x) noexcept {
  using namespace std::chrono;
  return floor<milliseconds>(x.time_since_epoch()).count();
}

/// Returns `x` in milliseconds, rounded up: what is due a while after that is
/// never found due too early.
inline int64_t coming_ms(caf::actor_clock::time_point x) noexcept {
  using namespace std::chrono;
  return ceil<milliseconds>(x.time_since_epoch()).count();
}

/// Knows which one-shot timers an actor has under way for its timing wheel, so
/// that it starts one only where none fires early enough. Each of them fires
/// before those that were started earlier; a wheel asks for round times, so
/// there are a few dozen at most.
class alarms {
public:
  /// Returns whether a timer must be started for `due_ms`, and takes it for
  /// started.
  bool arm(int64_t due_ms) {
    if (!under_way_.empty() && under_way_.back() <= due_ms)
      return false;
    under_way_.push_back(due_ms);
    return true;
  }

  /// Forgets the timers that have fired by now.
  void fired(int64_t now_ms) noexcept {
    while (!under_way_.empty() && under_way_.back() <= now_ms)
      under_way_.pop_back();
  }

private:
  std::vector<int64_t> under_way_;
};

/// Sends `expire_atom` to `self` when its wheel should be looked at next,
/// unless a timer does so already. To be called after adding to the wheel and
/// after popping from it.
template <class Actor, class Wheel, class Atom>
void arm(Actor* self, const Wheel& wheel, alarms& timers, Atom what) {
  auto due = wheel.next_due();
  if (!due || !timers.arm(*due))
    return;
  caf::actor_clock::time_point at{std::chrono::milliseconds{*due}};
  self->scheduled_send(self, at, what);
}

} // namespace callboard
