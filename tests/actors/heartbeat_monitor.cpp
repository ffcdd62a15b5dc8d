#include <callboard/actors/heartbeat_monitor.hpp>

#include <vector>

#include <caf/send.hpp>

#include "actors/loop_fixture.hpp"
#include "support/test.hpp"

using namespace callboard;
using namespace std::chrono_literals;

namespace {

/// Writes down what the monitor does to it.
class fake_connection : public heartbeat {
public:
  void ping() override {
    pings.push_back(now());
  }

  void timed_out() override {
    ends.push_back(now());
  }

  int64_t expires_ms() const override {
    return end_ms;
  }

  void expired() override {
    expiries.push_back(now());
  }

  std::function<int64_t()> now;
  int64_t end_ms = 0;
  std::vector<int64_t> expiries;
  std::vector<int64_t> pings;
  std::vector<int64_t> ends;
};

using fake_ptr = caf::intrusive_ptr<fake_connection>;

struct fixture : loop_fixture {
  fixture() {
    start();
  }

  ~fixture() override {
    stop(monitor);
  }

  void start() {
    monitor = spawn_hosted<heartbeat_monitor>(sys, nullptr, ctx);
    begin_ms = now_ms();
  }

  void restart(caf::timespan interval, caf::timespan timeout) {
    stop(monitor);
    node.options.ping_interval = interval;
    node.options.ping_timeout = timeout;
    start();
  }

  fake_ptr watch() {
    auto x = caf::make_counted<fake_connection>();
    x->now = [this] { return now_ms() - begin_ms; };
    caf::anon_send(monitor, watch_atom_v, heartbeat_ptr{x});
    sched.run();
    return x;
  }

  void unwatch(const fake_ptr& x) {
    caf::anon_send(monitor, unwatch_atom_v, heartbeat_ptr{x});
    sched.run();
  }

  void hear(const fake_ptr& x) {
    x->last_heard_ms = now_ms();
  }

  heartbeat_actor monitor;
  int64_t begin_ms = 0;
};

std::vector<int64_t> times(std::initializer_list<int64_t> xs) {
  return xs;
}

} // namespace

BEGIN_FIXTURE_SCOPE(fixture)

CAF_TEST(silence is met with a ping each interval and an end) {
  restart(200ms, 600ms);
  auto x = watch();
  pass(199ms);
  CHECK_EQ(x->pings, times({}));
  pass(200ms);
  CHECK_EQ(x->pings, times({200}));
  pass(200ms);
  CHECK_EQ(x->pings, times({200, 400}));
  CHECK_EQ(x->ends, times({}));
  pass(1ms);
  CHECK_EQ(x->ends, times({600}));
  pass(10s);
  CHECK_EQ(x->pings.size(), 2u);
  CHECK_EQ(x->ends.size(), 1u);
}

CAF_TEST(the end comes after the timeout whatever the interval) {
  restart(200ms, 250ms);
  auto x = watch();
  pass(1s);
  CHECK_EQ(x->pings, times({200}));
  CHECK_EQ(x->ends, times({250}));
}

CAF_TEST(the last word is what counts) {
  restart(200ms, 600ms);
  auto x = watch();
  pass(599ms);
  hear(x);
  pass(599ms);
  CHECK_EQ(x->ends, times({}));
  pass(1ms);
  CHECK_EQ(x->ends, times({1199}));
}

