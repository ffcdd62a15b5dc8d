#include <callboard/net/server_options.hpp>

#include <chrono>
#include <cstdint>

#include <callboard/messages/topic.hpp>
#include <callboard/net/origins.hpp>

namespace callboard::net {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

constexpr caf::timespan history_ttl_max = std::chrono::hours{366 * 24};
constexpr size_t payload_bytes_max = 16u << 20;
constexpr size_t publish_rate_max = 1'000'000;

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
  if (x.publish_burst > 0 && x.publish_rate == 0)
    return "publish_burst" + behind + " means nothing without a publish_rate";
  return {};
}

} // namespace

std::string_view check_rule_pattern(std::string_view x) noexcept {
  auto error = check_pattern(x);
  if (error != subject_error::reserved)
    return to_sentence(error);
  if (x.starts_with("$user/") || check_subscription(x) == subject_error::none)
    return "";
  return "A name that begins with $ must begin with $user/ or $dead/.";
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
    {"topics_max", node.topics_max, 1, 100'000'000, ""},
    {"shard_bytes_max", node.shard_bytes_max, 65'536, uint64_t{1} << 40,
     " bytes"},
    {"ids_bytes_max", node.ids_bytes_max, 65'536, uint64_t{1} << 40, " bytes"},
    {"last_values_max", node.last_values_max, 1, 1'000'000, ""},
    {"history_bytes_max", node.history_bytes_max, 65'536, uint64_t{1} << 40,
     " bytes"},
    {"connections_max", node.connections_max, 1, 1'000'000, ""},
    {"ping_interval", ms(node.ping_interval), 100, 3'600'000, " ms"},
    {"ping_timeout", ms(node.ping_timeout), ms(node.ping_interval) + 1,
     86'400'000, " ms"},
    {"connect_timeout", ms(node.connect_timeout), 1, 600'000, " ms"},
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
    {"request_timeout", ms(options.request_timeout), 100, 600'000, " ms"},
    {"drain_timeout", ms(options.drain_timeout), 0, 3'600'000, " ms"},
  };
  for (auto& x : rows)
    if (x.value < x.min || x.value > x.max)
      return out_of_bounds(x.name, x.value, x.min, x.max, x.unit);
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
    if (x.options.durability != durability::none && options.store_dir.empty())
      return "durability of topic '" + x.pattern
             + "' needs a store, but there is no store_dir";
  }
  for (auto& x : options.origins)
    if (auto wrong = check_origin_rule(x); !wrong.empty())
      return "the origin '" + x + "' is wrong. " + std::string{wrong};
  // Else no event of the largest size could ever be delivered.
  if (node.outbox_bytes_max < node.frame_bytes_max)
    return "outbox_bytes_max is smaller than frame_bytes_max";
  return {};
}

} // namespace callboard::net
