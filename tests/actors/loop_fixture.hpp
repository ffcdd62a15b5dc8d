#pragma once

#include <callboard/actors/loop_context.hpp>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include "support/test.hpp"

namespace callboard {

/// Frames go nowhere.
class null_framing : public framing {
public:
  void append(wire_form, const frame_view&, byte_buffer&) override {
    // nop
  }
};

/// What a loop gives to its actors, on virtual time that starts at a whole
/// millisecond.
struct loop_fixture : test_coordinator_fixture<> {
  loop_fixture() : ctx{node, 0, wire, make_loop_metrics(sys.metrics(), 0)} {
    using namespace std::chrono;
    auto& now = sched.clock().current_time;
    now = ceil<milliseconds>(now);
  }

  /// Ends an actor, whose timers would keep the teardown from ending.
  template <class Handle>
  void stop(Handle& x) {
    caf::anon_send_exit(x, caf::exit_reason::kill);
    sched.run();
    x = nullptr;
  }

  int64_t now_ms() const {
    using namespace std::chrono;
    auto now = sched.clock().now();
    return floor<milliseconds>(now.time_since_epoch()).count();
  }

  /// Lets time pass from one timer to the next, so that each is followed by
  /// what its message leads to.
  void pass(caf::timespan x) {
    pass(x, [this] { sched.run(); });
  }

  /// The same, and calls `turn` for what the messages lead to.
  template <class F>
  void pass(caf::timespan x, F turn) {
    auto& clock = sched.clock();
    auto end = clock.now() + x;
    while (!clock.schedule.empty() && clock.schedule.begin()->first <= end) {
      auto next = std::max(clock.schedule.begin()->first, clock.now());
      timers_fired += clock.advance_time(next - clock.now());
      turn();
    }
    clock.advance_time(end - clock.now());
    turn();
  }

  /// Returns how many timers are under way.
  size_t pending_timers() const {
    return sched.clock().schedule.size();
  }

  null_framing wire;
  node_context node;
  loop_context ctx;
  size_t timers_fired = 0;
};

} // namespace callboard
