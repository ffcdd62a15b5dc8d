#include "session.hpp"

#include <algorithm>
#include <cstdio>
#include <random>

#include <sys/resource.h>
#include <unistd.h>

#include <callboard/net/descriptors.hpp>

#include "comeback_load.hpp"
#include "echo_load.hpp"
#include "report.hpp"
#include "topic_load.hpp"

namespace callboard::cmd::bench {

namespace {

using clock = std::chrono::steady_clock;

constexpr auto step = std::chrono::milliseconds{5};
constexpr auto stall_max = std::chrono::seconds{10};
constexpr auto drain_stall_max = std::chrono::seconds{3};
constexpr int reading_on_turns_max = 400;

double seconds_since(clock::time_point start) {
  return std::chrono::duration<double>(clock::now() - start).count();
}

double unix_seconds() {
  using std::chrono::system_clock;
  std::chrono::duration<double> result = system_clock::now().time_since_epoch();
  return result.count();
}

uint32_t links_of(const bench_options& opts) {
  if (opts.mode == bench_mode::rooms)
    return opts.rooms * opts.members;
  if (opts.mode == bench_mode::fanout)
    return opts.connections + opts.publishers + opts.stalled;
  if (opts.mode == bench_mode::comeback)
    return opts.watchers + opts.connections + 1;
  return opts.connections;
}

/// Returns how many deliveries one publication makes.
uint64_t receivers_of(const bench_options& opts) {
  return opts.mode == bench_mode::fanout  ? opts.connections
         : opts.mode == bench_mode::rooms ? opts.members
         : opts.mode == bench_mode::comeback
           ? uint64_t{opts.watchers} + opts.connections
           : 1;
}

/// Deals `count` things to the threads, as evenly as possible.
uint32_t share_of(uint32_t count, uint32_t threads, uint32_t thread) {
  return count / threads + (thread < count % threads ? 1 : 0);
}

std::string open_files_for(uint64_t links) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  constexpr uint64_t others = 32;
  if (links + others <= limit.rlim_cur) {
    net::reserve_descriptors(links + others);
    return {};
  }
  return "the run needs " + std::to_string(links + others)
         + " open files, and this process may have "
         + std::to_string(limit.rlim_cur) + ": raise the limit (ulimit -Hn)";
}

std::string fresh_topic() {
  std::random_device random;
  char text[32];
  snprintf(text, sizeof(text), "bench/%08x", static_cast<unsigned>(random()));
  return text;
}

} // namespace

session::session(const bench_options& opts, dialect_factory make_dialect)
  : opts_(opts),
    make_dialect_(make_dialect),
    server_(opts.server_pid),
    show_(!opts.quiet && isatty(STDERR_FILENO)),
    state_{opts, {}, fresh_topic()},
    shown_(clock::now()) {
}

session::~session() {
  end();
}

bench_result session::run() {
  auto& failure = result_.failure;
  failure = make_dialect_(opts_)->refuses(opts_);
  if (failure.empty())
    failure = parse_url(opts_.url, state_.target);
  if (failure.empty() && opts_.server_pid != 0 && !server_.exists())
    failure = "there is no process " + std::to_string(opts_.server_pid);
  if (failure.empty())
    failure = open_files_for(uint64_t{links_of(opts_)} + opts_.silent);
  if (failure.empty())
    failure = resolve(state_.target);
  if (!failure.empty())
    return result_;
  result_.server_bytes_before = server_.resident_bytes();
  make_workers();
  if (connect() && hold(run_phase::warm_up, opts_.warmup_s, "warming up")) {
    auto cpu_ns = server_.cpu_ns();
    if (hold(run_phase::measure, opts_.duration_s, "measuring")) {
      result_.measured_until_s = unix_seconds();
      result_.server_cpu_ns = server_.cpu_ns() - cpu_ns;
      result_.server_bytes_after = server_.resident_bytes();
      result_.server_cores = opts_.server_cores > 0 ? opts_.server_cores
                                                    : server_.cores();
      drain();
    }
  }
  end();
  collect();
  return result_;
}

