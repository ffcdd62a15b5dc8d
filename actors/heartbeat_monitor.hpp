#pragma once

#include <caf/typed_event_based_actor.hpp>

#include <callboard/actors/alarms.hpp>
#include <callboard/actors/handles.hpp>
#include <callboard/actors/hosted.hpp>
#include <callboard/actors/loop_context.hpp>
#include <callboard/actors/timing_wheel.hpp>

namespace callboard {

/// Pings the connections of a loop that have been silent for `ping_interval`,
/// again after each further one, and gives up those that were for
/// `ping_timeout`, or whose time runs out. A connection costs 24 bytes and is
/// looked at about once an interval, however much it talks; times are met to a
/// 128th of the interval.
///
/// Runs on the connections' thread. Sessions write `last_heard_ms` from the
/// loop's `steady_ms`, which counts as CAF's clock does.
class heartbeat_monitor : public hosted<heartbeat_actor::base> {
public:
  using super = hosted<heartbeat_actor::base>;

  /// @param loop the loop's execution unit; null under the test coordinator.
  heartbeat_monitor(caf::actor_config& cfg, caf::execution_unit* loop,
                    loop_context& ctx);

  const char* name() const override;

  behavior_type make_behavior() override;

  void on_exit() override;

private:
  void watch(heartbeat_ptr x);

  void unwatch(heartbeat& x);

  void expire();

  // Pings or gives up a connection, and comes back to it if there is reason to.
  void look_at(heartbeat_ptr x, int64_t now_ms);

  // Those that are due at about the same time are looked at together.
  // Not later than its time's end.
  void add(heartbeat_ptr x, int64_t now_ms, int64_t due_ms);

  int64_t interval_ms_;
  int64_t timeout_ms_;
  int64_t step_ms_;
  timing_wheel<heartbeat_ptr> wheel_;
  alarms alarms_;
};

} // namespace callboard
