#pragma once

#include <array>
#include <string>

#include <caf/fwd.hpp>
#include <caf/telemetry/counter.hpp>
#include <caf/telemetry/gauge.hpp>
#include <caf/telemetry/histogram.hpp>
#include <caf/timespan.hpp>

#include <callboard/net/client_pool_stats.hpp>

namespace callboard::net {

/// The metrics of a pool, `callboard_pool_…`, with its name as label `pool`.
/// Pools of one name add up. docs/client-pool.md lists them.
class client_pool_metrics {
public:
  /// Makes the instances on first use; `registry` keeps them, and must outlive
  /// this.
  client_pool_metrics(caf::telemetry::metric_registry& registry,
                      const std::string& pool);

  client_pool_metrics(const client_pool_metrics&) = delete;

  client_pool_metrics& operator=(const client_pool_metrics&) = delete;

  /// Takes what the pool has out of the gauges.
  ~client_pool_metrics();

  /// Shows `x`, by what has changed since the last call. One thread at a time.
  void show(const client_pool_stats& x);

  /// Counts how long a borrower has waited before it had a connection. Any
  /// thread.
  void waited(caf::timespan x);

private:
  client_pool_stats shown_;
  caf::telemetry::int_gauge* idle_;
  caf::telemetry::int_gauge* leased_;
  caf::telemetry::int_gauge* opening_;
  caf::telemetry::int_gauge* waiting_;
  caf::telemetry::int_gauge* wanted_;
  caf::telemetry::int_gauge* circuits_open_;
  caf::telemetry::int_counter* borrows_;
  caf::telemetry::int_counter* waits_;
  caf::telemetry::int_counter* exhausted_;
  caf::telemetry::int_counter* unavailable_;
  caf::telemetry::int_counter* opened_;
  caf::telemetry::int_counter* open_failures_;
  std::array<caf::telemetry::int_counter*, close_cause_count> closed_;
  caf::telemetry::int_counter* ping_failures_;
  caf::telemetry::int_counter* leaks_;
  caf::telemetry::int_counter* circuit_openings_;
  caf::telemetry::dbl_histogram* wait_seconds_;
};

} // namespace callboard::net
