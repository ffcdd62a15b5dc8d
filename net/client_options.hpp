#pragma once

#include <cstddef>
#include <string>

#include <caf/timespan.hpp>

#include <callboard/net/url.hpp>

namespace callboard::net {

/// What a client is started with.
struct client_options {
  /// Where the server is.
  url server;
  /// Shown as `Authorization: Bearer`; empty: none.
  std::string token;
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
  /// beyond them a new one fails with `overloaded`.
  size_t queue_max = 10'000;
  /// Bytes of payload that may wait so.
  size_t queued_bytes_max = 16 * 1024 * 1024;
  /// Requests to this client's responders that may be unanswered; beyond them
  /// a new one is answered `overloaded`.
  size_t incoming_max = 1024;
  /// Largest message that is taken from the server, in bytes.
  size_t message_bytes_max = 16 * 1024 * 1024;
  /// Offers permessage-deflate.
  bool compression = false;
};

} // namespace callboard::net
