#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>

#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <callboard/net/url.hpp>

namespace callboard::net {

/// Why a token is asked for.
enum class token_reason {
  /// To log in.
  connect,
  /// The log-in runs out soon.
  refresh,
  /// The last one was refused, or has run out.
  refused,
};

/// Takes a token, or why there is none. Any thread; calls after the first one
/// do nothing.
using token_handler = std::function<void(caf::expected<std::string>)>;

/// Gets a token and hands it on, now or later. It is called on the client's
/// thread and must not block.
using token_source = std::function<void(token_reason, token_handler)>;

/// What gives way where more is asked for than may wait.
enum class queue_policy {
  /// What is new.
  reject,
  /// The request, notification or publication that has waited for longest.
  drop_oldest,
};

/// A connection that is lost sooner was none, when it comes to waits and to
/// circuits: else a server that lets clients in and fails at once would be
/// asked again and again.
inline constexpr std::chrono::seconds stable_after{10};

/// What a client is started with.
struct client_options {
  /// Where the server is.
  url server;
  /// Shown as `Authorization: Bearer`; empty: none.
  std::string token;
  /// Takes the place of `token`: is asked for one before each connection, and
  /// before a log-in runs out; then the living connection shows it. An empty
  /// token: none is shown.
  token_source get_token;
  /// With so many refused tokens in a row the client gives up, at least 1.
  /// Without `get_token` it does so with the first.
  size_t token_refusals_max = 3;
  /// PEM file with the certificates that vouch for a server with TLS; empty:
  /// those of the system.
  std::string ca_file;
  /// PEM files with the certificate that is shown to it, and its key; empty:
  /// none.
  std::string certificate_file;
  std::string key_file;
  /// `User-Agent` of the HTTP request.
  std::string name = "callboard";
  /// Whether to connect again after a connection was lost or did not come
  /// about, where the server does not advise against it.
  bool reconnect = true;
  /// Bound of the first wait before that, more than 0, and of every wait.
  caf::timespan backoff_base = std::chrono::seconds{1};
  caf::timespan backoff_cap = std::chrono::seconds{60};
  /// Time for the name's look-up, TCP, the WebSocket and `welcome` together.
  caf::timespan connect_timeout = std::chrono::seconds{10};
  /// Time for the answer of everything but requests, waiting included.
  caf::timespan operation_timeout = std::chrono::seconds{30};
  /// Operations that may wait for a connection or for their turn, at least 1;
  /// beyond them one fails with `overloaded`.
  size_t queue_max = 10'000;
  /// Bytes of payload that may wait so.
  size_t queued_bytes_max = 16 * 1024 * 1024;
  /// Which one fails then.
  queue_policy when_full = queue_policy::reject;
  /// Requests to this client's responders that may be unanswered; beyond them
  /// a new one is answered `overloaded`.
  size_t incoming_max = 1024;
  /// Largest message that is taken from the server, in bytes.
  size_t message_bytes_max = 16 * 1024 * 1024;
  /// Offers permessage-deflate.
  bool compression = false;
};

} // namespace callboard::net