CAF_TEST(the times are never early and at most a 128th of an interval late) {
  for (auto interval : {100ms, 1000ms, 30'000ms}) {
    restart(interval, 3 * interval);
    auto late_max = std::max<int64_t>(1, interval.count() / 128);
    for (int i = 0; i < 5; ++i) {
      auto x = watch();
      auto from = now_ms() - begin_ms;
      pass(4 * interval + 1ms * i);
      REQUIRE_EQ(x->pings.size(), 2u);
      REQUIRE_EQ(x->ends.size(), 1u);
      CHECK(x->pings[0] - from >= interval.count());
      CHECK(x->pings[0] - from <= interval.count() + late_max);
      CHECK(x->ends[0] - from >= 3 * interval.count());
      CHECK(x->ends[0] - from <= 3 * interval.count() + late_max);
    }
  }
}

CAF_TEST(whoever talks is not pinged) {
  restart(1s, 3s);
  auto x = watch();
  for (int i = 0; i < 20; ++i) {
    pass(999ms);
    hear(x);
  }
  CHECK_EQ(x->pings, times({}));
  CHECK_EQ(x->ends, times({}));
}

CAF_TEST(a pong starts the silence over) {
  restart(1s, 3s);
  auto x = watch();
  for (size_t i = 1; i <= 10; ++i) {
    pass(1010ms);
    CHECK_EQ(x->pings.size(), i);
    hear(x);
  }
  CHECK_EQ(x->ends, times({}));
}

CAF_TEST(a connection that is gone is let go at once) {
  restart(1s, 3s);
  auto x = watch();
  pass(1010ms);
  CHECK_EQ(x->pings.size(), 1u);
  auto y = watch();
  unwatch(x);
  CHECK_EQ(x->get_reference_count(), 1u);
  CHECK_EQ(x->place, heartbeat::none);
  // Once more, which is nothing to it.
  unwatch(x);
  pass(1010ms);
  CHECK_EQ(x->pings.size(), 1u);
  CHECK_EQ(y->pings.size(), 1u);
}

CAF_TEST(a connection that was given up can be taken back) {
  restart(1s, 3s);
  auto x = watch();
  pass(3010ms);
  CHECK_EQ(x->ends.size(), 1u);
  CHECK_EQ(x->place, heartbeat::none);
  unwatch(x);
  CHECK_EQ(x->get_reference_count(), 1u);
  CHECK_EQ(pending_timers(), 0u);
}

CAF_TEST(the next monitor knows nothing of the one before) {
  auto x = watch();
  auto y = watch();
  CHECK_NE(y->place, heartbeat::none);
  restart(1s, 3s);
  CHECK_EQ(x->place, heartbeat::none);
  CHECK_EQ(y->place, heartbeat::none);
  CHECK_EQ(y->get_reference_count(), 1u);
  auto z = watch();
  unwatch(y);
  pass(1010ms);
  CHECK_EQ(z->pings.size(), 1u);
}

CAF_TEST(no timer is under way while nobody is watched) {
  CHECK_EQ(pending_timers(), 0u);
  auto x = watch();
  CHECK(pending_timers() > 0);
}

CAF_TEST(many connections share a few timers) {
  restart(30s, 90s);
  std::vector<fake_ptr> all;
  for (int i = 0; i < 9900; ++i) {
    all.push_back(watch());
    pass(3ms);
  }
  CHECK(pending_timers() <= 4);
  // An interval has 234 steps of 128 ms.
  timers_fired = 0;
  pass(30'200ms);
  CHECK(timers_fired > 200);
  CHECK(timers_fired <= 250);
  for (auto& x : all)
    REQUIRE_EQ(x->pings.size(), 1u);
}

CAF_TEST(a monitor that stops lets its connections go) {
  auto x = watch();
  stop(monitor);
  CHECK_EQ(x->get_reference_count(), 1u);
}

// -- log-ins that run out -----------------------------------------------------

CAF_TEST(a log in that runs out is told at its time and once) {
  restart(200ms, 600ms);
  auto x = caf::make_counted<fake_connection>();
  x->now = [this] { return now_ms() - begin_ms; };
  x->end_ms = begin_ms + 150;
  caf::anon_send(monitor, watch_atom_v, heartbeat_ptr{x});
  sched.run();
  pass(149ms);
  CHECK_EQ(x->expiries, times({}));
  pass(1ms);
  CHECK_EQ(x->expiries, times({150}));
  pass(10s);
  CHECK_EQ(x->expiries.size(), 1u);
  CHECK_EQ(x->pings, times({}));
}

CAF_TEST(a log in that has run out is told at once) {
  auto x = caf::make_counted<fake_connection>();
  x->now = [this] { return now_ms() - begin_ms; };
  x->end_ms = 1;
  caf::anon_send(monitor, watch_atom_v, heartbeat_ptr{x});
  sched.run();
  pass(1ms);
  CHECK_EQ(x->expiries.size(), 1u);
}

CAF_TEST(another end counts from the next watch on) {
  restart(200ms, 600ms);
  auto x = watch();
  auto ends_at = [&](int64_t ms) {
    x->end_ms = begin_ms + ms;
    caf::anon_send(monitor, watch_atom_v, heartbeat_ptr{x});
    sched.run();
  };
  ends_at(50);
  ends_at(300);
  pass(100ms);
  CHECK_EQ(x->expiries, times({}));
  // It comes between two pings.
  pass(150ms);
  CHECK_EQ(x->pings, times({200}));
  pass(50ms);
  CHECK_EQ(x->expiries, times({300}));
  // It was in one place only.
  pass(10s);
  CHECK_EQ(x->pings.size(), 1u);
}

END_FIXTURE_SCOPE()
