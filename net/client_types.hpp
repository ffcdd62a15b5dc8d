#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <callboard/messages/errc.hpp>
#include <callboard/messages/frame.hpp>
#include <callboard/messages/payload.hpp>

namespace callboard::net {

/// Where a client stands with its server.
enum class client_state {
  /// Not started, stopped, or given up.
  disconnected,
  /// On the way to `welcome`.
  connecting,
  connected,
  /// Waiting to connect again.
  retry_pending,
};

/// Returns the state's name.
std::string_view to_string(client_state x) noexcept;

/// A place in a topic's order.
struct position {
  /// Empty for a pattern.
  std::string epoch;
  uint64_t offset = 0;

  friend bool operator==(const position&, const position&) = default;
};

/// What the server says first.
struct welcome {
  std::string connection;
  std::string node;
  /// Empty where nobody is logged in.
  std::string user;
  uint64_t ping_interval_ms = 30'000;
  uint64_t ping_timeout_ms = 90'000;
  uint64_t frame_bytes_max = 64 * 1024;
  uint64_t inflight_max = 256;
  /// The server's Unix time in milliseconds; 0: not said.
  int64_t time_ms = 0;
  /// When the log-in runs out, in the server's time; 0: never.
  int64_t expires_ms = 0;
};

/// A connection that ended or did not come about.
struct disconnect_report {
  caf::error why;
  /// The WebSocket's close code; 1006 where there was none.
  uint16_t code = 1006;
  /// When the client tries again; none: it gives up.
  std::optional<caf::timespan> retry_in;
};

/// What somebody published; valid during the call.
struct event_view {
  std::string_view topic;
  payload_view body;
  uint64_t offset = 0;
  std::string_view sender;
  /// The pattern that matched; empty for a topic's own subscription.
  std::string_view pattern;
  /// Set on the first event of an epoch.
  std::string_view epoch;
  /// The publisher's; empty: none.
  std::string_view key;
  /// How often it was given to a member of its group, this time included; 0
  /// without a group.
  uint64_t attempt = 0;
  /// Of a dead letter: the group that it comes from.
  std::string_view origin;
  /// When the server took it: Unix time in milliseconds.
  int64_t timestamp = 0;
  /// W3C `traceparent`; empty: none.
  std::string_view trace;
  /// Whether it is the topic's last value, from before the subscription.
  bool retained = false;
};

/// A step of who comes to a topic and who goes, see Presence in
/// docs/protocol.md.
struct presence_note {
  enum class kind {
    join,
    leave,
    /// Steps may have been lost: ask again who is there.
    reset,
  };

  kind what = kind::reset;
  /// Empty where nobody is logged in.
  std::string user;
  /// The connection's name; empty for `reset`.
  std::string connection;

