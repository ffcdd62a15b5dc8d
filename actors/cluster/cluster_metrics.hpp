#pragma once

#include <caf/fwd.hpp>
#include <caf/telemetry/counter.hpp>
#include <caf/telemetry/gauge.hpp>

namespace callboard {

/// What a node counts of its cluster. One set for the node.
struct cluster_metrics {
  caf::telemetry::int_gauge* members;
  caf::telemetry::int_gauge* links;
  /// The number of the view that the node goes by.
  caf::telemetry::int_gauge* view;
  /// Of those that keep durable topics, how many own none for now.
  caf::telemetry::int_gauge* absent_store_nodes;
  caf::telemetry::int_gauge* held_bytes;
  caf::telemetry::int_gauge* outstanding_bytes;
  caf::telemetry::int_counter* views;
  caf::telemetry::int_counter* sent_bytes;
  caf::telemetry::int_counter* sent_batches;
  caf::telemetry::int_counter* sent_frames;
  caf::telemetry::int_counter* received_bytes;
  caf::telemetry::int_counter* received_batches;
  caf::telemetry::int_counter* held_batches;
  /// Batches of a link or a round that is over.
  caf::telemetry::int_counter* stale_batches;
  /// Batches for a shard that there is not.
  caf::telemetry::int_counter* stray_batches;
  caf::telemetry::int_counter* refused_hellos;
  caf::telemetry::int_counter* failed_dials;
  /// Links that ended because too much was on its way.
  caf::telemetry::int_counter* overflows;
};

/// Returns the metrics, made on first use.
cluster_metrics make_cluster_metrics(caf::telemetry::metric_registry& registry);

} // namespace callboard
