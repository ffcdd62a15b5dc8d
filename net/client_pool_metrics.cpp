#include <callboard/net/client_pool_metrics.hpp>

#include <chrono>

#include <caf/string_view.hpp>
#include <caf/telemetry/metric_registry.hpp>

#include <callboard/actors/as_caf.hpp>

namespace callboard::net {

namespace {

using caf::telemetry::metric_registry;

constexpr char pool_prefix[] = "callboard";

// CAF's collector writes a label's value as it is.
std::string pool_label(const std::string& x) {
  std::string result;
  for (auto c : x) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c == '\n' ? ' ' : c;
  }
  return result;
}

// Makes the instances of one pool.
class pool_instances {
public:
  pool_instances(metric_registry& registry, const std::string& pool)
    : registry_{registry}, pool_{pool_label(pool)} {
  }

  caf::telemetry::int_gauge* gauge(caf::string_view name,
                                   caf::string_view help) {
    return registry_.gauge_family(pool_prefix, name, {"pool"}, help)
      ->get_or_add({{"pool", pool_}});
  }

  caf::telemetry::int_gauge* connections(caf::string_view state) {
    return registry_
      .gauge_family(pool_prefix, "pool-connections", {"pool", "state"},
                    "Connections of client pools by state.")
      ->get_or_add({{"pool", pool_}, {"state", state}});
  }

  caf::telemetry::int_counter* counter(caf::string_view name,
                                       caf::string_view help) {
    return registry_
      .counter_family(pool_prefix, name, {"pool"}, help, "1", true)
      ->get_or_add({{"pool", pool_}});
  }

  caf::telemetry::int_counter*
  counter_by(caf::string_view name, caf::string_view label,
             caf::string_view value, caf::string_view help) {
    return registry_
      .counter_family(pool_prefix, name, {"pool", label}, help, "1", true)
      ->get_or_add({{"pool", pool_}, {label, value}});
  }

  caf::telemetry::dbl_histogram* seconds(caf::string_view name,
                                         caf::string_view help) {
    static constexpr double bounds[] = {1e-4, 1e-3, 5e-3, 0.025, 0.1,
                                        0.25, 0.5,  1.0,  2.5,   10.0};
    return registry_
      .histogram_family<double>(pool_prefix, name, {"pool"}, bounds, help,
                                "seconds")
      ->get_or_add({{"pool", pool_}});
  }

private:
  metric_registry& registry_;
  std::string pool_;
};

void move_gauge(caf::telemetry::int_gauge* metric, size_t from, size_t to) {
  if (to > from)
    metric->inc(static_cast<int64_t>(to - from));
  else if (from > to)
    metric->dec(static_cast<int64_t>(from - to));
}

void add_count(caf::telemetry::int_counter* metric, uint64_t from,
               uint64_t to) {
  if (to > from)
    metric->inc(static_cast<int64_t>(to - from));
}

size_t not_closed(const client_pool_stats& x) {
  return x.circuit == circuit_state::closed ? 0 : 1;
}

} // namespace

std::string_view to_string(close_cause x) noexcept {
  switch (x) {
    case close_cause::broken:
      return "broken";
    case close_cause::idle:
      return "idle";
    case close_cause::surplus:
      return "surplus";
    case close_cause::lifetime:
      return "lifetime";
    case close_cause::reclaimed:
      return "reclaimed";
  }
  return "unknown";
}

client_pool_metrics::client_pool_metrics(metric_registry& registry,
                                         const std::string& pool) {
  pool_instances make{registry, pool};
  idle_ = make.connections("idle");
  leased_ = make.connections("leased");
  opening_ = make.connections("opening");
  waiting_ = make.gauge("pool-waiting", "Borrowers that wait.");
  wanted_ = make.gauge("pool-wanted",
                       "Connections that the load asks for, where the size "
                       "follows it.");
  circuits_open_ = make.gauge("pool-circuits-open",
                              "Pools whose circuit is not closed.");
  borrows_ = make.counter("pool-borrows", "Connections lent.");
  waits_ = make.counter("pool-waits", "Borrowers that had to wait.");
  constexpr char refusals[] = "pool-refusals";
  constexpr char refusals_help[] = "Borrowers that got no connection.";
  exhausted_ = make.counter_by(refusals, "reason", "pool_exhausted",
                               refusals_help);
  unavailable_ = make.counter_by(refusals, "reason", "target_unavailable",
                                 refusals_help);
  opened_ = make.counter("pool-opened", "Connections that became ready.");
  open_failures_ = make.counter("pool-open-failures",
                                "Connections that did not become ready.");
  for (size_t i = 0; i < close_cause_count; ++i)
    closed_[i] = make.counter_by("pool-closed", "cause",
                                 as_caf(to_string(static_cast<close_cause>(i))),
                                 "Connections that the pool has closed.");
  ping_failures_ = make.counter("pool-ping-failures",
                                "Pings without a sign of life.");
  leaks_ = make.counter("pool-leaks", "Leases held for too long.");
  circuit_openings_ = make.counter("pool-circuit-openings",
                                   "Circuits that have opened.");
  wait_seconds_ = make.seconds("pool-wait",
                               "How long borrowers waited who got one.");
}

client_pool_metrics::~client_pool_metrics() {
  auto none = shown_;
  none.idle = none.leased = none.opening = none.waiting = none.wanted = 0;
  none.circuit = circuit_state::closed;
  show(none);
}

void client_pool_metrics::show(const client_pool_stats& x) {
  move_gauge(idle_, shown_.idle, x.idle);
  move_gauge(leased_, shown_.leased, x.leased);
  move_gauge(opening_, shown_.opening, x.opening);
  move_gauge(waiting_, shown_.waiting, x.waiting);
  move_gauge(wanted_, shown_.wanted, x.wanted);
  move_gauge(circuits_open_, not_closed(shown_), not_closed(x));
  add_count(borrows_, shown_.borrows, x.borrows);
  add_count(waits_, shown_.waits, x.waits);
  add_count(exhausted_, shown_.exhausted, x.exhausted);
  add_count(unavailable_, shown_.unavailable, x.unavailable);
  add_count(opened_, shown_.opened, x.opened);
  add_count(open_failures_, shown_.open_failures, x.open_failures);
  for (size_t i = 0; i < close_cause_count; ++i)
    add_count(closed_[i], shown_.closed[i], x.closed[i]);
  add_count(ping_failures_, shown_.ping_failures, x.ping_failures);
  add_count(leaks_, shown_.leaks, x.leaks);
  add_count(circuit_openings_, shown_.circuit_openings, x.circuit_openings);
  shown_ = x;
}

void client_pool_metrics::waited(caf::timespan x) {
  wait_seconds_->observe(std::chrono::duration<double>(x).count());
}

} // namespace callboard::net
