#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <caf/timespan.hpp>

#include <callboard/actors/authority.hpp>
#include <callboard/actors/options.hpp>

namespace callboard::net {

/// What a server is started with. `node` holds what the actors go by; the rest
/// is about sockets.
struct server_options {
  node_options node;
  /// IP address to listen on, v4 or v6.
  std::string address = "127.0.0.1";
  /// TCP port, 0 … 65,535; 0 lets the system choose.
  uint16_t port = 8080;
  /// Threads that serve connections, 1 … 256; 0 takes one a core.
  size_t loops = 0;
  /// Negotiates permessage-deflate with clients that offer it.
  bool compression = false;
  /// Path of a WebSocket whose messages come back as they are; empty: none.
  std::string echo_path;
  /// Whether `/` serves the page to try the server with.
  bool page = true;
  /// Whether `/metrics` is served.
  bool metrics = true;
  /// Time for one full HTTP request, 0.1 s … 10 min.
  caf::timespan request_timeout = std::chrono::seconds{10};
  /// Time from a drain's start to the end of the last connection, 0 … 1 h.
  caf::timespan drain_timeout = std::chrono::seconds{10};
  /// Folder of the store that topics with a durability need; made if need be;
  /// empty: none. It belongs to one node.
  std::string store_dir;
  /// Largest size of the store's file in bytes, at least 1,048,576; beyond it
  /// the store is full. 0: as large as the disk.
  size_t store_bytes_max = 0;
  /// Name of this node in `welcome`; empty: chosen at random.
  std::string node_name;
  /// The pages that may open a WebSocket, by origin: `https://example.com`,
  /// `https://*.example.com`, or `*` for all. Empty: those of the same host.
  std::vector<std::string> origins;
  /// Name of the cookie that may hold the token; empty: none.
  std::string token_cookie;
  /// Who is let in and who may do what; the zero value lets everybody do
  /// everything.
  authority rights;
};

/// What of its options a server takes anew while it runs.
struct reload_options {
  /// In place of `node_options::topics`.
  std::vector<topic_rule> topics;
  /// In place of `server_options::origins`.
  std::vector<std::string> origins;
};

/// Checks the pattern of a `topic_rule`: a topic or a pattern; of those that
/// begin with `$` only the ones below `$user/` and `$dead/`.
/// @returns empty, or a sentence that says what is wrong.
std::string_view check_rule_pattern(std::string_view x) noexcept;

/// Returns a sentence that names the first option out of its bounds; empty if
/// all are well.
std::string check(const server_options& options);

} // namespace callboard::net
