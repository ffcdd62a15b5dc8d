#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

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
};

/// Events that a subscriber did not get, or may not have got.
struct gap {
  /// The topic or pattern.
  std::string_view subject;
  /// For people and logs: `not_recovered`, or what the server said.
  std::string_view reason;
};

/// What a client tells about itself. Each may be left out.
struct client_handlers {
  std::function<void(const welcome&)> on_connected;
  std::function<void(const disconnect_report&)> on_disconnected;
  std::function<void(const gap&)> on_gap;
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
};

/// How a client is a member of a group.
struct member_options {
  /// 1 … 64 bytes.
  std::string group;
  /// Whether each event is confirmed. Without it an event is gone with the
  /// connection that it was sent on.
  bool ack = true;
};

using event_handler = std::function<void(const event_view&)>;

/// Gets the events of a group. Returning true confirms the event, false gives
/// it to another member; without `member_options::ack` neither matters.
using member_handler = std::function<bool(const event_view&)>;

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
