#include "command.hpp"

#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "../token_argument.hpp"
#include "bench.hpp"

namespace callboard::cmd {

namespace {

using shared_options = std::shared_ptr<bench_options>;
using run_function = std::function<void(const bench_options&)>;

const std::map<std::string, double> second_units{
  {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}};

void add_time(CLI::App& to, const char* name, double& value, const char* text) {
  to.add_option(name, value, text)
    ->transform(
      CLI::AsNumberWithUnit(second_units, CLI::AsNumberWithUnit::UNIT_REQUIRED))
    ->type_name("TIME")
    ->default_str(std::to_string(static_cast<int>(value)) + "s");
}

void add_count(CLI::App& to, const char* name, uint32_t& value,
               const char* text, uint32_t low, uint32_t high) {
  to.add_option(name, value, text)
    ->check(CLI::Range(low, high))
    ->capture_default_str();
}

void add_payload(CLI::App& to, const shared_options& opts) {
  add_count(to, "-b,--payload", opts->payload_bytes, "bytes of each payload",
            16, 1'000'000);
}

void add_window(CLI::App& to, const shared_options& opts, const char* text) {
  add_count(to, "-w,--window", opts->window, text, 1, 4096);
}

/// Makes a subcommand with what all modes have in common.
CLI::App* add_mode(CLI::App& bench, const shared_options& opts, bench_mode mode,
                   const char* text, const run_function& run) {
  auto to = bench.add_subcommand(to_string(mode), text);
  to->add_option("url", opts->url, "the server, ws://HOST[:PORT][/PATH]")
    ->required();
  to->add_option("--token", opts->token,
                 "shown to the server to be let in; @FILE reads it from a "
                 "file (or set CALLBOARD_TOKEN)")
    ->type_name("TOKEN");
  auto is_idle = mode == bench_mode::idle;
  opts->mode = mode;
  if (is_idle)
    opts->warmup_s = 0;
  else
    add_time(*to, "--warm-up", opts->warmup_s,
             "time of load before anything is counted");
  add_time(*to, "-d,--duration", opts->duration_s,
           is_idle                        ? "time to hold the connections"
           : mode == bench_mode::comeback ? "time to measure, at most"
                                          : "time to measure");
  add_count(*to, "-t,--threads", opts->threads, "threads that make load", 1,
            256);
  to->add_option("--connect-rate", opts->connect_rate,
                 "new connections a second (0: as fast as they are taken)")
    ->check(CLI::Range(0.0, 1e6))
    ->capture_default_str();
  add_count(*to, "--silent", opts->silent,
            "TCP connections that are made when the measured time begins, and "
            "say nothing: when does the server cut them off?",
            0, 100'000);
  to->add_option("--server-pid", opts->server_pid,
                 "process on this machine whose CPU time and memory to report")
    ->check(CLI::PositiveNumber);
  add_count(*to, "--server-cores", opts->server_cores,
            "cores that the server can use (0: as its affinity says)", 0, 4096);
  to->add_flag("--json", opts->json, "print one JSON object, not a summary");
  to->add_flag("-q,--quiet", opts->quiet, "show no progress");
  to->callback([opts, run] {
    if (auto from_env = getenv("CALLBOARD_TOKEN");
        opts->token.empty() && from_env != nullptr)
      opts->token = from_env;
    opts->token = resolve_token(opts->token);
    run(*opts);
  });
  return to;
}

} // namespace

void add_bench_command(CLI::App& app, int& exit_code,
                       bench::dialect_factory make_dialect) {
  auto run = [&exit_code, make_dialect](const bench_options& opts) {
    exit_code = run_bench(opts, make_dialect);
  };
  auto bench = app.add_subcommand(
    "bench", "Make load on a server, and measure throughput and latency");
  bench->require_subcommand(1);
  bench->footer("Exit codes: 0 all went well; 1 the run failed, or something "
                "was lost,\nout of order, refused or cut off; 2 wrong usage.");
  auto fresh = [] { return std::make_shared<bench_options>(); };

  auto opts = fresh();
  opts->payload_bytes = 64;
  auto to = add_mode(*bench, opts, bench_mode::echo,
                     "Requests to callboard.echo, or a plain WebSocket echo",
                     run);
  add_count(*to, "-c,--connections", opts->connections, "connections", 1,
            1'000'000);
  add_window(*to, opts, "messages in flight on each connection");
  to->add_option("-r,--rate", opts->rate,
                 "requests a second of all connections together, as far as "
                 "their windows allow; latency counts from when each was due")
    ->check(CLI::Range(1e-3, 1e8));
  add_payload(*to, opts);
  to->add_option("--websocket-echo", opts->websocket_echo,
                 "path of a plain WebSocket echo to use in place of requests "
                 "(callboard serve --echo PATH)")
    ->type_name("PATH")
    ->excludes("--rate");

  opts = fresh();
  opts->connections = 1000;
  to = add_mode(*bench, opts, bench_mode::fanout,
                "One topic: few publish, many listen", run);
  add_count(*to, "-c,--subscribers", opts->connections, "subscribers", 1,
            1'000'000);
  add_count(*to, "-p,--publishers", opts->publishers, "publishers", 1, 1'000);
  add_window(*to, opts,
             "publications of each publisher that not all of eight sampled "
             "subscribers have seen");
  to->add_option("-r,--rate", opts->rate,
                 "publications a second of all publishers together, in place "
                 "of a window")
    ->check(CLI::Range(1e-3, 1e8))
    ->excludes("--window");
  add_count(*to, "--stalled", opts->stalled,
            "further subscribers that stop reading when the measured time "
            "begins: what do they cost the others?",
            0, 10'000);
  add_payload(*to, opts);

  opts = fresh();
  to = add_mode(*bench, opts, bench_mode::rooms,
                "Many small topics where everyone talks and listens", run);
  add_count(*to, "-r,--rooms", opts->rooms, "rooms", 1, 1'000'000);
  add_count(*to, "-m,--members", opts->members, "members of each room", 1,
            1'000);
  add_window(*to, opts, "a member's publications that it has not seen itself");
  add_payload(*to, opts);

  opts = fresh();
  opts->connections = 5000;
  opts->rate = 100;
  opts->duration_s = 120;
  to = add_mode(*bench, opts, bench_mode::comeback,
                "Many lose their connections and come back at once (the topics "
                "bench/# need a history)",
                run);
  add_count(*to, "-c,--subscribers", opts->connections,
            "subscribers that come back", 1, 1'000'000);
  add_count(*to, "--watchers", opts->watchers,
            "subscribers that stay, whose latency is measured", 1, 100'000);
  to->add_option("-r,--rate", opts->rate, "publications a second")
    ->check(CLI::Range(1e-3, 1e8))
    ->capture_default_str();
  add_time(*to, "--steady", opts->steady_s, "time in which everybody listens");
  add_time(*to, "--away", opts->away_s,
           "time from the loss of the connections to the come-back");
  add_payload(*to, opts);

  opts = fresh();
  opts->connections = 1000;
  to = add_mode(*bench, opts, bench_mode::idle,
                "Connections that only exist: the server's memory for each",
                run);
  add_count(*to, "-c,--connections", opts->connections, "connections", 1,
            1'000'000);
  add_count(*to, "--topics", opts->topics,
            "topics to spread one subscription of each connection over "
            "(0: no subscriptions)",
            0, 1'000'000);
}

} // namespace callboard::cmd
