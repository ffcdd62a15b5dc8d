#include <callboard/net/server_options.hpp>

#include <chrono>
#include <cstdint>

namespace callboard::net {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

std::string out_of_bounds(const char* name, uint64_t value, uint64_t min,
                          uint64_t max, const char* unit) {
  return std::string{name} + " is " + std::to_string(value) + unit
         + ", but must be " + std::to_string(min) + " … " + std::to_string(max)
         + unit;
}

} // namespace

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
    {"connections_max", node.connections_max, 1, 1'000'000, ""},
    {"ping_interval", ms(node.ping_interval), 100, 3'600'000, " ms"},
    {"ping_timeout", ms(node.ping_timeout), ms(node.ping_interval) + 1,
     86'400'000, " ms"},
    {"connect_timeout", ms(node.connect_timeout), 1, 600'000, " ms"},
    {"topic_linger", ms(node.topic_linger), 1'000, 86'400'000, " ms"},
    {"request_timeout", ms(options.request_timeout), 100, 600'000, " ms"},
    {"drain_timeout", ms(options.drain_timeout), 0, 3'600'000, " ms"},
  };
  for (auto& x : rows)
    if (x.value < x.min || x.value > x.max)
      return out_of_bounds(x.name, x.value, x.min, x.max, x.unit);
  // Else no event of the largest size could ever be delivered.
  if (node.outbox_bytes_max < node.frame_bytes_max)
    return "outbox_bytes_max is smaller than frame_bytes_max";
  return {};
}

} // namespace callboard::net
