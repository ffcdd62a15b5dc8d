#include <callboard/net/admin_json.hpp>

#include <utility>
#include <vector>

#include <caf/sec.hpp>

#include <callboard/net/client_error.hpp>
#include <callboard/net/json_parts.hpp>

namespace callboard::net {

namespace {

using json_buffer = callboard_rapidjson::StringBuffer;

/// Writes a JSON object.
class object_writer {
public:
  object_writer() {
    out_.StartObject();
  }

  void name(std::string_view x) {
    out_.Key(x.data(), static_cast<unsigned>(x.size()));
  }

  void add(std::string_view key, std::string_view value) {
    name(key);
    out_.String(value.data(), static_cast<unsigned>(value.size()));
  }

  void add(std::string_view key, uint64_t value) {
    name(key);
    out_.Uint64(value);
  }

  void add(std::string_view key, int64_t value) {
    name(key);
    out_.Int64(value);
  }

  void add(std::string_view key, double value) {
    name(key);
    out_.Double(value);
  }

  void add_switch(std::string_view key, bool value) {
    name(key);
    out_.Bool(value);
  }

  void add(std::string_view key, const std::vector<std::string>& list) {
    name(key);
    out_.StartArray();
    for (auto& x : list)
      out_.String(x.data(), static_cast<unsigned>(x.size()));
    out_.EndArray();
  }

  template <class List, class F>
  void add_list(std::string_view key, const List& list, F&& add_members) {
    name(key);
    out_.StartArray();
    for (auto& x : list) {
      out_.StartObject();
      add_members(x);
      out_.EndObject();
    }
    out_.EndArray();
  }

