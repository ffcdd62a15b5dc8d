#pragma once

#include <string_view>

#include <callboard/net/http_front.hpp>
#include <callboard/net/http_reader.hpp>
#include <callboard/net/http_reply.hpp>

namespace callboard::net {

/// A GET request, without a body, for a path with a WebSocket behind it.
struct http_upgrade_request {
  const http_request& request;
  /// The query of its target.
  std::string_view query;
  const http_peer& peer;
  /// Whether the path was `server_options::echo_path`.
  bool echo = false;
};

/// Answers a request for a WebSocket: negotiates, and shows the token that came
/// with it to `authority::authenticate`. Does no I/O.
/// @returns a refusal, or a 101 for which `front.admit()` has reserved a place.
http_reply answer_upgrade(const http_upgrade_request& asked, http_front& front);

/// Returns the refusal of a WebSocket. Where it is the node that takes none
/// (503), it says which others do.
http_reply refuse_upgrade(http_refusal refusal, http_front& front);

} // namespace callboard::net
