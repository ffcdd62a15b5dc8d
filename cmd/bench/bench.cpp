#include "bench.hpp"

#include <cstdio>

#include "endpoint.hpp"
#include "report.hpp"
#include "session.hpp"

namespace callboard::cmd {

namespace {

constexpr uint64_t ledger_cells_max = 256u << 20;

} // namespace

const char* to_string(bench_mode mode) {
  switch (mode) {
    case bench_mode::echo:
      return "echo";
    case bench_mode::fanout:
      return "fanout";
    case bench_mode::rooms:
      return "rooms";
    case bench_mode::comeback:
      return "comeback";
    case bench_mode::idle:
      return "idle";
  }
  return "unknown";
}

double bench_result::rate() const {
  return window.elapsed_ns <= 0 ? 0.0
                                : static_cast<double>(window.delivered) * 1e9
                                    / static_cast<double>(window.elapsed_ns);
}

double bench_result::load_use(const bench_options& options) const {
  return window.elapsed_ns <= 0
           ? 0.0
           : static_cast<double>(window.cpu_ns)
               / static_cast<double>(window.elapsed_ns) / options.threads;
}

double bench_result::server_use() const {
  return window.elapsed_ns <= 0 || server_cores == 0
           ? 0.0
           : static_cast<double>(server_cpu_ns)
               / static_cast<double>(window.elapsed_ns) / server_cores;
}

bool bench_result::limited_by_load(const bench_options& options) const {
  constexpr auto full = 0.95;
  return load_use(options) > full && server_use() < full;
}

std::string check(const bench_options& opts) {
  bench::endpoint ignored;
  if (auto problem = bench::parse_url(opts.url, ignored); !problem.empty())
    return problem;
  auto within = [](auto value, auto low, auto high) {
    return value >= low && value <= high;
  };
  if (!within(opts.payload_bytes, 16u, 1'000'000u))
    return "--payload is 16 to 1000000 bytes";
  if (!within(opts.window, 1u, 4096u))
    return "--window is 1 to 4096";
  if (!within(opts.threads, 1u, 256u))
    return "--threads is 1 to 256";
  if (!within(opts.duration_s, 0.01, 86'400.0)
      || !within(opts.warmup_s, 0.0, 3'600.0))
    return "--duration is 10 ms to a day, and --warm-up at most an hour";
  if (!within(opts.rate, 0.0, 1e8) || !within(opts.connect_rate, 0.0, 1e6))
    return "--rate is at most 10^8 and --connect-rate at most 10^6 a second";
  if (!opts.websocket_echo.empty() && opts.websocket_echo[0] != '/')
    return "--websocket-echo is a path that begins with /";
  if (!opts.websocket_echo.empty() && opts.rate > 0)
    return "--rate is for requests, not for --websocket-echo";
  if (opts.silent > 100'000 || opts.stalled > 10'000)
    return "there are at most 100000 --silent and 10000 --stalled connections";
  if (opts.stalled > 0 && opts.mode != bench_mode::fanout)
    return "only 'fanout' has connections that are --stalled";
  if (!within(opts.connections, 1u, 1'000'000u)
      || !within(opts.publishers, 1u, 1'000u))
    return "there are 1 to 1000000 connections and 1 to 1000 publishers";
  if (!within(opts.rooms, 1u, 1'000'000u) || !within(opts.members, 1u, 1'000u))
    return "there are 1 to 1000000 rooms of 1 to 1000 members";
  if (!within(opts.watchers, 1u, 100'000u)
      || !within(opts.steady_s, 0.01, 3'600.0)
      || !within(opts.away_s, 0.0, 3'600.0))
    return "there are 1 to 100000 watchers, and --steady and --away are at "
           "most an hour";
  if (opts.mode == bench_mode::comeback && opts.rate < 1e-3)
    return "--rate is at least one publication in 1000 s";
  auto groups = opts.mode == bench_mode::rooms ? opts.rooms : opts.connections;
  if (opts.threads > groups)
    return "there is not a room or connection for each of the --threads";
  auto cells = opts.mode == bench_mode::rooms
                 ? uint64_t{opts.rooms} * opts.members * opts.members
               : opts.mode == bench_mode::fanout
                 ? uint64_t{opts.connections} * opts.publishers
                 : uint64_t{opts.connections} * opts.window;
  if (cells > ledger_cells_max)
    return "watching every pair of sender and receiver would take over 1 GiB";
  return {};
}

bench_result measure(const bench_options& options,
                     bench::dialect_factory make_dialect) {
  bench_result result;
  result.failure = check(options);
  if (!result.failure.empty())
    return result;
  return bench::session{options, make_dialect}.run();
}

int run_bench(const bench_options& options,
              bench::dialect_factory make_dialect) {
  if (auto problem = check(options); !problem.empty()) {
    fprintf(stderr, "callboard bench: %s\n", problem.c_str());
    return 2;
  }
  auto result = measure(options, make_dialect);
  if (options.json)
    printf("%s\n", bench::to_json(options, result).c_str());
  else
    fputs(bench::summary(options, result).c_str(), stdout);
  if (!result.failure.empty())
    fprintf(stderr, "callboard bench: %s\n", result.failure.c_str());
  return result.clean() ? 0 : 1;
}

} // namespace callboard::cmd
