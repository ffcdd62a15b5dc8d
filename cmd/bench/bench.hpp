#pragma once

#include <cstdint>
#include <string>

#include "callboard_dialect.hpp"
#include "options.hpp"
#include "tally.hpp"

namespace callboard::cmd {

/// What one run of the load generator has found out.
struct bench_result {
  /// Why there is no result; empty if there is one.
  std::string failure;
  /// Connections that were made.
  uint32_t connections = 0;
  /// Seconds from the first connection to the last that was ready.
  double connect_s = 0;
  /// All threads together, over the whole run; the latency over the measured
  /// time.
  bench::tally counts;
  /// All threads together, over the measured time; the elapsed time is the
  /// longest one's.
  bench::measured window;
  /// When the measured time ended, in seconds of Unix time.
  double measured_until_s = 0;
  /// The server's CPU time and cores over the measured time; cores 0: unknown.
  int64_t server_cpu_ns = 0;
  uint32_t server_cores = 0;
  /// The server's resident memory before the first connection and at the end
  /// of the measured time.
  uint64_t server_bytes_before = 0;
  uint64_t server_bytes_after = 0;

  /// Tells whether all that was sent came, once and in order, and nobody was
  /// cut off but those that were to be.
  bool clean() const {
    return failure.empty() && counts.lost == 0 && counts.misordered == 0
           && counts.corrupt == 0 && counts.errors == 0 && counts.closed == 0;
  }

  /// Returns deliveries (for `echo`: round trips) per second.
  double rate() const;

  /// Returns which share of its threads' cores the load generator used, 0 … 1.
  double load_use(const bench_options& options) const;

  /// Returns which share of its cores the server used, 0 … 1.
  double server_use() const;

  /// Tells whether the load generator, and not the server, was the limit.
  bool limited_by_load(const bench_options& options) const;
};

/// Says what is wrong with the options.
/// @returns an empty string, or a sentence.
std::string check(const bench_options& options);

/// Runs the load, shows progress on a terminal, and prints nothing else.
/// Raises the process's limit of open files to what it may have. Blocks for
/// the options' times and up to 10 s beyond each step that makes no progress.
/// @param make_dialect makes what is spoken, for each thread.
bench_result
measure(const bench_options& options,
        bench::dialect_factory make_dialect = bench::make_own_dialect);

/// Checks, runs and prints.
/// @returns 0 if all went well, 1 if the run failed or something was lost,
///          misordered, refused or cut off, 2 if the options make no sense.
int run_bench(const bench_options& options,
              bench::dialect_factory make_dialect = bench::make_own_dialect);

} // namespace callboard::cmd
