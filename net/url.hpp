#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

namespace callboard::net {

/// Where a server is.
struct url {
  /// Name or IP address, v6 without brackets.
  std::string host;
  uint16_t port = 80;
  /// Path and query, as in the request line.
  std::string target = "/ws";
  /// Whether TLS is spoken there.
  bool encrypted = false;

  /// Returns `HOST:PORT` as in a Host header, with brackets around IPv6.
  [[nodiscard]] std::string authority() const;

  friend bool operator==(const url&, const url&) = default;
};

/// Reads `http://HOST[:PORT][/PATH][?QUERY]`; `ws://` means the same.
/// `https://` and `wss://` stand for TLS, where the port is 443 by default.
/// Without a path, or with `/`, the target is the protocol's own path `/ws`.
/// @returns caf::sec::invalid_argument with a sentence for people.
caf::expected<url> parse_url(std::string_view text);

/// Where to listen.
struct host_and_port {
  /// Name or IP address, v6 without brackets.
  std::string host;
  uint16_t port = 0;

  friend bool operator==(const host_and_port&, const host_and_port&) = default;
};

/// Reads `HOST:PORT`, with brackets around an IPv6 address: `[::1]:8080`.
/// @param port_default stands for a port that is left out; without one, that
///                     is an error.
/// @returns caf::sec::invalid_argument with a sentence for people.
caf::expected<host_and_port> parse_host_and_port(std::string_view text,
                                                 int port_default = -1);

} // namespace callboard::net
