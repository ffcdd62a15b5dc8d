#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <caf/fwd.hpp>
#include <caf/telemetry/counter.hpp>
#include <caf/telemetry/gauge.hpp>
#include <caf/telemetry/histogram.hpp>

#include <callboard/actors/circuit_breaker.hpp>
#include <callboard/actors/limits.hpp>
#include <callboard/actors/load_options.hpp>
#include <callboard/actors/topic_options.hpp>
#include <callboard/messages/frame.hpp>

namespace callboard {

struct group_counts;

/// What the groups of a loop's broker shard do.
struct group_metrics {
  caf::telemetry::int_gauge* groups;
  caf::telemetry::int_gauge* members;
  /// Events that wait or are unconfirmed, and their bytes.
  caf::telemetry::int_gauge* events;
  caf::telemetry::int_gauge* bytes;
  caf::telemetry::int_counter* deliveries;
  caf::telemetry::int_counter* redeliveries;
  caf::telemetry::int_counter* confirmations;
  caf::telemetry::int_counter* timeouts;
  caf::telemetry::int_counter* dead_letters;
  caf::telemetry::int_counter* lost;

  void add(const group_counts& x) const;
};

/// The metrics of one loop; instances of the system's registry, which keeps
/// them. Every loop counts for itself, so that no two threads write to one
/// cache line often.
struct loop_metrics {
  template <class T>
  using by_type = std::array<T*, frame_type_max + 1>;

  caf::telemetry::int_gauge* connections_connecting;
  caf::telemetry::int_gauge* connections_connected;
  caf::telemetry::int_gauge* connections_disconnecting;
  caf::telemetry::int_counter* connections_closed;
  by_type<caf::telemetry::int_counter> frames_in;
  by_type<caf::telemetry::int_counter> frames_out;
  caf::telemetry::int_counter* bytes_in;
  caf::telemetry::int_counter* bytes_out;
  caf::telemetry::int_counter* malformed_frames;
  caf::telemetry::int_counter* publications;
  caf::telemetry::int_counter* deliveries;
  /// Subscribes with a position by whether they got all they missed.
  caf::telemetry::int_counter* recoveries_whole;
  caf::telemetry::int_counter* recoveries_lost;
  /// New subscribers to a pattern with more last values than one may get.
  caf::telemetry::int_counter* last_values_withheld;
  /// What the shard's topics keep.
  caf::telemetry::int_gauge* history_bytes;
  /// What the ids take that they remember.
  caf::telemetry::int_gauge* ids_bytes;
  /// Histories that gave way to others.
  caf::telemetry::int_counter* history_evictions;
  group_metrics groups;
  /// Those in the topics that the shard owns.
  caf::telemetry::int_gauge* presence_members;
  /// Events that were dropped for a subscriber, by policy; for `disconnect`,
  /// connections and actors cut off.
  std::array<caf::telemetry::int_counter*, overflow_policy_count> drops;

  [[nodiscard]] caf::telemetry::int_counter*
  drops_by(overflow_policy x) const noexcept {
    return drops[static_cast<size_t>(x)];
  }

  /// What was refused, by the limit that was met.
  std::array<caf::telemetry::int_counter*, limit_kind_count> refusals;

  [[nodiscard]] caf::telemetry::int_counter*
  refusals_by(limit_kind x) const noexcept {
    return refusals[static_cast<size_t>(x)];
  }

  /// Clients that were told of other nodes: as they were refused, and as they
  /// were sent away.
  caf::telemetry::int_counter* redirects_refused;
  caf::telemetry::int_counter* redirects_sent_away;

  /// Publications of clients that a topic's rule refused, by reason.
  std::array<caf::telemetry::int_counter*, publish_refusal_count>
    publish_refusals;

  [[nodiscard]] caf::telemetry::int_counter*
  refusals_by(publish_refusal x) const noexcept {
    return publish_refusals[static_cast<size_t>(x)];
  }

  caf::telemetry::int_counter* requests_answered;
  caf::telemetry::int_counter* requests_failed;
  caf::telemetry::int_counter* requests_timed_out;
  caf::telemetry::int_counter* requests_cancelled;
  /// Requests that came when as many waited as may.
  caf::telemetry::int_counter* requests_overloaded;
  /// Requests that a rule of their action kept from responders.
  caf::telemetry::int_counter* requests_circuit_open;
  caf::telemetry::int_counter* requests_rate_limited;
  /// Actions that the router shard holds to a rule, and those that gave way to
  /// others.
  caf::telemetry::int_gauge* guarded_actions;
  caf::telemetry::int_counter* guard_evictions;
  /// Answers that came too late, or from somebody else than the responder.
  caf::telemetry::int_counter* stray_answers;
  /// Requests and notifies that went to other nodes, and that came from them.
  caf::telemetry::int_counter* cluster_requests_sent;
  caf::telemetry::int_counter* cluster_requests_served;
  /// What other nodes sent and nobody understands.
  caf::telemetry::int_counter* cluster_malformed;
  /// Topics with copies that this node serves, and those of them that have none
  /// for now.
  caf::telemetry::int_gauge* copied_topics;
  caf::telemetry::int_gauge* copied_topics_alone;
  caf::telemetry::dbl_histogram* request_seconds;
  caf::telemetry::int_gauge* outbox_bytes;
  caf::telemetry::int_gauge* topics;
  caf::telemetry::int_gauge* subscriptions;
  /// Sockets of clients: WebSockets and HTTP sessions.
  caf::telemetry::int_gauge* sockets;
  caf::telemetry::dbl_histogram* turn_seconds;
  /// The loop's load: its score now and the highest of a minute, what it is
  /// made of, and the number of the stage that is shed.
  caf::telemetry::dbl_gauge* load_score;
  caf::telemetry::dbl_gauge* load_peak;
  std::array<caf::telemetry::dbl_gauge*, load_part_count> load_parts;
  caf::telemetry::int_gauge* load_stage;
  caf::telemetry::dbl_histogram* heartbeat_seconds;
  caf::telemetry::int_counter* heartbeat_timeouts;
};

/// Returns the metrics of loop `index`, made on first use.
loop_metrics make_loop_metrics(caf::telemetry::metric_registry& registry,
                               uint32_t index);

/// Returns the metric `sockets` of loop `index`, made on first use.
caf::telemetry::int_gauge*
make_sockets_gauge(caf::telemetry::metric_registry& registry, uint32_t index);

/// The metrics of the circuits under one rule, on all loops together: their
/// changes are rare. Null before they are made.
struct circuit_metrics {
  caf::telemetry::int_gauge* open = nullptr;
  caf::telemetry::int_gauge* half_open = nullptr;
  caf::telemetry::int_counter* openings = nullptr;

  /// Returns how many circuits are in a state; null for `closed`, which nobody
  /// counts, and before they are made.
  [[nodiscard]] caf::telemetry::int_gauge* of(circuit_state x) const noexcept;
};

/// Returns the metrics of the rule with this pattern, made on first use.
circuit_metrics make_circuit_metrics(caf::telemetry::metric_registry& registry,
                                     std::string_view pattern);

} // namespace callboard
