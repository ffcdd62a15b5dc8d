#pragma once

#include <string>

#include <sys/socket.h>

namespace callboard::cmd::bench {

/// Names a WebSocket server and where its name leads.
struct endpoint {
  std::string host;
  std::string port;
  std::string path;
  /// Whether it speaks TLS.
  bool encrypted = false;
  sockaddr_storage address{};
  socklen_t address_size = 0;

  /// Returns `HOST:PORT` for a Host header, with brackets around IPv6.
  std::string host_and_port() const;
};

/// Splits `ws://HOST[:PORT][/PATH]`, or `wss://` for TLS; the path defaults to
/// `/ws`.
/// @returns an empty string, or a sentence that says what is wrong.
std::string parse_url(const std::string& url, endpoint& result);

/// Looks the host up, which blocks.
/// @returns an empty string, or a sentence that says what is wrong.
std::string resolve(endpoint& target);

} // namespace callboard::cmd::bench
