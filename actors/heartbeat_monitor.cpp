#include <callboard/actors/heartbeat_monitor.hpp>

#include <algorithm>
#include <bit>
#include <chrono>
#include <limits>
#include <utility>

#include <callboard/actors/in_ms.hpp>

namespace callboard {

namespace {

/// Returns the distance of the times at which a monitor looks. A power of two,
/// so that the wheel moves entries down no earlier than they are due.
int64_t make_step_ms(int64_t interval_ms) {
  auto steps = static_cast<uint64_t>(std::max<int64_t>(1, interval_ms / 128));
  return static_cast<int64_t>(std::bit_floor(steps));
}

} // namespace

heartbeat_monitor::heartbeat_monitor(caf::actor_config& cfg,
                                     caf::execution_unit* loop,
                                     loop_context& ctx)
  : super{cfg, loop},
    interval_ms_{in_ms(ctx.node.options.ping_interval)},
    timeout_ms_{in_ms(ctx.node.options.ping_timeout)},
    step_ms_{make_step_ms(interval_ms_)} {
}

const char* heartbeat_monitor::name() const {
  return "callboard.heartbeat-monitor";
}

heartbeat_monitor::behavior_type heartbeat_monitor::make_behavior() {
  return {
    [this](watch_atom, const heartbeat_ptr& x) { watch(x); },
    [this](unwatch_atom, const heartbeat_ptr& x) { unwatch(*x); },
    [this](expire_atom) { expire(); },
  };
}

void heartbeat_monitor::on_exit() {
  // The next monitor gives them places of its own.
  while (auto x = wheel_.pop_due(std::numeric_limits<int64_t>::max()))
    (*x)->place = heartbeat::none;
}

void heartbeat_monitor::watch(heartbeat_ptr x) {
  auto now = past_ms(clock().now());
  // It may be here already, with another end.
  unwatch(*x);
  // Being here is a sign of life.
  x->last_heard_ms = std::max(x->last_heard_ms, now);
  add(std::move(x), now, now + interval_ms_);
  arm(this, wheel_, alarms_, expire_atom_v);
}

void heartbeat_monitor::unwatch(heartbeat& x) {
  if (x.place != heartbeat::none)
    wheel_.cancel(std::exchange(x.place, heartbeat::none));
}

void heartbeat_monitor::expire() {
  auto now = past_ms(clock().now());
  alarms_.fired(now);
  while (auto x = wheel_.pop_due(now)) {
    (*x)->place = heartbeat::none;
    look_at(std::move(*x), now);
  }
  arm(this, wheel_, alarms_, expire_atom_v);
}

void heartbeat_monitor::look_at(heartbeat_ptr x, int64_t now_ms) {
  if (auto end = x->expires_ms(); end != 0 && end <= now_ms) {
    x->expired();
    return;
  }
  auto idle_ms = now_ms - x->last_heard_ms;
  if (idle_ms >= timeout_ms_) {
    x->timed_out();
    return;
  }
  auto due = x->last_heard_ms + interval_ms_;
  if (idle_ms >= interval_ms_) {
    x->ping();
    due = std::min(now_ms + interval_ms_, x->last_heard_ms + timeout_ms_);
  }
  add(std::move(x), now_ms, due);
}

void heartbeat_monitor::add(heartbeat_ptr x, int64_t now_ms, int64_t due_ms) {
  if (auto end = x->expires_ms(); end != 0)
    due_ms = std::min(due_ms, end);
  auto steps = (due_ms + step_ms_ - 1) / step_ms_;
  auto& place = x->place;
  place = wheel_.add(now_ms, steps * step_ms_, std::move(x));
}

} // namespace callboard
