#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <callboard/actors/actor_subscriber.hpp>
#include <callboard/actors/authority.hpp>
#include <callboard/actors/circuit_breaker.hpp>
#include <callboard/actors/cluster/loop_peers.hpp>
#include <callboard/actors/cluster/node_rota.hpp>
#include <callboard/actors/cluster/store_nodes.hpp>
#include <callboard/actors/event_store.hpp>
#include <callboard/actors/handles.hpp>
#include <callboard/actors/leaks.hpp>
#include <callboard/actors/live_connections.hpp>
#include <callboard/actors/load_score.hpp>
#include <callboard/actors/mailbox_bytes.hpp>
#include <callboard/actors/metrics.hpp>
#include <callboard/actors/options.hpp>
#include <callboard/actors/outbox.hpp>
#include <callboard/actors/publish_screen.hpp>
#include <callboard/actors/rule_set.hpp>
#include <callboard/actors/string_hash.hpp>
#include <callboard/actors/topic_table.hpp>
#include <callboard/actors/user_table.hpp>
#include <callboard/messages/frame_reader.hpp>

namespace callboard {

/// What all loops of a node share. Constant once the node runs, but for the
/// atomics.
struct node_context {
  /// What the node was started with. Loops may go by newer rules and limits by
  /// now, see `loop_context::rules` and `loop_context::limits`.
  node_options options;
  authority rights;
  /// Where topics outlive the process; null: nowhere.
  std::shared_ptr<event_store> store;
  /// The nodes of its cluster that keep durable topics; null: it is in none, or
  /// there are none. Else it has a `store` if it is one of them.
  store_nodes_ptr stores;
  /// Counts connections by user and tenant; null: nothing is limited by them.
  std::shared_ptr<user_register> users;
  /// The node's name on the wire.
  std::string name;
  /// Tells one run of the node from the next.
  std::string incarnation;
  /// Number of loops, and so of shards; from 1.
  uint32_t loops = 1;
  /// The number that the next connection gets.
  std::atomic<connection_id> next_connection = 1;
  /// Makes the epochs of this run differ from each other.
  std::atomic<uint64_t> next_epoch = 1;
  /// The number that the next member of a group gets.
  std::atomic<uint64_t> next_member = 1;
  /// Whether anybody watches the connections' life.
  std::atomic<bool> watched = false;
  /// Whether the node has yet to join its cluster: clients are refused.
  std::atomic<bool> joining = false;
  /// The load below which all work is taken (`load_options::low`) by now; 0: it
  /// is always taken.
  std::atomic<double> load_low = 0;
  /// Whether the node goes down: new work is refused.
  std::atomic<bool> draining = false;
  /// Logs a leak, on any loop's thread; empty: nothing is logged.
  std::function<void(const leak_report&)> log_leak;

  /// Returns whether a shard has as much waiting as it may.
  template <class Handle>
  [[nodiscard]] bool congested(const shard_ref<Handle>& shard) const noexcept {
    return shard.waiting->exceeds(options.shard_bytes_max);
  }
};

/// What a turn counts; plain numbers that are added to the metrics at its end,
/// because the hot path has no time for atomics.
struct turn_counts {
  std::array<uint32_t, frame_type_max + 1> frames_in = {};
  std::array<uint32_t, frame_type_max + 1> frames_out = {};
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;
  uint64_t deliveries = 0;
  /// Requests that a connection answered itself.
  uint64_t own_requests = 0;

  /// Adds everything to the metrics and starts over.
  void publish(loop_metrics& metrics);
};

/// Somebody with subscriptions on a loop.
struct loop_subscriber {
  caf::actor_addr address;
  outbox_ptr box;
  /// For an embedded actor only; a connection owns its side itself.
  std::unique_ptr<actor_subscriber> actor;
};

/// Whose places in the register of users a connection of a loop has.
struct user_claim {
  std::string user;
  std::string tenant;
  /// Loop time in milliseconds.
  int64_t since_ms = 0;
  /// The last round of the audit in which its connection was seen.
  uint32_t seen = 0;
};

/// What belongs to one loop and outlives the actors on it. Used on the loop's
/// thread only.
struct loop_context {
  loop_context(node_context& node_ctx, uint32_t loop_index,
               framing& framing_ref, loop_metrics metrics_set)
    : node{node_ctx},
      index{loop_index},
      wire{framing_ref},
      metrics{metrics_set},
      load{node_ctx.options.load, node_ctx.loops},
      topics{outboxes, framing_ref, node_ctx.options.topics,
             node_ctx.options.last_values_max},
      peers{node_ctx.stores},
      elsewhere{hash_of(node_ctx.incarnation) + loop_index} {
    screen.assign(node_ctx.options.topics);
  }

