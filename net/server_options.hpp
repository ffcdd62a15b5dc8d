#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <caf/error.hpp>
#include <caf/timespan.hpp>

#include <callboard/actors/authority.hpp>
#include <callboard/actors/options.hpp>
#include <callboard/actors/token_bucket.hpp>
#include <callboard/net/admin_options.hpp>
#include <callboard/net/cluster/options.hpp>
#include <callboard/net/page_file.hpp>
#include <callboard/net/tls_context.hpp>

namespace callboard::net {

/// What a node, and one IP address, may have before anybody is let in. It can
/// change while the server runs.
struct front_limits {
  /// WebSockets of one IP address at once, 0 … 1,000,000; 0: no limit. An
  /// address is a v4 one, or a v6 network of 64 bits. One more is answered 429.
  size_t address_connections_max = 0;
  /// HTTP sessions of one IP address at once beside its WebSockets, 0 …
  /// 1,000,000; 0: no limit. Further sockets are closed. Not for proxies that
  /// are trusted.
  size_t address_sessions_max = 0;
  /// WebSocket handshakes of the node, 0 … 1,000,000; beyond them one is
  /// answered 503.
  rate_limit handshakes;
  /// The same of one IP address; beyond them one is answered 429.
  rate_limit address_handshakes;
};

/// What a server is started with. `node` holds what the actors go by; the rest
/// is about sockets.
struct server_options : front_limits {
  node_options node;
  /// IP address to listen on, v4 or v6.
  std::string address = "127.0.0.1";
  /// TCP port, 0 … 65,535; 0 lets the system choose.
  uint16_t port = 8080;
  /// Threads that serve connections, 1 … 256; 0 takes one a core.
  size_t loops = 0;
  /// What HTTP and WebSockets are encrypted with; without a certificate they
  /// are not.
  tls_options tls;
  /// Where operators talk to the node; the zero value: nowhere.
  admin_options admin;
  /// How the node takes part in a cluster; the zero value: not at all. It takes
  /// an actor system with CAF's middleman, see docs/embedding.md.
  cluster_settings cluster;
  /// Negotiates permessage-deflate with clients that offer it.
  bool compression = false;
  /// Path of a WebSocket whose messages come back as they are; empty: none.
  std::string echo_path;
  /// What browsers get at the paths of these files, but for `/ws` and the
  /// other paths of the server's own; they outlive the server. Empty: nothing.
  std::span<const page_file> page;
  /// Whether `/metrics` is served.
  bool metrics = true;
  /// How long a WebSocket handshake may wait for a place where the node is
  /// full, 0 … 60 s; 0: it is refused at once.
  caf::timespan accept_wait{0};
  /// Handshakes that may wait so at once, 1 … 1,000,000, on each loop 2,048 at
  /// most; beyond them one is refused at once.
  size_t accept_queue_max = 1000;
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
  /// Whether the process has no descriptors but the server's, so that the audit
  /// can tell when some leak.
  bool audits_descriptors = false;
  /// Name of this node in `welcome`, and in its cluster, where it is unique and
  /// has 64 bytes at most; empty: chosen at random.
  std::string node_name;
  /// The pages that may open a WebSocket, by origin: `https://example.com`,
  /// `https://*.example.com`, or `*` for all. Empty: those of the same host.
  std::vector<std::string> origins;
  /// The proxies whose `X-Forwarded-For` is believed, by IP address or network:
  /// `10.0.0.0/8`. Empty: none.
  std::vector<std::string> trusted_proxies;
  /// Name of the cookie that may hold the token, as RFC 6265, 4.1.1 has it;
  /// empty: none.
  std::string token_cookie;
  /// Who is let in and who may do what; the zero value lets everybody do
  /// everything.
  authority rights;
  /// Is called once, by the thread that starts the server, when the port is
  /// bound: before the store is opened and anybody is let in. An error ends the
  /// start. Empty: nothing.
  std::function<caf::error()> on_bound;
  /// Is called once, by any thread, when the node takes clients: at the end of
  /// the start, or when it has joined its cluster, or given that up, as
  /// `/ready` says. It must not block. Empty: nothing.
  std::function<void()> on_ready;
};

/// What of its options a server takes anew while it runs. All of it counts:
/// what is to stay is taken over from the options before.
struct reload_options {
  explicit reload_options(const server_options& x);

  /// Puts them in place of those in `x`.
  void apply_to(server_options& x) const;

  /// In place of `node_options::topics`.
  std::vector<topic_rule> topics;
  /// In place of `node_options::action_rules`.
  std::vector<action_rule> action_rules;
  /// In place of what `node_options` has of them.
  client_limits clients;
  /// In place of what `server_options` has of them.
  front_limits front;
  /// In place of `server_options::origins`.
  std::vector<std::string> origins;
};

/// Checks the pattern of a `topic_rule`: a topic or a pattern; of those that
/// begin with `$` only the ones below `$user/` and `$dead/`.
/// @returns empty, or a sentence that says what is wrong.
std::string_view check_rule_pattern(std::string_view x) noexcept;

/// Checks the pattern of an `action_rule`: an action or a pattern, but none of
/// the server's own.
/// @returns empty, or a sentence that says what is wrong.
std::string_view check_action_pattern(std::string_view x) noexcept;

/// Checks what does not go together in the options of an `action_rule`.
/// @returns empty, or a sentence that says what is wrong.
std::string_view check_action_options(const action_options& x) noexcept;

/// Checks that topics of a cluster have all that they need there.
/// @returns empty, or a sentence that says what is wrong.
std::string_view check_clustered(const topic_options& x,
                                 const cluster_settings& cluster) noexcept;

/// Returns whether a node keeps its durable topics itself: it is in no cluster,
/// or one of its store nodes.
[[nodiscard]] bool needs_store(const server_options& x) noexcept;

/// Returns a sentence that names the first option out of its bounds; empty if
/// all are well.
std::string check(const server_options& options);

} // namespace callboard::net
