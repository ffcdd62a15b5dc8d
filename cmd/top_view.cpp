#include "top_view.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <unordered_map>
#include <utility>

#include <msgpack.hpp>

#include <callboard/messages/payload.hpp>

namespace callboard::cmd {

namespace {

/// A node as it says it is.
struct node_reading : net::node_facts {
  MSGPACK_DEFINE_MAP(
    MSGPACK_NVP("name", name), MSGPACK_NVP("version", version),
    MSGPACK_NVP("incarnation", incarnation), MSGPACK_NVP("uptimeMs", uptime_ms),
    MSGPACK_NVP("loops", loops), MSGPACK_NVP("draining", draining),
    MSGPACK_NVP("joining", joining), MSGPACK_NVP("copiedTopics", copied_topics),
    MSGPACK_NVP("copiedTopicsAlone", copied_topics_alone),
    MSGPACK_NVP("store", store), MSGPACK_NVP("residentBytes", resident_bytes),
    MSGPACK_NVP("connecting", connecting),
    MSGPACK_NVP("connections", connections),
    MSGPACK_NVP("disconnecting", disconnecting), MSGPACK_NVP("closed", closed),
    MSGPACK_NVP("topics", topics), MSGPACK_NVP("subscriptions", subscriptions),
    MSGPACK_NVP("outboxBytes", outbox_bytes),
    MSGPACK_NVP("framesIn", frames_in), MSGPACK_NVP("framesOut", frames_out),
    MSGPACK_NVP("bytesIn", bytes_in), MSGPACK_NVP("bytesOut", bytes_out),
    MSGPACK_NVP("publishes", publishes), MSGPACK_NVP("deliveries", deliveries),
    MSGPACK_NVP("requests", requests), MSGPACK_NVP("drops", drops),
    MSGPACK_NVP("refused", refused))
};

struct topic_reading : topic_facts {
  MSGPACK_DEFINE_MAP(MSGPACK_NVP("topic", topic), MSGPACK_NVP("epoch", epoch),
                     MSGPACK_NVP("offset", offset),
                     MSGPACK_NVP("subscribers", subscribers),
                     MSGPACK_NVP("historyEvents", history_events),
                     MSGPACK_NVP("historyBytes", history_bytes))
};

struct topics_reading {
  std::vector<topic_reading> topics;
  std::string next;

  MSGPACK_DEFINE_MAP(topics, next)
};

struct member_reading : top_member {
  MSGPACK_DEFINE_MAP(MSGPACK_NVP("name", name), MSGPACK_NVP("address", address),
                     MSGPACK_NVP("state", state), MSGPACK_NVP("heard", heard),
                     MSGPACK_NVP("roundTripMs", round_trip_ms),
                     MSGPACK_NVP("outstandingBytes", outstanding_bytes),
                     MSGPACK_NVP("ownerShare", owner_share),
                     MSGPACK_NVP("load", load),
                     MSGPACK_NVP("connections", connections),
                     MSGPACK_NVP("intake", intake))
};

struct cluster_reading {
  std::string name;
  std::string self;
  uint64_t view = 0;
  std::vector<member_reading> members;
  std::vector<std::string> absent;

  MSGPACK_DEFINE_MAP(MSGPACK_NVP("name", name), MSGPACK_NVP("self", self),
                     MSGPACK_NVP("view", view), MSGPACK_NVP("members", members),
                     MSGPACK_NVP("storeNodesAbsent", absent))
};

template <class T>
std::optional<T> read(std::string_view json) {
  auto content = payload::from_json(json);
  return content ? content->get_as<T>() : std::nullopt;
}

template <class... Ts>
std::string line(const char* format, Ts... xs) {
  // No text of a line is longer than a topic's name.
  std::array<char, 512> buffer{};
  auto n = snprintf(buffer.data(), buffer.size(), format, xs...);
  auto size = std::clamp<int>(n, 0, static_cast<int>(buffer.size()) - 1);
  return {buffer.data(), static_cast<size_t>(size)};
}

/// Says how much of something there was, and in a second.
class rates {
public:
  rates(const top_sample& now, const top_sample* before)
    : seconds_{before == nullptr
                 ? 0
                 : static_cast<double>(now.at_ms - before->at_ms) / 1000} {
  }

