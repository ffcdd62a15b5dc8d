#include <callboard/actors/metrics.hpp>

#include <string>

#include <caf/telemetry/metric_registry.hpp>

#include <callboard/actors/as_caf.hpp>
#include <callboard/actors/shared_group.hpp>

namespace callboard {

namespace {

using caf::telemetry::metric_registry;

constexpr char prefix[] = "callboard";

/// Makes the instances of one loop.
class instances {
public:
  instances(metric_registry& registry, uint32_t index)
    : registry_{registry}, loop_{std::to_string(index)} {
  }

  caf::telemetry::int_counter* counter(caf::string_view name,
                                       caf::string_view help,
                                       caf::string_view unit = "1") {
    return registry_.counter_family(prefix, name, {"loop"}, help, unit, true)
      ->get_or_add({{"loop", loop_}});
  }

  caf::telemetry::int_counter*
  counter_by(caf::string_view name, caf::string_view label,
             caf::string_view value, caf::string_view help) {
    return registry_
      .counter_family(prefix, name, {"loop", label}, help, "1", true)
      ->get_or_add({{"loop", loop_}, {label, value}});
  }

  caf::telemetry::int_gauge* gauge(caf::string_view name, caf::string_view help,
                                   caf::string_view unit = "1") {
    return registry_.gauge_family(prefix, name, {"loop"}, help, unit)
      ->get_or_add({{"loop", loop_}});
  }

  caf::telemetry::int_gauge*
  gauge_by(caf::string_view name, caf::string_view label,
           caf::string_view value, caf::string_view help) {
    return registry_.gauge_family(prefix, name, {"loop", label}, help)
      ->get_or_add({{"loop", loop_}, {label, value}});
  }

  caf::telemetry::dbl_gauge* share(caf::string_view name,
                                   caf::string_view help) {
    return registry_.gauge_family<double>(prefix, name, {"loop"}, help)
      ->get_or_add({{"loop", loop_}});
  }

  caf::telemetry::dbl_gauge*
  share_by(caf::string_view name, caf::string_view label,
           caf::string_view value, caf::string_view help) {
    return registry_.gauge_family<double>(prefix, name, {"loop", label}, help)
      ->get_or_add({{"loop", loop_}, {label, value}});
  }