  std::string take() {
    out_.EndObject();
    return std::string{buffer_.GetString(), buffer_.GetSize()} + '\n';
  }

private:
  json_buffer buffer_;
  callboard_rapidjson::Writer<json_buffer> out_{buffer_};
};

unsigned status_of(errc x) noexcept {
  switch (x) {
    case errc::bad_subject:
    case errc::bad_payload:
      return 400;
    case errc::unauthenticated:
    case errc::token_expired:
      return 401;
    case errc::forbidden:
      return 403;
    case errc::no_responder:
      return 404;
    case errc::frame_too_large:
      return 413;
    case errc::rate_limited:
      return 429;
    case errc::owner_down:
    case errc::overloaded:
    case errc::shutting_down:
    case errc::storage_unavailable:
      return 503;
    case errc::timeout:
      return 504;
    default:
      return 500;
  }
}

// Returns how a node stands: who is in no view is on its way, or gone.
std::string state_of(const callboard::node_facts& x) {
  if (x.in_view)
    return to_string(x.who.state);
  return x.linked ? "joining" : "down";
}

} // namespace

std::string to_json(const node_facts& x) {
  object_writer out;
  out.add("name", x.name);
  out.add("version", x.version);
  out.add("incarnation", x.incarnation);
  out.add("uptimeMs", x.uptime_ms);
  out.add("loops", x.loops);
  out.add_switch("draining", x.draining);
  out.add_switch("joining", x.joining);
  out.add("store", x.store);
  out.add("residentBytes", x.resident_bytes);
  out.add("connecting", x.connecting);
  out.add("connections", x.connections);
  out.add("disconnecting", x.disconnecting);
  out.add("closed", x.closed);
  out.add("topics", x.topics);
  out.add("subscriptions", x.subscriptions);
  out.add("copiedTopics", x.copied_topics);
  out.add("copiedTopicsAlone", x.copied_topics_alone);
  out.add("outboxBytes", x.outbox_bytes);
  out.add("framesIn", x.frames_in);
  out.add("framesOut", x.frames_out);
  out.add("bytesIn", x.bytes_in);
  out.add("bytesOut", x.bytes_out);
  out.add("publishes", x.publishes);
  out.add("deliveries", x.deliveries);
  out.add("requests", x.requests);
  out.add("drops", x.drops);
  out.add("refused", x.refused);
  return out.take();
}

std::string to_json(const cluster_facts& facts) {
  object_writer out;
  out.add_switch("enabled", true);
  out.add("name", facts.name);
  out.add("self", facts.self);
  out.add("view", facts.view);
  out.add("coordinator", facts.coordinator);
  out.add("storeNodes", facts.store_nodes);
  out.add("storeNodesAbsent", facts.absent_store_nodes);
  out.add_list("members", facts.nodes, [&out](const auto& x) {
    out.add("name", x.who.name);
    out.add("incarnation", x.who.incarnation);
    out.add("address", x.who.address);
    out.add("loops", uint64_t{x.who.loops});
    out.add("state", state_of(x));
    out.add_switch("linked", x.linked);
    out.add_switch("heard", x.heard);
    out.add("view", x.view);
    // JSON has nothing for what is not known.
    if (x.round_trip_ms >= 0)
      out.add("roundTripMs", x.round_trip_ms);
    out.add("load", static_cast<double>(x.load.score) / 1000);
    if (x.linked) {
      out.add("intake", to_string(x.load.intake));
      out.add("connections", x.load.connections);
      out.add("connectionsMax", x.load.connections_max);
    }
    out.add("urls", x.who.urls);
    out.add("outstandingBytes", x.outstanding_bytes);
    out.add("sentBytes", x.sent_bytes);
    out.add("receivedBytes", x.received_bytes);
    out.add("ownerShare", x.owner_share);
  });
  return out.take();
}

std::string no_cluster_json() {
  object_writer out;
  out.add_switch("enabled", false);
  out.add_list("members", std::vector<int>{}, [](int) {});
  return out.take();
}

std::string to_json(const connection_page& page) {
  object_writer out;
  out.add_list("connections", page.connections, [&out](const auto& x) {
    out.add("id", x.id);
    out.add("name", x.name);
    out.add("user", x.user);
    out.add("tenant", x.tenant);
    out.add("address", x.address);
    out.add("state", x.state);
    out.add("sinceMs", x.since_ms);
    out.add("idleMs", x.idle_ms);
    out.add("loop", uint64_t{x.loop});
    out.add("subscriptions", x.subscriptions);
    out.add("inflight", x.inflight);
    out.add("outboxBytes", x.outbox_bytes);
  });
  if (page.next != 0)
    out.add("next", page.next);
  return out.take();
}

std::string to_json(const topic_page& page) {
  object_writer out;
  out.add_list("topics", page.topics, [&out](const auto& x) {
    out.add("topic", x.topic);
    out.add("subscribers", x.subscribers);
    out.add("epoch", x.epoch);
    out.add("offset", x.offset);
    out.add("historyEvents", x.history_events);
    out.add("historyBytes", x.history_bytes);
  });
  if (!page.next.empty())
    out.add("next", page.next);
  return out.take();
}

std::string to_json(const position& x) {
  object_writer out;
  out.add("epoch", x.epoch);
  out.add("offset", x.offset);
  return out.take();
}

std::string closed_json(uint64_t n) {
  object_writer out;
  out.add("closed", n);
  return out.take();
}

std::string level_json(std::string_view level) {
  object_writer out;
  out.add("level", level);
  return out.take();
}

http_content json_content(std::string text) {
  http_content result;
  result.type = "application/json";
  result.fields = "Cache-Control: no-store\r\n";
  result.text = std::move(text);
  return result;
}

http_content error_content(unsigned status, std::string_view name,
                           std::string_view sentence) {
  // For the fields that go with the status.
  auto result = to_content(http_refusal{status, name, {}});
  object_writer out;
  out.add("error", name);
  out.add("message", sentence);
  result.text = out.take();
  return result;
}

http_content error_content(const caf::error& x) {
  if (x.category() == caf::type_id_v<errc>) {
    auto code = errc_of(x);
    return error_content(status_of(code), info(code).name, details(x).sentence);
  }
  if (x == caf::sec::request_timeout)
    return error_content(504, info(errc::timeout).name,
                         info(errc::timeout).sentence);
  return error_content(503, "unavailable", "This part of the node is gone.");
}

} // namespace callboard::net