void session::make_workers() {
  auto published = std::make_shared<publisher_counts>(
    opts_.mode == bench_mode::fanout ? opts_.publishers : 0);
  auto comeback = std::make_shared<comeback_state>(opts_.connections);
  uint32_t first = 0;
  for (uint32_t i = 0; i < opts_.threads; ++i) {
    auto is_rooms = opts_.mode == bench_mode::rooms;
    auto mine = share_of(is_rooms ? opts_.rooms : opts_.connections,
                         opts_.threads, i);
    auto links = mine;
    std::unique_ptr<load> what;
    if (is_rooms) {
      what = std::make_unique<rooms_load>(opts_, first, mine);
      links = mine * opts_.members;
    } else if (opts_.mode == bench_mode::fanout) {
      auto publishers = i == 0 ? opts_.publishers : 0;
      what = std::make_unique<fanout_load>(mine, publishers, published);
      links += publishers + share_of(opts_.stalled, opts_.threads, i);
    } else if (opts_.mode == bench_mode::comeback) {
      auto watchers = i == 0 ? opts_.watchers : 0;
      what = std::make_unique<comeback_load>(opts_, watchers, mine, comeback);
      links += i == 0 ? watchers + 1 : 0;
    } else if (opts_.mode == bench_mode::idle) {
      what = std::make_unique<idle_load>(first);
    } else {
      what = make_echo_load(opts_, links);
    }
    add_worker(std::move(what), links);
    first += mine;
  }
  for (auto& each : workers_)
    threads_.emplace_back([self = each.get()] { self->run(); });
}

void session::add_worker(std::unique_ptr<load> what, uint32_t links) {
  auto number = static_cast<uint32_t>(workers_.size());
  workers_.push_back(std::make_unique<worker>(state_, std::move(what),
                                              make_dialect_(opts_), links));
  workers_.back()->add_silent(share_of(opts_.silent, opts_.threads, number));
}

bool session::connect() {
  auto start = clock::now();
  auto moved = start;
  auto all = links_of(opts_);
  for (uint64_t ready = 0; ready < all;) {
    std::this_thread::sleep_for(step);
    if (failed())
      return false;
    auto now_ready = sum(&worker::ready_count);
    if (now_ready != ready)
      moved = clock::now();
    ready = now_ready;
    if (clock::now() - moved > stall_max) {
      result_.failure = "only " + std::to_string(ready) + " of "
                        + std::to_string(all)
                        + " connections were ready when nothing more happened "
                          "for 10 s";
      return false;
    }
    progress("connecting " + std::to_string(ready) + " of "
             + std::to_string(all));
  }
  result_.connections = all;
  result_.connect_s = seconds_since(start);
  return true;
}

bool session::enter(run_phase phase) {
  state_.phase.store(phase, std::memory_order_release);
  auto start = clock::now();
  // On a machine that is busy, a thread may come late; one that skipped a step
  // would have done, or counted, less.
  while (!std::all_of(workers_.begin(), workers_.end(),
                      [&](auto& each) { return each->phase() == phase; })) {
    std::this_thread::sleep_for(step);
    if (failed())
      return false;
    if (clock::now() - start > stall_max) {
      result_.failure = "a thread of the load generator did not run for 10 s";
      return false;
    }
  }
  return true;
}

