#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench.hpp"
#include "dialect.hpp"
#include "process_probe.hpp"
#include "worker.hpp"

namespace callboard::cmd::bench {

/// One run: the threads and the steps that they are led through.
class session {
public:
  /// @param opts have passed `check` and outlive the session.
  session(const bench_options& opts, dialect_factory make_dialect);

  session(const session&) = delete;

  ~session();

  /// Runs the load to its end. Call once.
  bench_result run();

private:
  using clock = std::chrono::steady_clock;

  void make_workers();
  void add_worker(std::unique_ptr<load> what, uint32_t links);
  bool connect();
  bool enter(run_phase phase);
  bool hold(run_phase phase, double seconds, const char* name);
  void drain();
  void end();
  void collect();
  bool failed() const;
  uint64_t sum(uint64_t (worker::*get)() const) const;
  void progress(const std::string& text);

  const bench_options& opts_;
  dialect_factory make_dialect_;
  process_probe server_;
  bool show_;
  run_state state_;
  std::vector<std::unique_ptr<worker>> workers_;
  std::vector<std::thread> threads_;
  clock::time_point shown_;
  uint64_t shown_delivered_ = 0;
  bench_result result_;
};

} // namespace callboard::cmd::bench
