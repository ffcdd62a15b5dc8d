#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callboard::net {

/// A parameter of an extension, such as `server_max_window_bits=10`.
struct ws_extension_param {
  std::string_view name;
  /// The value without its quotes; empty if there is none.
  std::string_view value;

  bool has_value = false;
};

/// One element of a Sec-WebSocket-Extensions list.
struct ws_extension {
  std::string_view name;
  std::vector<ws_extension_param> params;
};

/// Parses a Sec-WebSocket-Extensions list (RFC 6455, 9.1).
/// @param list header values, joined with commas where the header occurs
///             several times. The result has views into it.
/// @returns the elements in order, or nothing if the list is malformed.
std::optional<std::vector<ws_extension>>
parse_ws_extensions(std::string_view list);

/// How messages of a connection may be compressed (RFC 7692). Neither side ever
/// takes a context over, so that a resting connection holds no window.
struct ws_deflate_params {
  /// The largest window for what the server sends: 9 ... 15.
  int server_window_bits = 15;

  /// Whether the client asked for that window, so that the answer must say it.
  bool window_asked = false;
};

/// Chooses the first acceptable offer of permessage-deflate.
///
/// An offer with an unknown, repeated or invalid parameter is declined
/// (RFC 7692, 7), and so is a server window of 8 bits, which zlib cannot do.
/// The client's window size does not matter: the largest one is inflated.
std::optional<ws_deflate_params>
choose_deflate(const std::vector<ws_extension>& offers);

/// Returns the answer's Sec-WebSocket-Extensions value.
std::string to_header(const ws_deflate_params& params);

} // namespace callboard::net
