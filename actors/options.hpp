#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <caf/timespan.hpp>

#include <callboard/actors/action_options.hpp>
#include <callboard/actors/load_options.hpp>
#include <callboard/actors/token_bucket.hpp>
#include <callboard/actors/topic_options.hpp>

namespace callboard {

/// What the connections of a node, and their users, may have and do. It can
/// change while the node runs: `net::server::reload`.
struct client_limits {
  /// Requests of one connection that may wait for their answer, 1 … 65,535.
  size_t inflight_max = 256;
  /// Topics and patterns that one connection may have, 1 … 1,000,000.
  size_t subscriptions_max = 1000;
  /// Actions that one connection may have registered, 1 … 65,535.
  size_t registrations_max = 256;
  /// WebSocket connections of the node, 1 … 1,000,000.
  size_t connections_max = 15'000;
  /// Connections of one user, and of one tenant, 0 … 1,000,000; 0: no limit.
  /// Who is one too many is closed with 4504.
  size_t user_connections_max = 0;
  size_t tenant_connections_max = 0;
  /// Frames from one client, 0 … 1,000,000; beyond them it is answered
  /// `rate_limited`, and closed with 1008 if it goes on at twice the rate.
  rate_limit frames;
  /// The same for the bytes of its messages, 0 … 1,073,741,824. The burst is at
  /// least `node_options::frame_bytes_max`.
  rate_limit bytes;
  /// Publications of one user, or of one connection where nobody is logged in,
  /// 0 … 1,000,000; beyond them one is answered `rate_limited`.
  rate_limit publishes;
  /// What counts as load, and sheds work.
  load_options load;
};

/// The bounds and times of a node that its actors go by. The defaults are the
/// product's; `docs/operating.md` tells them to operators.
struct node_options : client_limits {
  /// Largest WebSocket message and so largest frame in bytes,
  /// 128 … 16,777,216.
  size_t frame_bytes_max = 64 * 1024;
  /// Bytes that may wait for one connection, 1,024 … 1,073,741,824; beyond
  /// them it is closed with 4002.
  size_t outbox_bytes_max = 1024 * 1024;
  /// Requests that may wait for their answer at one router shard,
  /// 1 … 16,777,215; beyond them one is answered `overloaded`.
  size_t requests_max = 1'000'000;
  /// Responders that one action may have, 1 … 1,000,000.
  size_t responders_max = 10'000;
  /// What requests for actions are held to, by pattern; the first rule that
  /// matches counts.
  std::vector<action_rule> action_rules;
  /// Actions under a rule whose state a router shard keeps, 1 … 1,000,000.
  /// Those that were asked for longest ago give way, and begin anew.
  size_t guarded_actions_max = 10'000;
  /// Topics that live at once on a shard, 1 … 100,000,000.
  size_t topics_max = 1'000'000;
  /// Bytes of publications that may wait for one shard, at least 65,536;
  /// beyond them a publish is answered `overloaded`.
  size_t shard_bytes_max = 64 * 1024 * 1024;
  /// Whether clients of one tenant have topics, users and actions of their own,
  /// see `tenant_space.hpp`. Topics of clients without a tenant are another
  /// space.
  bool tenant_isolation = false;
  /// Without traffic for so long, a connection is pinged; 0.1 s … 1 h.
  caf::timespan ping_interval = std::chrono::seconds{30};
  /// Without any sign of life for so long, a connection is closed with 4000;
  /// longer than `ping_interval`, at most 24 h.
  caf::timespan ping_timeout = std::chrono::seconds{90};
  /// Time to come from the WebSocket's opening to `connected`.
  caf::timespan connect_timeout = std::chrono::seconds{10};
  /// How long a connection may send no frame but heartbeats, and wait for
  /// nothing: no subscription, no action to answer, no answer; then it is
  /// closed with 4001. 0: for ever; at most 24 h.
  caf::timespan idle_timeout{0};
  /// How long a connection lives at most, and nine tenths of it at least; then
  /// it is closed with 4004. 0: for ever; at most 366 days.
  caf::timespan connection_lifetime{0};
  /// How often the node looks for what it has left behind, 0 … 24 h; 0: never.
  caf::timespan audit_interval = std::chrono::minutes{1};
  /// What topics keep, by pattern; the first rule that matches counts.
  std::vector<topic_rule> topics;
  /// Bytes of publications that all topics together may keep, at least 65,536;
  /// beyond them the histories that were used least recently give way.
  size_t history_bytes_max = 256 * 1024 * 1024;
  /// Bytes of publish ids that all topics together may remember, at least
  /// 65,536; beyond them a topic that gets one forgets its oldest.
  size_t ids_bytes_max = 128 * 1024 * 1024;
  /// Last values that a new subscriber to a pattern gets, 1 … 1,000,000; where
  /// there are more it gets none of them.
  size_t last_values_max = 10'000;
  /// Groups of members that share a topic's events, at once on a shard,
  /// 1 … 10,000,000. Those without members give way, the ones that had one
  /// last the latest.
  size_t groups_max = 10'000;
  /// Groups of one topic, 1 … 10,000. Those without members give way here, too;
  /// every one of them costs each publication of the topic.
  size_t topic_groups_max = 100;
  /// Events of a group that one member may have unconfirmed, 1 … 65,535.
  size_t group_inflight_max = 64;
  /// Events that may wait in one group, 1 … 1,000,000. Further ones stay in the
  /// topic's history; where it keeps none the oldest become dead letters.
  size_t group_pending_max = 1000;
  /// Bytes of events that wait or are unconfirmed in all groups together, at
  /// least 65,536. One group keeps no more of them than it leaves free.
  size_t group_bytes_max = 64 * 1024 * 1024;
  /// How often an event is given to a member before it becomes a dead letter,
  /// 1 … 1000.
  size_t group_attempts_max = 5;
  /// How long a member may have an event without confirming it, before another
  /// one gets it; 1 ms … 24 h.
  caf::timespan group_ack_timeout = std::chrono::seconds{30};
  /// How long a group without members keeps its place; 1 s … 366 days.
  caf::timespan group_linger = std::chrono::hours{24};
  /// How long a topic that nobody uses is kept, and a publish `id` with it.
  caf::timespan topic_linger = std::chrono::minutes{5};
  /// How long a user whose last connection is gone stays in a topic, 0 … 1 h.
  caf::timespan presence_linger = std::chrono::seconds{5};
  /// The least time between two tellings of who came and went, 0 … 1 min; what
  /// happens in between is told together.
  caf::timespan presence_interval = std::chrono::milliseconds{250};
};

} // namespace callboard