bool session::hold(run_phase phase, double seconds, const char* name) {
  if (!enter(phase))
    return false;
  auto start = clock::now();
  auto moved = start;
  auto delivered = sum(&worker::delivered);
  for (;;) {
    auto elapsed = seconds_since(start);
    if (elapsed >= seconds || state_.measured.load(std::memory_order_acquire))
      return true;
    std::this_thread::sleep_for(std::min<std::chrono::duration<double>>(
      step, std::chrono::duration<double>{seconds - elapsed}));
    if (failed())
      return false;
    auto now_delivered = sum(&worker::delivered);
    if (now_delivered != delivered || opts_.mode == bench_mode::idle
        || opts_.rate > 0)
      moved = clock::now();
    delivered = now_delivered;
    if (clock::now() - moved > stall_max) {
      result_.failure = "nothing was delivered for 10 s";
      return false;
    }
    char text[64];
    snprintf(text, sizeof(text), "%s %.1f of %.1f s", name, elapsed, seconds);
    progress(text);
  }
}

void session::drain() {
  if (!enter(run_phase::drain))
    return;
  auto moved = clock::now();
  uint64_t settled = 0;
  for (int turn = 0; clock::now() - moved < drain_stall_max; ++turn) {
    std::this_thread::sleep_for(step);
    // What was refused does not come any more.
    auto now_settled = sum(&worker::delivered) + sum(&worker::errors);
    if (now_settled != settled)
      moved = clock::now();
    settled = now_settled;
    auto due = sum(&worker::published) * receivers_of(opts_);
    // Those that read on have something to read first.
    auto reading = turn < reading_on_turns_max
                   && sum(&worker::stalled_ended) < opts_.stalled;
    if (failed() || (settled >= due && !reading))
      return;
    progress("draining");
  }
}

void session::end() {
  state_.phase.store(run_phase::hang_up, std::memory_order_release);
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
  if (show_)
    fputs("\r\x1b[K", stderr);
  show_ = false;
}

void session::collect() {
  auto& counts = result_.counts;
  auto& window = result_.window;
  for (auto& each : workers_) {
    auto& theirs = each->counts;
    if (result_.failure.empty())
      result_.failure = each->failure();
    counts.published += theirs.published;
    counts.delivered += theirs.delivered;
    counts.received_bytes += theirs.received_bytes;
    counts.lost += theirs.lost;
    counts.unsent += theirs.unsent;
    counts.misordered += theirs.misordered;
    counts.corrupt += theirs.corrupt;
    counts.errors += theirs.errors;
    for (auto& [code, count] : theirs.errors_by_code)
      counts.errors_by_code[code] += count;
    counts.closed += theirs.closed;
    counts.note(theirs.trouble);
    counts.latency.merge(theirs.latency);
    counts.steady_latency.merge(theirs.steady_latency);
    counts.returned += theirs.returned;
    counts.silent += theirs.silent;
    counts.silent_cut.merge(theirs.silent_cut);
    counts.stalled_ended += theirs.stalled_ended;
    if (counts.stalled_end.empty())
      counts.stalled_end = theirs.stalled_end;
    counts.comeback_ns = std::max(counts.comeback_ns, theirs.comeback_ns);
    auto& span = each->window();
    window.elapsed_ns = std::max(window.elapsed_ns, span.elapsed_ns);
    window.cpu_ns += span.cpu_ns;
    window.published += span.published;
    window.delivered += span.delivered;
    window.received_bytes += span.received_bytes;
  }
}

bool session::failed() const {
  return std::any_of(workers_.begin(), workers_.end(),
                     [](auto& each) { return each->failed(); });
}

uint64_t session::sum(uint64_t (worker::*get)() const) const {
  uint64_t result = 0;
  for (auto& each : workers_)
    result += (each.get()->*get)();
  return result;
}

void session::progress(const std::string& text) {
  auto elapsed = seconds_since(shown_);
  if (!show_ || elapsed < 0.25)
    return;
  auto delivered = sum(&worker::delivered);
  auto rate = static_cast<double>(delivered - shown_delivered_) / elapsed;
  shown_ = clock::now();
  shown_delivered_ = delivered;
  fprintf(stderr, "\r\x1b[K%s: %s", to_string(opts_.mode), text.c_str());
  if (rate > 0)
    fprintf(stderr, ", %s/s", scaled(rate).c_str());
  fflush(stderr);
}

} // namespace callboard::cmd::bench
