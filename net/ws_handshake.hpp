#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <callboard/net/ws_extensions.hpp>

namespace callboard::net {

/// The header fields of an upgrade request that decide about it; empty where
/// missing. A list that came in several fields is joined with commas.
struct ws_request {
  std::string_view upgrade;
  std::string_view connection;
  std::string_view version;
  std::string_view key;
  std::string_view subprotocols;
  std::string_view extensions;
};

/// What a WebSocket endpoint takes.
struct ws_endpoint {
  /// The subprotocols spoken here. A client that offers none speaks the first;
  /// if there are none, offers are ignored.
  std::span<const std::string_view> subprotocols;

  /// Whether permessage-deflate may be negotiated.
  bool deflate = false;
};

/// The decision about an upgrade request (RFC 6455, 4.2).
struct ws_handshake {
  /// 101; or a refusal: 400, or 426, which is sent with
  /// `Sec-WebSocket-Version: 13` and `Upgrade: websocket`.
  unsigned status = 101;

  /// For a refusal its name and a sentence for people.
  std::string_view error;
  std::string message;

  /// The Sec-WebSocket-Accept value, 28 characters.
  std::string accept;

  /// The subprotocol that is spoken; empty if the endpoint has none. One of
  /// the endpoint's own views.
  std::string_view subprotocol;

  /// Whether the client offered it, so that the answer must name it.
  bool subprotocol_offered = false;

  /// How messages may be compressed; nothing if they may not.
  std::optional<ws_deflate_params> deflate;
};

/// Decides about an upgrade request.
ws_handshake decide_ws_handshake(const ws_request& request,
                                 const ws_endpoint& endpoint);

/// Returns the whole answer, header lines up to the empty one, to a request
/// that was accepted.
std::string to_http(const ws_handshake& handshake);

/// Returns the Sec-WebSocket-Accept value for a key (RFC 6455, 4.2.2).
std::string ws_accept_key(std::string_view key);

/// Returns whether this is 16 bytes in base64 (RFC 6455, 4.2.1).
bool is_ws_key(std::string_view key) noexcept;

} // namespace callboard::net
