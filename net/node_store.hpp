#pragma once

#include <memory>
#include <string_view>

#include <caf/fwd.hpp>
#include <caf/telemetry/counter.hpp>
#include <caf/telemetry/gauge.hpp>
#include <caf/telemetry/histogram.hpp>

#include <callboard/actors/event_store.hpp>
#include <callboard/net/server_options.hpp>

namespace callboard::net {

/// A node's store, with its metrics and its log lines. Any thread.
class node_store {
public:
  /// Opens the store, if the options name a folder. What does not work is told
  /// by `state`, the metrics and the log.
  node_store(caf::actor_system& sys, const server_options& options);

  /// Returns null if there is none.
  [[nodiscard]] const std::shared_ptr<event_store>& get() const noexcept {
    return store_;
  }

  /// Returns what does not work in a word for probes: `unavailable`, `damaged`;
  /// empty: everything does.
  [[nodiscard]] std::string_view state() const;

  /// Sets the gauges.
  void update_metrics();

private:
  std::shared_ptr<event_store> store_;
  caf::telemetry::int_gauge* up_ = nullptr;
  caf::telemetry::int_gauge* queued_bytes_ = nullptr;
  caf::telemetry::int_gauge* bytes_ = nullptr;
};

} // namespace callboard::net
