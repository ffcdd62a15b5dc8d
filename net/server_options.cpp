#include <callboard/net/server_options.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

#include <callboard/messages/topic.hpp>
#include <callboard/net/http_list.hpp>
#include <callboard/net/origins.hpp>
#include <callboard/net/trusted_proxies.hpp>

namespace callboard::net {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr caf::timespan history_ttl_max = std::chrono::hours{366 * 24};
constexpr size_t payload_bytes_max = 16u << 20;
constexpr size_t publish_rate_max = 1'000'000;
// Of a cluster or of a node in it.
constexpr size_t cluster_name_max = 64;

std::string out_of_bounds(const std::string& name, uint64_t value, uint64_t min,
                          uint64_t max, const char* unit) {
  return name + " is " + std::to_string(value) + unit + ", but must be "
         + std::to_string(min) + " … " + std::to_string(max) + unit;
}

std::string check_rule(const topic_rule& rule) {
  auto& x = rule.options;
  auto behind = " of topic '" + rule.pattern + '\'';
  if (auto wrong = check_rule_pattern(rule.pattern); !wrong.empty())
    return "the pattern" + behind + " is wrong. " + std::string{wrong};
  if (x.history_size > 100'000)
    return out_of_bounds("history_size" + behind, x.history_size, 0, 100'000,
                         "");
  // Not by milliseconds, which would round what is just past a bound.
  if (x.history_ttl < caf::timespan{0} || x.history_ttl > history_ttl_max)
    return "history_ttl" + behind + " must be 0 … 366 days";
  if (x.payload_bytes_max > payload_bytes_max)
    return out_of_bounds("payload_bytes_max" + behind, x.payload_bytes_max, 0,
                         payload_bytes_max, " bytes");
  if (x.publish_rate > publish_rate_max)
    return out_of_bounds("publish_rate" + behind, x.publish_rate, 0,
                         publish_rate_max, "");
  if (x.publish_burst > publish_rate_max)
    return out_of_bounds("publish_burst" + behind, x.publish_burst, 0,
                         publish_rate_max, "");
  if (x.replicas < 1 || x.replicas > 3)
    return out_of_bounds("replicas" + behind, x.replicas, 1, 3, "");
  if (x.replicas > 1 && x.durability != durability::disk)
    return "replicas" + behind + " are for durability disk alone";
  if (x.replicas > 1 && x.presence)
    return "replicas" + behind + " do not go together with presence";
  if (x.publish_burst > 0 && x.publish_rate == 0)
    return "publish_burst" + behind + " means nothing without a publish_rate";
  return {};
}

std::string check_tls(const tls_options& x) {
  if (x.certificate_file.empty() != x.key_file.empty())
    return "a certificate needs its key, and a key its certificate";
  if (!x.client_ca_file.empty() && !x.enabled())
    return "certificates of clients need one of the server";
  if ((x.client_required || x.names_users) && x.client_ca_file.empty())
    return "certificates of clients need a file with who vouches for them";
  return {};
}

// The counts of an action's rule.
std::string check_counts(const action_options& x, const std::string& behind) {
  struct row {
    const char* name;
    uint64_t value;
    uint64_t min;
    uint64_t max;
  };
  const row rows[] = {
    {"rate", x.rate.per_second, 0, 1'000'000},
    {"burst", x.rate.burst, 0, 1'000'000},
    {"requests_min", x.circuit.requests_min, 1, 1'000'000},
    {"probes", x.circuit.probes, 1, 100},
  };
  for (auto& y : rows)
    if (y.value < y.min || y.value > y.max)
      return out_of_bounds(y.name + behind, y.value, y.min, y.max, "");
  return {};
}

// Its times.
std::string check_times(const circuit_options& x, const std::string& behind) {
  using namespace std::chrono_literals;
  struct row {
    const char* name;
    caf::timespan value;
    caf::timespan min;
    caf::timespan max;
    const char* bounds;
  };
  const row rows[] = {
    {"latency", x.latency, 0s, 5min, "0 … 5 minutes"},
    {"window", x.window, 1s, 1h, "1 second … 1 hour"},
    {"open_time", x.open_time, 100ms, 1h, "100 ms … 1 hour"},
    {"open_time_max", x.open_time_max, 100ms, 24h, "100 ms … 24 hours"},
    {"timeout_min", x.timeout_min, 0s, 5min, "0 … 5 minutes"},
  };
  for (auto& y : rows)
    if (y.value < y.min || y.value > y.max)
      return y.name + behind + " must be " + y.bounds;
  return {};
}

std::string check_rule(const action_rule& rule) {
  auto& x = rule.options;
  auto behind = " of action '" + rule.pattern + '\'';
  if (auto wrong = check_action_pattern(rule.pattern); !wrong.empty())
    return "the pattern" + behind + " is wrong. " + std::string{wrong};
  if (auto wrong = check_counts(x, behind); !wrong.empty())
    return wrong;
  if (auto wrong = check_times(x.circuit, behind); !wrong.empty())
    return wrong;
  // Not the other way round, which would let a NaN pass.
  if (!(x.circuit.error_share >= 0 && x.circuit.error_share <= 1))
    return "error_share" + behind + " must be 0 … 1";
  if (auto wrong = check_action_options(x); !wrong.empty())
    return "the rule" + behind + " is wrong. " + std::string{wrong};
  return {};
}

std::string check_rate(const std::string& name, const rate_limit& x,
                       size_t max) {
  for (auto value : {x.per_second, x.burst})
    if (value > max)
      return out_of_bounds(name, value, 0, max, "");
  return {};
}

std::string check_cluster(const server_options& options) {
  auto& x = options.cluster;
  if (auto wrong = check(x); !wrong.empty() || !x.enabled())
    return wrong;
  if (options.node_name.size() > cluster_name_max)
    return "node_name has more than 64 bytes, which a cluster does not take";
  if (x.outbox_bytes_max < options.node.frame_bytes_max)
    return "the cluster's outbox_bytes_max is smaller than frame_bytes_max";
  for (auto& rule : options.node.topics)
    if (auto wrong = check_clustered(rule.options, x); !wrong.empty())
      return "the rule of topic '" + rule.pattern
             + "' does not go together with a cluster. " + std::string{wrong};
  return {};
}

// Checks that the node has a store if it keeps the topics of a rule.
std::string check_store(const server_options& options, const topic_rule& rule) {
  if (rule.options.durability == durability::none)
    return {};
  if (rule.options.replicas > 1 && !options.cluster.enabled())
    return "replicas of topic '" + rule.pattern
           + "' are for nodes of a cluster alone";
  auto behind = "durability of topic '" + rule.pattern + "' ";
  auto has_store = !options.store_dir.empty();
  if (!has_store && needs_store(options))
    return behind + "needs a store, but there is no store_dir";
  // The name was forgotten, or the store would be for nothing.
  if (has_store && options.cluster.enabled() && options.node_name.empty())
    return behind
           + "is for nodes with a name, but one with a store_dir has no "
             "node_name";
  return {};
}

// Checks what guards a node on the open internet.
std::string check_limits(const server_options& options) {
  constexpr size_t count_max = 1'000'000;
  auto& node = options.node;
  struct row {
    const char* name;
    rate_limit rate;
    size_t max;
  };
  const row rows[] = {
    {"handshakes", options.handshakes, count_max},
    {"address_handshakes", options.address_handshakes, count_max},
    {"frames", node.frames, count_max},
    {"bytes", node.bytes, size_t{1} << 30},
    {"publishes", node.publishes, count_max},
  };
  for (auto& x : rows)
    if (auto wrong = check_rate(x.name, x.rate, x.max); !wrong.empty())
      return wrong;
  // Else a message of the largest size could never be sent.
  if (node.bytes.on() && node.bytes.burst > 0
      && node.bytes.burst < node.frame_bytes_max)
    return "the burst of bytes is smaller than frame_bytes_max";
  for (auto& x : options.trusted_proxies)
    if (auto wrong = check_proxy(x); !wrong.empty())
      return "the trusted proxy '" + x + "' is wrong. " + std::string{wrong};
  return {};
}

std::string check_load(const load_options& x) {
  // Not the other way round, which would let a NaN pass.
  auto is_share = [](double y) { return y >= 0 && y <= 1; };
  if (!is_share(x.high))
    return "load.high must be 0 … 1";
  if (!is_share(x.low))
    return "load.low must be 0 … 1";
  // No score is below 0, so nothing would ever end.
  if (x.high > 0 && x.low <= 0)
    return "load.low must be above 0 unless load.high is 0";
  if (x.high > 0 && x.low >= x.high)
    return "load.low is not below load.high";
  for (auto weight : x.weights)
    if (!is_share(weight))
      return "load.weights must be 0 … 1";
  using namespace std::chrono_literals;
  if (x.turn_max < 1ms || x.turn_max > 1min)
    return "load.turn_max must be 1 ms … 1 minute";
  constexpr auto outbox_bytes_max = uint64_t{1} << 40;
  if (x.outbox_bytes_max < 65'536 || x.outbox_bytes_max > outbox_bytes_max)
    return out_of_bounds("load.outbox_bytes_max", x.outbox_bytes_max, 65'536,
                         outbox_bytes_max, " bytes");
  constexpr auto memory_bytes_min = uint64_t{1} << 20;
  constexpr auto memory_bytes_max = uint64_t{1} << 44;
  auto memory_bytes = x.memory_bytes_max;
  if (memory_bytes != 0
      && (memory_bytes < memory_bytes_min || memory_bytes > memory_bytes_max))
    return out_of_bounds("load.memory_bytes_max", memory_bytes,
                         memory_bytes_min, memory_bytes_max, " bytes");
  return {};
}

} // namespace

reload_options::reload_options(const server_options& x)
  : topics{x.node.topics},
    action_rules{x.node.action_rules},
    clients{x.node},
    front{x},
    origins{x.origins} {
}

void reload_options::apply_to(server_options& x) const {
  x.node.topics = topics;
  x.node.action_rules = action_rules;
  static_cast<client_limits&>(x.node) = clients;
  static_cast<front_limits&>(x) = front;
  x.origins = origins;
}

std::string_view check_rule_pattern(std::string_view x) noexcept {
  auto error = check_pattern(x);
  if (error != subject_error::reserved)
    return to_sentence(error);
  if (x.starts_with("$user/") || check_subscription(x) == subject_error::none)
    return "";
  return "A name that begins with $ must begin with $user/ or $dead/.";
}

std::string_view check_action_pattern(std::string_view x) noexcept {
  if (auto error = check_pattern(x); error != subject_error::none)
    return to_sentence(error);
  // Of a pattern as well, which could match nothing else.
  return x.starts_with("callboard.") ? to_sentence(subject_error::reserved)
                                     : "";
}

std::string_view check_action_options(const action_options& x) noexcept {
  if (x.rate.burst > 0 && !x.rate.on())
    return "A burst means nothing without a rate.";
  if (x.breaker && x.circuit.error_share == 0 && x.circuit.latency.count() == 0)
    return "A breaker that looks at neither errors nor latency never opens.";
  return "";
}

std::string_view check_clustered(const topic_options& x,
                                 const cluster_settings& cluster) noexcept {
  if (x.durability != durability::none && cluster.store_nodes.empty())
    return "A durability needs the names of the nodes that keep such topics "
           "(store-nodes).";
  if (x.replicas > std::max<size_t>(cluster.store_nodes.size(), 1))
    return "There are more replicas than nodes that keep such topics "
           "(store-nodes).";
  return "";
}

bool needs_store(const server_options& x) noexcept {
  auto& keepers = x.cluster.store_nodes;
  return !x.cluster.enabled()
         || std::ranges::find(keepers, x.node_name) != keepers.end();
}

std::string check(const server_options& options) {
  struct row {
    const char* name;
    uint64_t value;
    uint64_t min;
    uint64_t max;
    const char* unit;
  };
  auto ms = [](caf::timespan x) {
    return static_cast<uint64_t>(duration_cast<milliseconds>(x).count());
  };
  auto& node = options.node;
  const row rows[] = {
    {"loops", options.loops, 0, 256, ""},
    {"frame_bytes_max", node.frame_bytes_max, 128, 16u << 20, " bytes"},
    {"outbox_bytes_max", node.outbox_bytes_max, 1024, 1u << 30, " bytes"},
    {"inflight_max", node.inflight_max, 1, 65'535, ""},
    {"subscriptions_max", node.subscriptions_max, 1, 1'000'000, ""},
    {"registrations_max", node.registrations_max, 1, 65'535, ""},
    {"requests_max", node.requests_max, 1, 100'000'000, ""},
    {"responders_max", node.responders_max, 1, 1'000'000, ""},
    {"guarded_actions_max", node.guarded_actions_max, 1, 1'000'000, ""},
    {"topics_max", node.topics_max, 1, 100'000'000, ""},
    {"shard_bytes_max", node.shard_bytes_max, 65'536, uint64_t{1} << 40,
     " bytes"},
    {"ids_bytes_max", node.ids_bytes_max, 65'536, uint64_t{1} << 40, " bytes"},
    {"last_values_max", node.last_values_max, 1, 1'000'000, ""},
    {"history_bytes_max", node.history_bytes_max, 65'536, uint64_t{1} << 40,
     " bytes"},
    {"connections_max", node.connections_max, 1, 1'000'000, ""},
    {"user_connections_max", node.user_connections_max, 0, 1'000'000, ""},
    {"tenant_connections_max", node.tenant_connections_max, 0, 1'000'000, ""},
    {"address_connections_max", options.address_connections_max, 0, 1'000'000,
     ""},
    {"address_sessions_max", options.address_sessions_max, 0, 1'000'000, ""},
    {"ping_interval", ms(node.ping_interval), 100, 3'600'000, " ms"},
    {"ping_timeout", ms(node.ping_timeout), ms(node.ping_interval) + 1,
     86'400'000, " ms"},
    {"connect_timeout", ms(node.connect_timeout), 1, 600'000, " ms"},
    {"idle_timeout", ms(node.idle_timeout), 0, 86'400'000, " ms"},
    {"connection_lifetime", ms(node.connection_lifetime), 0, 31'622'400'000,
     " ms"},
    {"audit_interval", ms(node.audit_interval), 0, 86'400'000, " ms"},
    {"topic_linger", ms(node.topic_linger), 1'000, 86'400'000, " ms"},
    {"presence_linger", ms(node.presence_linger), 0, 3'600'000, " ms"},
    {"presence_interval", ms(node.presence_interval), 0, 60'000, " ms"},
    {"groups_max", node.groups_max, 1, 10'000'000, ""},
    {"topic_groups_max", node.topic_groups_max, 1, 10'000, ""},
    {"group_inflight_max", node.group_inflight_max, 1, 65'535, ""},
    {"group_pending_max", node.group_pending_max, 1, 1'000'000, ""},
    {"group_bytes_max", node.group_bytes_max, 65'536, uint64_t{1} << 40,
     " bytes"},
    {"group_attempts_max", node.group_attempts_max, 1, 1000, ""},
    {"group_ack_timeout", ms(node.group_ack_timeout), 1, 86'400'000, " ms"},
    {"group_linger", ms(node.group_linger), 1'000, 31'622'400'000, " ms"},
    {"accept_wait", ms(options.accept_wait), 0, 60'000, " ms"},
    {"accept_queue_max", options.accept_queue_max, 1, 1'000'000, ""},
    {"request_timeout", ms(options.request_timeout), 100, 600'000, " ms"},
    {"drain_timeout", ms(options.drain_timeout), 0, 3'600'000, " ms"},
  };
  for (auto& x : rows)
    if (x.value < x.min || x.value > x.max)
      return out_of_bounds(x.name, x.value, x.min, x.max, x.unit);
  if (auto wrong = check_tls(options.tls); !wrong.empty())
    return wrong;
  if (auto wrong = check_load(node.load); !wrong.empty())
    return wrong;
  if (auto wrong = check(options.admin); !wrong.empty())
    return wrong;
  if (auto wrong = check_cluster(options); !wrong.empty())
    return wrong;
  constexpr auto store_bytes_min = uint64_t{1} << 20;
  constexpr auto store_bytes_max = uint64_t{1} << 44;
  auto store_bytes = options.store_bytes_max;
  if (store_bytes != 0
      && (store_bytes < store_bytes_min || store_bytes > store_bytes_max))
    return out_of_bounds("store_bytes_max", store_bytes, store_bytes_min,
                         store_bytes_max, " bytes");
  for (auto& x : node.topics) {
    if (auto wrong = check_rule(x); !wrong.empty())
      return wrong;
    if (auto wrong = check_store(options, x); !wrong.empty())
      return wrong;
  }
  for (auto& x : node.action_rules)
    if (auto wrong = check_rule(x); !wrong.empty())
      return wrong;
  for (auto& x : options.origins)
    if (auto wrong = check_origin_rule(x); !wrong.empty())
      return "the origin '" + x + "' is wrong. " + std::string{wrong};
  if (auto& cookie = options.token_cookie; !cookie.empty() && !is_token(cookie))
    return "token_cookie '" + cookie
           + "' is no name of a cookie: it may have letters, digits and "
             "!#$%&'*+-.^_`|~";
  // Else no event of the largest size could ever be delivered.
  if (node.outbox_bytes_max < node.frame_bytes_max)
    return "outbox_bytes_max is smaller than frame_bytes_max";
  return check_limits(options);
}

} // namespace callboard::net
