// Tests what the load generator says of requests at a rate that are not
// answered when the measured time ends.

#include "selftest.hpp"

#include <atomic>
#include <chrono>
#include <csignal>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include <sys/wait.h>

#include "bench/bench.hpp"
#include "bench/echo_load.hpp"
#include "bench/endpoint.hpp"
#include "bench/worker.hpp"
#include "child.hpp"

using namespace callboard::cmd;
using namespace callboard::cmd::bench;
using namespace std::chrono_literals;

namespace {

/// Requests at a rate, and how many were made and answered by the end.
class watched_requests final : public load {
public:
  // The system has another one.
  using link = callboard::cmd::bench::link;

  explicit watched_requests(const bench_options& options)
    : requests_(options, options.connections) {
  }

  void start(worker& self) override {
    requests_.start(self);
  }

  void answered(worker& self, link& which, const frame_view& frame) override {
    requests_.answered(self, which, frame);
    if (self.counts.latency.count() > 0)
      is_measured = true;
  }

  int64_t tick(worker& self) override {
    return requests_.tick(self);
  }

  void measured(worker& self) override {
    answered_by_then = self.counts.delivered;
    requests_.measured(self);
    asked_by_then = self.counts.published;
    is_over = true;
  }

  void finish(worker& self) override {
    requests_.finish(self);
  }

  std::atomic<bool> is_measured{false};
  std::atomic<bool> is_over{false};
  /// Set when it is over.
  uint64_t answered_by_then = 0;
  uint64_t asked_by_then = 0;

private:
  paced_request_load requests_;
};

bool comes_true(const std::function<bool()>& what) {
  for (int i = 0; i < 20'000; ++i) {
    if (what())
      return true;
    std::this_thread::sleep_for(1ms);
  }
  return false;
}

/// Keeps a child from doing anything.
class standstill {
public:
  explicit standstill(const child& who) : pid_(who.pid()) {
    int status = 0;
    kill(pid_, SIGSTOP);
    check_that(waitpid(pid_, &status, WUNTRACED) == pid_ && WIFSTOPPED(status),
               "late: the server stands still");
  }

  standstill(const standstill&) = delete;

  ~standstill() {
    kill(pid_, SIGCONT);
  }

private:
  pid_t pid_;
};

/// A run of one worker, step by step.
struct late_run {
  late_run(const child& server, uint32_t window) {
    options.url = server.url("/ws");
    options.connections = 1;
    options.window = window;
    options.rate = 200;
    check_that(parse_url(options.url, state.target).empty()
                 && resolve(state.target).empty(),
               "late: there is a server");
    auto what = std::make_unique<watched_requests>(options);
    requests = what.get();
    self = std::make_unique<worker>(state, std::move(what),
                                    make_own_dialect(options), 1);
    thread = std::thread{[this] { self->run(); }};
  }

  late_run(const late_run&) = delete;

  ~late_run() {
    end();
  }

  void enter(run_phase phase) {
    state.phase = phase;
  }

  void end() {
    enter(run_phase::hang_up);
    if (thread.joinable())
      thread.join();
  }

  bench_options options;
  run_state state{options, {}, "bench/late"};
  watched_requests* requests = nullptr;
  std::unique_ptr<worker> self;
  std::thread thread;
};

/// Stops the server before the measured time ends, and goes on after it.
void hold_back(late_run& run, const child& server) {
  auto& self = *run.self;
  check_that(comes_true([&] { return self.ready_count() == 1; }),
             "late: it connects");
  run.enter(run_phase::warm_up);
  check_that(comes_true([&] { return self.delivered() > 0; }),
             "late: it is warm");
  run.enter(run_phase::measure);
  check_that(comes_true([&] { return run.requests->is_measured.load(); }),
             "late: it is measured");
  {
    standstill still{server};
    // Twenty are due, each of which has waited for up to that long.
    std::this_thread::sleep_for(100ms);
    run.enter(run_phase::drain);
    check_that(comes_true([&] { return run.requests->is_over.load(); }),
               "late: the measured time ends");
  }
  auto asked = run.requests->asked_by_then;
  check_that(comes_true([&] { return self.delivered() == asked; }),
             "late: all are answered at last");
  run.end();
}

void check_latencies(late_run& run) {
  auto& self = *run.self;
  auto late = self.counts.delivered - run.requests->answered_by_then;
  check_that(late > 0, "late: some are answered late");
  check_that(self.counts.latency.count() == self.window().delivered + late,
             "late: their latency counts");
  check_that(self.counts.latency.max() >= 50'000'000,
             "late: it is as long as they waited");
  check_that(self.counts.lost == 0 && self.counts.misordered == 0
               && self.counts.corrupt == 0,
             "late: nothing is lost");
}

void what_has_room_is_sent(const child& server) {
  late_run run{server, 4096};
  hold_back(run, server);
  check_latencies(run);
  check_that(run.self->counts.unsent == 0, "late: there is room for all");
}

void what_has_no_room_is_unsent(const child& server) {
  late_run run{server, 1};
  hold_back(run, server);
  check_latencies(run);
  // Two at most were sent: one may have had its answer on the way.
  check_that(run.self->counts.unsent >= 10, "late: there is room for one");
}

} // namespace

void test_late_answers(const child& server) {
  what_has_room_is_sent(server);
  what_has_no_room_is_unsent(server);
}
