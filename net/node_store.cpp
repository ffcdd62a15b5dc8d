#include <callboard/net/node_store.hpp>

#include <chrono>

#include <caf/actor_system.hpp>
#include <caf/telemetry/metric_registry.hpp>

#include <callboard/net/log.hpp>
#include <callboard/store/disk_store.hpp>

namespace callboard::net {

namespace {

using caf::telemetry::metric_registry;

constexpr char prefix[] = "callboard";

caf::telemetry::int_counter* counter(metric_registry& registry,
                                     caf::string_view name,
                                     caf::string_view help) {
  return registry.counter_singleton(prefix, name, help, "1", true);
}

// What happens in the store, counted on its threads.
std::function<void(const store_commit&)> count_in(metric_registry& registry) {
  static constexpr double bounds[] = {1e-4,  5e-4, 1e-3, 2.5e-3, 5e-3, 0.01,
                                      0.025, 0.05, 0.1,  0.25,   1.0,  5.0};
  auto* commits = counter(registry, "store-commits",
                          "Transactions of the store.");
  auto* events = counter(registry, "store-events",
                         "Events that the store has put on the disk.");
  auto* errors = counter(registry, "store-errors",
                         "Transactions of the store that failed.");
  auto* seconds = registry.histogram_singleton<double>(
    prefix, "store-commit-duration", bounds,
    "From the begin of a transaction to the disk.", "seconds");
  return [=](const store_commit& x) {
    seconds->observe(x.seconds);
    (x.failed ? errors : commits)->inc();
    if (!x.failed)
      events->inc(static_cast<int64_t>(x.events));
  };
}

void log_change(const store_status& x) {
  auto log = logger("store");
  if (!x.up)
    log->error("store_down reason=\"{}\"", x.trouble);
  else if (!x.trouble.empty())
    log->error("store_damaged reason=\"{}\"", x.trouble);
  else
    log->info("store_up bytes={}", x.bytes);
}

} // namespace

node_store::node_store(caf::actor_system& sys, const server_options& options) {
  if (options.store_dir.empty())
    return;
  auto& registry = sys.metrics();
  up_ = registry.gauge_singleton(prefix, "store-up",
                                 "Whether the store works.");
  queued_bytes_ = registry.gauge_singleton(prefix, "store-queue",
                                           "Bytes that wait for the store.",
                                           "bytes");
  bytes_ = registry.gauge_singleton(prefix, "store",
                                    "Bytes of the store's file.", "bytes");
  disk_store_options disk;
  disk.folder = options.store_dir;
  disk.queue_bytes_max = static_cast<int64_t>(options.node.shard_bytes_max);
  disk.file_bytes_max = static_cast<int64_t>(options.store_bytes_max);
  disk.ids_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                  options.node.topic_linger)
                  .count();
  // A topic belongs to one shard, so it never has more of them at once.
  disk.places_max = options.node.groups_max;
  disk.on_commit = count_in(registry);
  disk.on_change = log_change;
  store_ = std::make_shared<disk_store>(std::move(disk));
  update_metrics();
}

std::string_view node_store::state() const {
  if (store_ == nullptr)
    return {};
  auto x = store_->status();
  return !x.up ? "unavailable" : x.trouble.empty() ? "" : "damaged";
}

void node_store::update_metrics() {
  if (store_ == nullptr)
    return;
  auto x = store_->status();
  up_->value(x.up ? 1 : 0);
  queued_bytes_->value(x.queued_bytes);
  bytes_->value(x.bytes);
}

} // namespace callboard::net
