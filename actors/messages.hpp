#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <caf/actor.hpp>
#include <caf/default_enum_inspect.hpp>
#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>
#include <caf/timespan.hpp>

#include <callboard/actors/heartbeat.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/messages/errc.hpp>
#include <callboard/messages/payload.hpp>

// What actors send to each other. The first part is for applications, the
// second stays within a node.

namespace callboard {

// -- for applications ---------------------------------------------------------

/// A place in a topic's order. Subscribing from `{"", 0}` is subscribing to
/// what comes.
struct position {
  std::string epoch;
  /// Of the last event; 0 before the first.
  uint64_t offset = 0;

  friend bool operator==(const position&, const position&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, position& x) {
    return f.object(x).fields(f.field("epoch", x.epoch),
                              f.field("offset", x.offset));
  }
};

/// Returns a message's bytes to the receiver's credit when the last copy goes.
using credit_token = std::shared_ptr<void>;

/// A publication, as an embedded subscriber gets it.
struct event {
  /// Its full name (`tenant_space.hpp`), as that of `pattern` is.
  std::string topic;
  /// The pattern that matched; empty for a subscription to the topic itself.
  std::string pattern;
  std::string epoch;
  /// From 1; the topic's previous one plus one.
  uint64_t offset = 0;
  /// The user, or the connection where nobody is logged in.
  std::string sender;
  /// Unix time in milliseconds.
  int64_t timestamp = 0;
  callboard::payload payload;
  /// Whether it is the topic's last value from before the subscription.
  bool retained = false;
  /// The publisher's; empty: none.
  std::string key;
  /// The group as whose member this actor gets it; empty: none.
  std::string group;
  /// How often it was given to a member of this group, this time included; of
  /// a dead letter without a group, to one of `origin`.
  uint32_t attempt = 0;
  /// The group that a dead letter comes from; else empty.
  std::string origin;
  credit_token credit;

  template <class Inspector>
  friend bool inspect(Inspector& f, event& x) {
    return f.object(x).fields(
      f.field("topic", x.topic), f.field("pattern", x.pattern),
      f.field("epoch", x.epoch), f.field("offset", x.offset),
      f.field("sender", x.sender), f.field("timestamp", x.timestamp),
      f.field("payload", x.payload), f.field("retained", x.retained),
      f.field("key", x.key), f.field("group", x.group),
      f.field("attempt", x.attempt), f.field("origin", x.origin));
  }
};

/// Returns `x` as embedded actors get it, for no pattern.
event to_event(const publication& x);

/// A request, as an embedded responder gets it.
struct action_request {
  std::string action;
  callboard::payload payload;
  /// The user who asks, by the full name (`tenant_space.hpp`), or the
  /// connection where nobody is logged in.
  std::string sender;
  /// The connection that asks, as the node knows it that it is connected to;
  /// 0 for an embedded actor.
  connection_id connection = 0;
  /// W3C `traceparent`; empty: none.
  std::string trace;
  credit_token credit;

  template <class Inspector>
  friend bool inspect(Inspector& f, action_request& x) {
    return f.object(x).fields(f.field("action", x.action),
                              f.field("payload", x.payload),
                              f.field("sender", x.sender),
                              f.field("connection", x.connection),
                              f.field("trace", x.trace));
  }
};

/// What happened to a connection.
enum class lifecycle_kind : uint8_t {
  connected,
  subscribed,
  unsubscribed,
  disconnected,
};

std::string to_string(lifecycle_kind x);

bool from_string(caf::string_view name, lifecycle_kind& x);

bool from_integer(uint8_t number, lifecycle_kind& x);

template <class Inspector>
bool inspect(Inspector& f, lifecycle_kind& x) {
  return caf::default_enum_inspect(f, x);
}

/// A step in a connection's life. Those of one connection arrive in order,
/// `connected` first and `disconnected` last, each once.
struct lifecycle_event {
  lifecycle_kind kind = lifecycle_kind::connected;
  connection_id connection = 0;
  /// The connection's name on the wire.
  std::string name;
  /// The full name (`tenant_space.hpp`); empty where nobody is logged in.
  std::string user;
  /// The topic or pattern of `subscribed` and `unsubscribed`, by its full name.
  std::string subject;
  /// The close code and reason of `disconnected`.
  uint16_t code = 0;
  std::string reason;

  template <class Inspector>
  friend bool inspect(Inspector& f, lifecycle_event& x) {
    return f.object(x).fields(f.field("kind", x.kind),
                              f.field("connection", x.connection),
                              f.field("name", x.name), f.field("user", x.user),
                              f.field("subject", x.subject),
                              f.field("code", x.code),
                              f.field("reason", x.reason));
  }
};

// -- within a node ------------------------------------------------------------

/// The owner's answer to a publish.
struct published {
  /// The publisher's.
  uint32_t call_id = 0;
  errc code = errc::none;
  callboard::position position;
  /// When trying again can help, in milliseconds; 0: `retry_after_ms(code)`
  /// says so.
  uint64_t retry_after_ms = 0;
};

/// Returns what an error tells a client to wait, in milliseconds; 0: nothing.
constexpr uint64_t retry_after_ms(errc x) noexcept {
  return x == errc::overloaded || x == errc::storage_unavailable ? 1000 : 0;
}

/// What became of a request. With `code` none the payload is the answer, else
/// `name` and `sentence` tell why there is none.
struct request_outcome {
  /// From `errc`, or a responder's own from 1000.
  uint16_t code = 0;
  std::string name;
  bool temporary = false;
  /// 0: none.
  uint64_t retry_after_ms = 0;
  callboard::payload payload;

  static request_outcome answer(callboard::payload x) {
    request_outcome result;
    result.payload = std::move(x);
    return result;
  }

  /// Returns the outcome that stands for `x`, its sentence as payload.
  static request_outcome failure(errc x);

  [[nodiscard]] bool failed() const noexcept {
    return code != 0;
  }
};

/// Names a request at the router shard that owns it.
struct request_ticket {
  uint32_t shard = 0;
  uint64_t number = 0;

  friend bool operator==(const request_ticket&, const request_ticket&)
    = default;
};

/// A request on its way to a responder. Immutable once sent.
class routed_request : public caf::ref_counted {
public:
  action_request content;
  /// The asker's number for it; 0 for a `notify`, which nobody answers.
  uint32_t call_id = 0;
  caf::timespan timeout = caf::timespan{0};

  /// Returns roughly what it costs in memory, for credits.
  [[nodiscard]] int64_t cost() const noexcept {
    return static_cast<int64_t>(sizeof(routed_request) + content.action.size()
                                + content.payload.bytes().size()
                                + content.sender.size() + content.trace.size());
  }
};

using routed_request_ptr = caf::intrusive_ptr<routed_request>;

} // namespace callboard
