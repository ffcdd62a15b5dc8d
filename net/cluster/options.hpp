#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <caf/timespan.hpp>

namespace callboard::net {

/// How a node takes part in a cluster.
struct cluster_settings {
  /// Where the other nodes reach this one: `HOST:PORT`, an IP address or a name
  /// of this machine, as the others have it; port 0 lets the system choose.
  /// Empty: there is no cluster.
  std::string listen;
  /// Nodes to find the others by, as `HOST:PORT`; at most `join_max`. All
  /// addresses of a name count. This node may be among them.
  std::vector<std::string> join;
  /// Where clients reach this node, as `ws://HOST:PORT/ws` or `wss://…`; at
  /// most `client_urls_max`. Clients that another node does not take are sent
  /// there. Empty: none are.
  std::vector<std::string> advertise;
  /// The names (`server_options::node_name`) of all nodes that keep durable
  /// topics, each once, in any order, the same at all nodes of the cluster; at
  /// most `store_nodes_max`. Empty: no topic may be durable.
  std::vector<std::string> store_nodes;
  /// Nodes of clusters with other names refuse each other; 1 … 64 bytes.
  std::string name = "callboard";
  /// Time between two signs of life, 100 ms … 1 min.
  caf::timespan heartbeat = std::chrono::seconds{1};
  /// Without any for so long, a node is down; 3 × `heartbeat` … 10 min.
  caf::timespan timeout = std::chrono::seconds{5};
  /// Bytes that may be on their way to another node, 1 MiB … 16 GiB; with more
  /// it is down.
  size_t outbox_bytes_max = size_t{64} << 20;
  /// Lets nodes beyond this machine talk without TLS: who reaches the port may
  /// do everything then.
  bool insecure = false;
  /// TLS between the nodes, in PEM: this node's certificate and those that lead
  /// to its root, its key without a pass phrase, and who vouches for the other
  /// nodes. All three, or none.
  std::string certificate_file;
  std::string key_file;
  std::string ca_file;

  /// Addresses that may be given to `join`.
  static constexpr size_t join_max = 64;

  /// Names that may be given to `store_nodes`.
  static constexpr size_t store_nodes_max = 64;

  [[nodiscard]] bool enabled() const noexcept {
    return !listen.empty();
  }

  [[nodiscard]] bool encrypted() const noexcept {
    return !certificate_file.empty();
  }

  /// Returns whether nodes on other machines are talked to.
  [[nodiscard]] bool leaves_machine() const noexcept {
    return encrypted() || insecure;
  }
};

/// Checks an address of `listen`.
/// @returns empty, or a sentence that says what is wrong.
std::string_view check_cluster_listen(std::string_view x);

/// Checks an address of `join`, in the same way.
std::string_view check_cluster_seed(std::string_view x);

/// Checks a name of `store_nodes`, in the same way.
std::string_view check_store_node(std::string_view x);

/// Returns a URL of `advertise` as clients are told it: with its port and path.
/// @returns empty where it is none.
std::string advertised_url(std::string_view x);

/// Checks a URL of `advertise`.
/// @returns empty, or a sentence that says what is wrong.
std::string_view check_advertised_url(std::string_view x);

/// Checks whether an IP address may be listened on or dialled.
/// @returns empty, or a sentence that says what is wrong.
std::string check_cluster_reach(const cluster_settings& x,
                                const std::string& ip);

/// Checks all of them together.
/// @returns empty, or a sentence that says what is wrong.
std::string check(const cluster_settings& x);

} // namespace callboard::net