  node_context& node;
  /// 0 … node.loops − 1.
  uint32_t index;
  /// The loop's execution unit; null under the test coordinator.
  caf::execution_unit* unit = nullptr;
  framing& wire;
  loop_metrics metrics;
  /// The loop's load, and what is shed because of it.
  load_score load;
  turn_counts counts;
  /// For the message that is being handled, by codec.
  std::array<frame_reader, codec_count> readers{frame_reader{codec::msgpack},
                                                frame_reader{codec::json}};
  outbox_scheduler outboxes;
  topic_table topics;
  /// Refuses publications by the rules.
  publish_screen screen;
  /// By actor ID; kept by the loop's broker shard.
  std::unordered_map<caf::actor_id, loop_subscriber> subscribers;
  /// The connections that live, kept by themselves.
  live_connections live;
  /// Their places in `node.users`, if there is one, in the same way.
  std::unordered_map<connection_id, user_claim> claims;
  /// The shards of the node, by index; this loop's copy.
  std::vector<broker_ref> brokers;
  std::vector<router_ref> routers;
  heartbeat_actor heartbeats;
  pool_actor pool;
  /// The other nodes of the cluster, and what goes to them.
  loop_peers peers;
  /// Where the clients are sent that the node does not take.
  node_rota elsewhere;
  /// The full name that a connection uses at this moment.
  std::string full_name;
  /// Unix time in milliseconds at the turn's beginning.
  int64_t unix_ms = 0;
  /// Steady time in milliseconds at the turn's beginning.
  int64_t steady_ms = 0;
  /// In place of those that the node was started with; null: these hold.
  rule_set_ptr newer_rules;
  std::shared_ptr<const client_limits> newer_limits;
  /// Grows with each change of the limits.
  uint32_t limits_round = 0;

  [[nodiscard]] const broker_ref& broker_of(std::string_view topic) const {
    return brokers[shard_of(topic, node.loops)];
  }

  [[nodiscard]] const router_ref& router_of(std::string_view action) const {
    return routers[shard_of(action, node.loops)];
  }

  /// Returns the rules that topics of this loop, and those that its shard owns,
  /// go by.
  [[nodiscard]] const std::vector<topic_rule>& rules() const noexcept {
    return newer_rules != nullptr ? newer_rules->topics : node.options.topics;
  }

  /// Returns the rules that a router shard of this loop begins with.
  [[nodiscard]] const std::vector<action_rule>& action_rules() const noexcept {
    return newer_rules != nullptr ? newer_rules->actions
                                  : node.options.action_rules;
  }

  /// Returns what clients of this loop are held to.
  [[nodiscard]] const client_limits& limits() const noexcept {
    return newer_limits != nullptr ? *newer_limits : node.options;
  }

  /// Lets clients be held to these from now on. Connections see it by
  /// `limits_round`.
  void set_limits(std::shared_ptr<const client_limits> x);

  /// Lets what is new on this loop go by other rules; `topics.revise` sees to
  /// the rest.
  void set_rules(rule_set_ptr x);

  /// Logs a change of a connection's state; empty: nothing is logged.
  std::function<void(connection_id, std::string_view from, std::string_view to,
                     uint16_t close_code)>
    log_state;

  /// Logs a change of an action's circuit; empty: nothing is logged.
  std::function<void(std::string_view action, const circuit_breaker& circuit)>
    log_circuit;

  /// Is told that the stage of the load is another one, and which it was;
  /// empty: nobody is.
  std::function<void(load_stage before)> load_changed;

  /// Takes a sample of the load and tells of it.
  /// @param now_ms steady time.
  void sample_load(int64_t now_ms, const load_sample& x);

  /// Hands the turn's events and replies to the sockets, and what the owners
  /// must hear to them.
  void flush();

  /// Returns whether the next turn has something to do, whatever comes in.
  [[nodiscard]] bool busy() const noexcept {
    return topics.advancing() || outboxes.any_drained();
  }

  /// Tells the owners who came and went in this turn.
  void report_presence();

  /// Adds what was counted since the last call to the metrics.
  void publish_counts();
};

} // namespace callboard