  // Returns `-` where that is not known.
  [[nodiscard]] std::string of(uint64_t now, uint64_t before) const {
    if (seconds_ <= 0 || now < before)
      return "-";
    return line("%.1f", static_cast<double>(now - before) / seconds_);
  }

private:
  double seconds_;
};

struct count_row {
  const char* title;
  int64_t net::node_facts::*count;
};

constexpr count_row count_rows[] = {
  {"frames in", &net::node_facts::frames_in},
  {"frames out", &net::node_facts::frames_out},
  {"bytes in", &net::node_facts::bytes_in},
  {"bytes out", &net::node_facts::bytes_out},
  {"publishes", &net::node_facts::publishes},
  {"deliveries", &net::node_facts::deliveries},
  {"requests", &net::node_facts::requests},
  {"drops", &net::node_facts::drops},
  {"refused", &net::node_facts::refused},
};

std::string head(const net::node_facts& x) {
  std::string result = "callboard " + x.version + "  node " + x.name + "  up "
                       + short_time(x.uptime_ms)
                       + line("  loops %llu  store ",
                              static_cast<unsigned long long>(x.loops))
                       + x.store + (x.joining ? "  JOINING" : "")
                       + (x.draining ? "  DRAINING" : "") + '\n';
  auto n = [](int64_t y) { return static_cast<long long>(y); };
  result += line("connections %lld (connecting %lld, disconnecting %lld)  "
                 "subscriptions %lld  topics %lld\n",
                 n(x.connections), n(x.connecting), n(x.disconnecting),
                 n(x.subscriptions), n(x.topics));
  result += "memory " + short_size(x.resident_bytes) + "  waiting "
            + short_size(x.outbox_bytes) + '\n';
  if (x.copied_topics > 0)
    result += line("topics with copies %lld (on this disk only %lld)\n",
                   n(x.copied_topics), n(x.copied_topics_alone));
  return result + '\n';
}

std::string counts(const top_sample& now, const top_sample* before,
                   const rates& rate) {
  auto result = line("%-12s %12s %20s\n", "", "per second", "total");
  for (auto& row : count_rows) {
    auto count = now.node.*row.count;
    auto earlier = before == nullptr ? count : before->node.*row.count;
    auto speed = rate.of(static_cast<uint64_t>(std::max<int64_t>(count, 0)),
                         static_cast<uint64_t>(std::max<int64_t>(earlier, 0)));
    result += line("%-12s %12s %20lld\n", row.title, speed.c_str(),
                   static_cast<long long>(count));
  }
  return result + '\n';
}

std::string round_trip(double ms) {
  return ms < 0 ? "-" : line("%.2fms", ms);
}

// Returns the nodes, this one marked; empty where there is no cluster.
std::string cluster(const top_cluster& x) {
  if (x.members.empty())
    return {};
  auto result = "cluster " + x.name
                + line("  view %llu\n", static_cast<unsigned long long>(x.view))
                + line("%-9s %10s %10s %7s %5s %8s  %s\n", "state",
                       "round trip", "on its way", "topics", "load", "clients",
                       "node");
  for (auto& y : x.members) {
    auto self = y.name == x.self;
    // Why no clients are sent there.
    auto closed = y.state == "up" && !y.intake.empty() && y.intake != "open";
    auto state = (closed ? y.intake : y.state) + (self || y.heard ? "" : "?");
    auto bytes = short_size(static_cast<int64_t>(y.outstanding_bytes));
    result += line("%-9s %10s %10s %6.1f%% %4.0f%% %8llu  ", state.c_str(),
                   round_trip(y.round_trip_ms).c_str(), bytes.c_str(),
                   y.owner_share * 100, y.load * 100,
                   static_cast<unsigned long long>(y.connections))
              + (self ? "* " : "") + y.name + ' ' + y.address + '\n';
  }
  for (auto& name : x.absent)
    result += "ABSENT    topics of store node " + name + " have no owner\n";
  return result + '\n';
}

// Those with the most subscribers first.
std::string topics(const top_sample& now, const top_sample* before,
                   const rates& rate) {
  std::unordered_map<std::string, const topic_facts*> earlier;
  if (before != nullptr)
    for (auto& x : before->topics.topics)
      earlier[x.topic] = &x;
  auto sorted = now.topics.topics;
  std::ranges::stable_sort(sorted, std::ranges::greater{},
                           &topic_facts::subscribers);
  std::string result = line(
    "%12s %12s %14s  %s\n", "subscribers", "per second", "offset",
    now.topics.next.empty() ? "topic" : "topic (of the first 1000 by name)");
  for (auto& x : sorted) {
    auto i = earlier.find(x.topic);
    auto same = i != earlier.end() && i->second->epoch == x.epoch;
    auto speed = same ? rate.of(x.offset, i->second->offset) : "-";
    result += line("%12llu %12s %14llu  ",
                   static_cast<unsigned long long>(x.subscribers),
                   speed.c_str(), static_cast<unsigned long long>(x.offset))
              + x.topic + '\n';
  }
  return result;
}

// Leaves out what there is no room for.
std::string cut(std::string text, size_t lines) {
  size_t end = 0;
  for (size_t i = 0; i < lines && end < text.size(); ++i)
    end = text.find('\n', end) + 1;
  if (lines > 0)
    text.resize(end);
  return text;
}

} // namespace

std::optional<net::node_facts> read_node(std::string_view json) {
  auto found = read<node_reading>(json);
  // Whatever else is an object has no such name.
  if (!found || found->incarnation.empty())
    return std::nullopt;
  return std::move(*found);
}

std::optional<top_cluster> read_cluster(std::string_view json) {
  auto found = read<cluster_reading>(json);
  if (!found)
    return std::nullopt;
  return top_cluster{std::move(found->name),
                     std::move(found->self),
                     found->view,
                     {found->members.begin(), found->members.end()},
                     std::move(found->absent)};
}

std::optional<topic_page> read_topics(std::string_view json) {
  auto found = read<topics_reading>(json);
  if (!found)
    return std::nullopt;
  topic_page result;
  result.next = std::move(found->next);
  for (auto& x : found->topics)
    result.topics.push_back(std::move(x));
  return result;
}

std::string top_view(const top_sample& now, const top_sample* before,
                     size_t lines) {
  // Another run counts from its own beginning.
  if (before != nullptr && before->node.incarnation != now.node.incarnation)
    before = nullptr;
  rates rate{now, before};
  return cut(head(now.node) + counts(now, before, rate) + cluster(now.cluster)
               + topics(now, before, rate),
             lines);
}

std::string short_size(int64_t bytes) {
  constexpr std::array units{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024)
    return std::to_string(bytes) + 'B';
  auto value = static_cast<double>(bytes) / 1024;
  size_t i = 0;
  for (; value >= 1024 && i + 1 < units.size(); ++i)
    value /= 1024;
  return line("%.1f", value) + units[i];
}

std::string short_time(int64_t ms) {
  auto s = static_cast<long long>(ms / 1000);
  if (s < 60)
    return line("%llds", s);
  if (s < 3600)
    return line("%lldm%02llds", s / 60, s % 60);
  if (s < 86'400)
    return line("%lldh%02lldm", s / 3600, s / 60 % 60);
  return line("%lldd%02lldh", s / 86'400, s / 3600 % 24);
}

} // namespace callboard::cmd