  friend bool operator==(const presence_note&, const presence_note&) = default;
};

/// Steps in their order; `topic` is valid during the call.
struct presence_view {
  std::string_view topic;
  std::vector<presence_note> notes;
};

/// Events that a subscriber did not get, or may not have got.
struct gap {
  /// The topic or pattern.
  std::string_view subject;
  /// For people and logs: `not_recovered`, or what the server said.
  std::string_view reason;
  /// Behind it all is there again; of a pattern without an epoch.
  position at = {};
  /// The group that did not get them; empty: a subscription of this client's.
  std::string_view group = {};
};

/// What a client tells about itself. Each may be left out.
struct client_handlers {
  /// Hears each state that the client comes to.
  std::function<void(client_state)> on_state;
  std::function<void(const welcome&)> on_connected;
  std::function<void(const disconnect_report&)> on_disconnected;
  std::function<void(const gap&)> on_gap;
  /// A topic's subscription stands again after a reconnect, and what was missed
  /// comes next.
  std::function<void(const std::string& topic, const position& since)>
    on_recovered;
  /// A subscription could not be had again after a reconnect, and has ended;
  /// `on_error` hears of it as well.
  std::function<void(const std::string& subject, const caf::error&)> on_lost;
  /// An error that belongs to no operation: of a subscription or action that
  /// could not be had again, or of a frame.
  std::function<void(const caf::error&)> on_error;
};

struct publish_options {
  /// Not to this client's own connection.
  bool no_echo = false;
  /// 1 … 64 bytes: the server accepts the same id once; empty: none.
  std::string id;
  /// 1 … 64 bytes: groups give events with the same key after each other, to
  /// the same member; empty: none.
  std::string key;
  /// W3C `traceparent`; empty: none.
  std::string trace;
  /// Whether the server answers. Without an answer `done` hears when it was
  /// sent, with an empty position, and nobody hears whether it was accepted.
  bool ack = true;
};

/// How a request is made.
struct request_options {
  /// 1 ms … 300 s; waiting for a connection is included.
  caf::timespan timeout = std::chrono::seconds{10};
  /// Whether it may be done twice: it is sent again where the connection was
  /// lost before the answer came.
  bool idempotent = false;
  /// 1 … 64 bytes, for `callboard.push`: as `publish_options::id`.
  std::string id;
  /// W3C `traceparent`; empty: none.
  std::string trace;
};

/// How a subscription begins.
struct subscribe_options {
  /// What was published behind this position comes first; an empty epoch: what
  /// is published from now on.
  position since;
  /// Whether the subscriber hears who comes to the topic and who goes.
  bool presence = false;
};

/// The answer to a subscription.
struct subscribed {
  /// Where it begins; of a pattern without an epoch.
  position at;
  /// Whether everything behind `since` comes.
  bool recovered = false;
  /// With a pattern: whether all last values come; none: there are none.
  std::optional<bool> retained;
};

/// How a client is a member of a group.
struct member_options {
  /// 1 … 64 bytes.
  std::string group;
  /// Whether each event is confirmed. Without it an event is gone with the
  /// connection that it was sent on.
  bool ack = true;
  /// Where a group that does not exist yet begins; an empty epoch: at what
  /// comes.
  position since = {};
};

using event_handler = std::function<void(const event_view&)>;

/// Takes who came to a topic and who went.
using presence_handler = std::function<void(const presence_view&)>;

/// Gets the events of a group. Returning true confirms the event, false gives
/// it to another member; without `member_options::ack` neither matters.
using member_handler = std::function<bool(const event_view&)>;

/// Confirms an event of a group, or gives it to another member. Called once, on
/// the client's thread; where the event is another member's already, or its
/// connection is gone, nothing happens.
using member_answer = std::function<void(bool confirmed)>;

/// A member that answers now or later.
struct member_handlers {
  std::function<void(const event_view&, member_answer)> on_event;
  /// The membership could not be had again after a reconnect, and has ended;
  /// `client_handlers::on_error` hears of it as well. May be left out.
  std::function<void(const caf::error&)> on_lost;
};

/// Names an operation of a client until it is answered, from 1; never used
/// again. 0: none, it has failed already.
using operation_id = uint64_t;

template <class T>
using result_handler = std::function<void(caf::expected<T>)>;

/// A request to one of a client's own actions, to be answered once. Copies
/// stand for the same request. Belongs to the client's thread; an answer that
/// comes too late is dropped.
class incoming_request {
public:
  /// Sends the answer's frame; false where nobody waits for it any more.
  using sender = std::function<bool(frame_view)>;

  incoming_request(std::string action, payload body, std::string from,
                   caf::timespan timeout, sender send)
    : action_{std::move(action)},
      body_{std::move(body)},
      from_{std::move(from)},
      timeout_{timeout},
      send_{std::move(send)} {
  }

  [[nodiscard]] const std::string& action() const noexcept {
    return action_;
  }

  [[nodiscard]] const payload& body() const noexcept {
    return body_;
  }

  /// Returns the user, or the connection where nobody is logged in.
  [[nodiscard]] const std::string& from() const noexcept {
    return from_;
  }

  /// Returns how long the asker waits.
  [[nodiscard]] caf::timespan timeout() const noexcept {
    return timeout_;
  }

  /// Answers.
  /// @returns false if nobody waits any more or the answer is too large; the
  ///          latter fails the request.
  bool answer(const payload& x) const;

  /// Fails with an error of the application's own.
  /// @param code at least 1,000; the asker gets it, and the name, as they are.
  /// @param temporary whether trying again can help.
  bool fail(uint16_t code, std::string_view name, std::string_view sentence,
            bool temporary = false) const;

  /// Fails with an error of the protocol's. Those are the server's to give, so
  /// that the asker gets `responder_failed`.
  bool fail(errc code, std::string_view sentence) const;

private:
  std::string action_;
  payload body_;
  std::string from_;
  caf::timespan timeout_;
  sender send_;
};

using request_handler = std::function<void(incoming_request)>;

} // namespace callboard::net
