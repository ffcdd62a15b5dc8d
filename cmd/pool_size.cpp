#include "commands.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <thread>

#include <callboard/net/client_pool_sizing.hpp>

#include "connection.hpp"

namespace callboard::cmd {

namespace {

struct pool_size_options {
  net::pool_load load;
  double service_p99_s = 0;
  double service_mean_s = 0;
  bool json = false;
};

const std::map<std::string, double> pool_time_units{
  {"ms", 0.001}, {"s", 1}, {"m", 60}, {"h", 3600}};

CLI::Option* add_pool_time(CLI::App& to, const char* name, double& value,
                           const char* help) {
  return to.add_option(name, value, help)
    ->transform(CLI::AsNumberWithUnit(pool_time_units,
                                      CLI::AsNumberWithUnit::UNIT_REQUIRED))
    ->take_last()
    ->type_name("TIME");
}

CLI::Option* add_pool_bound(CLI::App& to, const char* name, size_t& value,
                            const char* help) {
  return to.add_option(name, value, help)
    ->check(CLI::Range(size_t{1}, net::pool_size_max))
    ->take_last()
    ->capture_default_str();
}

std::string ms_words(double seconds) {
  char text[64];
  snprintf(text, sizeof(text), "%.3g ms", seconds * 1000);
  return std::isfinite(seconds) ? text : "without end";
}

std::string json_ms(double seconds) {
  char text[64];
  snprintf(text, sizeof(text), "%.9g", seconds * 1000);
  return std::isfinite(seconds) ? text : "null";
}

void print_pool_size_json(const net::pool_size& x) {
  auto word = [](bool yes) { return yes ? "true" : "false"; };
  printf("{\"size\":%zu,\"rate\":%.9g,\"erlangs\":%.9g,\"utilisation\":%.9g,"
         "\"wait_share\":%.9g,\"wait_mean_ms\":%s,\"wait_p99_ms\":%s,"
         "\"too_small\":%s,\"cores_short\":%s}\n",
         x.size, x.rate, x.erlangs, x.utilisation, x.wait_share,
         json_ms(x.wait_mean_s).c_str(), json_ms(x.wait_p99_s).c_str(),
         word(x.too_small), word(x.cores_short));
}

void print_pool_size(const net::pool_load& load, const net::pool_size& x) {
  printf("size         %zu connections\n"
         "load         %.3g borrowed on average: %.6g a second, for %s each\n"
         "utilisation  %.3g\n"
         "wait         %.3g %% of them, %s on average, 99 of 100 at most %s\n",
         x.size, x.erlangs, x.rate, ms_words(load.service_s).c_str(),
         x.utilisation, x.wait_share * 100, ms_words(x.wait_mean_s).c_str(),
         ms_words(x.wait_p99_s).c_str());
}

net::pool_load load_of(const pool_size_options& x) {
  auto load = x.load;
  load.service_s = x.service_mean_s > 0 ? x.service_mean_s
                                        : net::mean_of_p99(x.service_p99_s);
  return load;
}

int run_pool_size(const pool_size_options& options) {
  auto load = load_of(options);
  if (auto wrong = net::check(load); !wrong.empty())
    throw CLI::ValidationError{"pool-size", wrong};
  auto x = net::size_pool(load);
  if (options.json)
    print_pool_size_json(x);
  else
    print_pool_size(load, x);
  if (x.cores_short)
    say("the cores do no more than this rate");
  if (x.too_small)
    say("more than --max connections would be needed");
  return x.cores_short || x.too_small ? exit_failed : exit_ok;
}

} // namespace

void add_pool_size_command(CLI::App& app, int& exit_code) {
  auto command = app.add_subcommand(
    "pool-size", "Say how many connections a client pool needs");
  auto options = std::make_shared<pool_size_options>();
  auto& x = *options;
  x.load.cores = std::max(1u, std::thread::hardware_concurrency());
  command->add_option("--rate", x.load.rate, "Borrows a second")
    ->check(CLI::Range(0.0, 1e9))
    ->required()
    ->take_last()
    ->type_name("NUMBER");
  auto p99 = add_pool_time(*command, "--service", x.service_p99_s,
                           "How long a connection is borrowed for: 99 of 100 "
                           "at most");
  add_pool_time(*command, "--service-mean", x.service_mean_s,
                "The same on average, in place of --service")
    ->excludes(p99);
  command
    ->add_option("--utilisation", x.load.utilisation_max,
                 "Share of the time that a connection may be borrowed")
    ->check(CLI::Range(0.01, 0.99))
    ->take_last()
    ->capture_default_str();
  add_pool_time(*command, "--wait", x.load.wait_p99_max_s,
                "How long a borrower may wait: 99 of 100 at most; without it, "
                "only the\nutilisation counts");
  add_pool_time(*command, "--cpu", x.load.cpu_s,
                "Processor time of a borrow on this machine; without it, next "
                "to none");
  command
    ->add_option("--cores", x.load.cores,
                 "Cores for that; without it, those of this machine")
    ->check(CLI::Range(size_t{1}, size_t{65'536}))
    ->take_last()
    ->type_name("NUMBER");
  add_pool_bound(*command, "--min", x.load.size_min, "Connections at least");
  add_pool_bound(*command, "--max", x.load.size_max, "Connections at most");
  command->add_flag("--json", x.json, "Print one JSON object, not a summary");
  command->footer(
    "By the M/M/c queue (Erlang C). It takes times to be exponential, so that\n"
    "the mean is --service divided by 4.6 (the logarithm of 100).\n"
    "  callboard pool-size --rate 1700 --service 46ms --wait 5ms\n"
    "Exit codes: 0 printed; 1 printed, but --max or the cores do not suffice;\n"
    "2 wrong usage.");
  command->callback([options, p99, command, &exit_code] {
    if (p99->count() + command->count("--service-mean") == 0)
      throw CLI::RequiredError{"--service or --service-mean"};
    exit_code = run_pool_size(*options);
  });
}

} // namespace callboard::cmd