  caf::telemetry::dbl_histogram* seconds(caf::string_view name,
                                         caf::string_view help) {
    static constexpr double bounds[] = {1e-5, 1e-4, 1e-3, 5e-3, 0.025, 0.1,
                                        0.25, 0.5,  1.0,  2.5,  10.0,  30.0};
    return registry_
      .histogram_family<double>(prefix, name, {"loop"}, bounds, help, "seconds")
      ->get_or_add({{"loop", loop_}});
  }

private:
  metric_registry& registry_;
  std::string loop_;
};

// CAF's collector writes a label's value as it is.
std::string escaped(std::string_view x) {
  std::string result;
  for (auto c : x) {
    if (c == '"' || c == '\\')
      result += '\\';
    result += c;
  }
  return result;
}

group_metrics make_group_metrics(instances& make) {
  group_metrics m{};
  m.groups = make.gauge("groups", "Groups that share a topic's events.");
  m.members = make.gauge("group-members", "Members of groups.");
  m.events = make.gauge("group-events",
                        "Events of groups that wait or are unconfirmed.");
  m.bytes = make.gauge("group", "Bytes of these events.", "bytes");
  m.deliveries = make.counter("group-deliveries",
                              "Events given to a member of a group.");
  m.redeliveries = make.counter(
    "group-redeliveries", "Events given to a member after another had them.");
  m.confirmations = make.counter("group-confirmations",
                                 "Events that a member has confirmed.");
  m.timeouts = make.counter("group-timeouts",
                            "Events that a member did not confirm in time.");
  m.dead_letters = make.counter("group-dead-letters",
                                "Events that became dead letters.");
  m.lost = make.counter("group-lost",
                        "Events that a group was to get and could not.");
  return m;
}

void add_load_metrics(loop_metrics& m, instances& make) {
  m.load_score = make.share("load-score", "Load of the loop, 0 to 1.");
  m.load_peak = make.share("load-peak", "Highest load of the last minute.");
  for (size_t i = 0; i < load_part_count; ++i)
    m.load_parts[i]
      = make.share_by("load-part", "part",
                      as_caf(to_string(static_cast<load_part>(i))),
                      "What the load is made of; 1 is a full one.");
  m.load_stage = make.gauge("load-stage",
                            "What is shed because of the load: 0 nothing, 1 "
                            "connections, 2 log-ins, 3 publications, 4 "
                            "requests.");
}

} // namespace

void group_metrics::add(const group_counts& x) const {
  auto add = [](caf::telemetry::int_counter* metric, uint64_t n) {
    if (n > 0)
      metric->inc(static_cast<int64_t>(n));
  };
  add(deliveries, x.deliveries);
  add(redeliveries, x.redeliveries);
  add(confirmations, x.confirmations);
  add(timeouts, x.timeouts);
  add(dead_letters, x.dead_letters);
  add(lost, x.lost);
}

loop_metrics make_loop_metrics(metric_registry& registry, uint32_t index) {
  instances make{registry, index};
  loop_metrics m{};
  constexpr char connections[] = "connections";
  constexpr char connections_help[] = "Connections by state.";
  m.connections_connecting = make.gauge_by(connections, "state", "connecting",
                                           connections_help);
  m.connections_connected = make.gauge_by(connections, "state", "connected",
                                          connections_help);
  m.connections_disconnecting
    = make.gauge_by(connections, "state", "disconnecting", connections_help);
  m.connections_closed = make.counter("connections-closed",
                                      "Connections that have ended.");
  for (auto i = frame_type_min; i <= frame_type_max; ++i) {
    auto type = as_caf(to_string(static_cast<frame_type>(i)));
    m.frames_in[i] = make.counter_by("frames-in", "type", type,
                                     "Frames received.");
    m.frames_out[i] = make.counter_by("frames-out", "type", type,
                                      "Frames sent.");
  }
  m.bytes_in = make.counter("in", "Bytes received from clients.", "bytes");
  m.bytes_out = make.counter("out", "Bytes sent to clients.", "bytes");
  m.malformed_frames = make.counter("malformed-frames",
                                    "Inputs that were no frame.");
  m.publications = make.counter("publications", "Publications accepted.");
  m.deliveries = make.counter("deliveries",
                              "Events handed to a subscriber's outbox.");
  constexpr char recoveries[] = "recoveries";
  constexpr char recoveries_help[]
    = "Subscribes with a position by whether they got all they missed.";
  m.recoveries_whole = make.counter_by(recoveries, "outcome", "whole",
                                       recoveries_help);
  m.recoveries_lost = make.counter_by(recoveries, "outcome", "lost",
                                      recoveries_help);
  m.last_values_withheld = make.counter("last-values-withheld",
                                        "New subscribers to a pattern who got "
                                        "no last values: there were too many.");
  m.history_bytes = make.gauge("history", "Bytes that topics keep.", "bytes");
  m.ids_bytes = make.gauge("publish-ids", "Bytes of remembered publish ids.",
                           "bytes");
  m.history_evictions = make.counter("history-evictions",
                                     "Histories that gave way to others.");
  m.groups = make_group_metrics(make);
  m.presence_members = make.gauge("presence-members",
                                  "Users and nameless connections in topics.");
  for (size_t i = 0; i < overflow_policy_count; ++i)
    m.drops[i] = make.counter_by(
      "drops", "policy", as_caf(to_string(static_cast<overflow_policy>(i))),
      "Events dropped for slow subscribers, and for the policy disconnect "
      "subscribers cut off.");
  for (size_t i = 0; i < limit_kind_count; ++i)
    m.refusals[i] = make.counter_by(
      "refusals", "limit", as_caf(to_string(static_cast<limit_kind>(i))),
      "Handshakes, log-ins, frames and publications refused, by the limit.");
  constexpr char redirects[] = "redirects";
  constexpr char redirects_help[]
    = "Clients that were told of other nodes, by what told them.";
  m.redirects_refused = make.counter_by(redirects, "by", "refusal",
                                        redirects_help);
  m.redirects_sent_away = make.counter_by(redirects, "by", "goaway",
                                          redirects_help);
  for (size_t i = 0; i < publish_refusal_count; ++i)
    m.publish_refusals[i] = make.counter_by(
      "publish-refusals", "reason",
      as_caf(to_string(static_cast<publish_refusal>(i))),
      "Publications of clients that the topic's rule refused.");
  auto outcome = [&make](caf::string_view value) {
    return make.counter_by("requests", "outcome", value,
                           "Requests by how they ended.");
  };
  m.requests_answered = outcome("answered");
  m.requests_failed = outcome("failed");
  m.requests_timed_out = outcome("timeout");
  m.requests_cancelled = outcome("cancelled");
  m.requests_overloaded = outcome("overloaded");
  m.requests_circuit_open = outcome("circuit_open");
  m.requests_rate_limited = outcome("rate_limited");
  m.guarded_actions = make.gauge("guarded-actions",
                                 "Actions that are held to a rule.");
  m.guard_evictions = make.counter("guard-evictions",
                                   "Actions under a rule whose state gave way "
                                   "to others.");
  m.stray_answers = make.counter("stray-answers",
                                 "Answers that nobody waits for.");
  constexpr char cluster_requests[] = "cluster-requests";
  constexpr char cluster_requests_help[]
    = "Requests and notifies to other nodes, and from them.";
  m.cluster_requests_sent = make.counter_by(cluster_requests, "direction",
                                            "sent", cluster_requests_help);
  m.cluster_requests_served = make.counter_by(cluster_requests, "direction",
                                              "served", cluster_requests_help);
  m.cluster_malformed = make.counter("cluster-malformed",
                                     "What other nodes sent and nobody "
                                     "understands.");
  m.copied_topics = make.gauge("copied-topics",
                               "Topics with replicas that this node serves.");
  m.copied_topics_alone
    = make.gauge("copied-topics-alone",
                 "Those of them that are on this node's disk only, for now.");
  m.request_seconds = make.seconds("request-duration",
                                   "From a request to its answer.");
  m.outbox_bytes = make.gauge("outbox", "Bytes that wait in outboxes.",
                              "bytes");
  m.topics = make.gauge("topics", "Topics and patterns that are subscribed.");
  m.subscriptions = make.gauge("subscriptions", "Subscriptions.");
  m.sockets = make_sockets_gauge(registry, index);
  m.turn_seconds = make.seconds("loop-turn", "Duration of a loop's turn.");
  add_load_metrics(m, make);
  m.heartbeat_seconds = make.seconds("heartbeat-round-trip",
                                     "From a ping to its pong.");
  m.heartbeat_timeouts = make.counter("heartbeat-timeouts",
                                      "Connections given up as dead.");
  return m;
}

caf::telemetry::int_gauge* make_sockets_gauge(metric_registry& registry,
                                              uint32_t index) {
  return instances{registry, index}.gauge("sockets",
                                          "Sockets of clients, WebSockets and "
                                          "others.");
}

caf::telemetry::int_gauge* circuit_metrics::of(circuit_state x) const noexcept {
  switch (x) {
    case circuit_state::open:
      return open;
    case circuit_state::half_open:
      return half_open;
    default:
      return nullptr;
  }
}

circuit_metrics make_circuit_metrics(metric_registry& registry,
                                     std::string_view pattern) {
  auto label = escaped(pattern);
  auto gauge = [&](circuit_state state) {
    return registry
      .gauge_family(prefix, "action-circuits", {"pattern", "state"},
                    "Circuits that are not closed, by their rule's pattern.")
      ->get_or_add({{"pattern", label}, {"state", as_caf(to_string(state))}});
  };
  circuit_metrics m;
  m.open = gauge(circuit_state::open);
  m.half_open = gauge(circuit_state::half_open);
  m.openings = registry
                 .counter_family(prefix, "action-circuit-openings", {"pattern"},
                                 "Circuits that have opened, by their rule's "
                                 "pattern.",
                                 "1", true)
                 ->get_or_add({{"pattern", label}});
  return m;
}

} // namespace callboard
