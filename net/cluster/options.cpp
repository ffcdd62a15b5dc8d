#include <callboard/net/cluster/options.hpp>

#include <algorithm>

#include <callboard/actors/cluster/client_url.hpp>
#include <callboard/net/admin_options.hpp>
#include <callboard/net/boost/asio.hpp>
#include <callboard/net/url.hpp>

namespace callboard::net {

namespace {

using namespace std::chrono_literals;

constexpr caf::timespan heartbeat_min = 100ms;
constexpr caf::timespan heartbeat_max = 1min;
constexpr caf::timespan cluster_timeout_max = 10min;
constexpr auto cluster_outbox_min = size_t{1} << 20;
constexpr auto cluster_outbox_max = size_t{16} << 30;
constexpr size_t cluster_name_bytes = 64;

bool is_wildcard(const std::string& host) {
  error_code failed;
  auto ip = asio::ip::make_address(host, failed);
  return !failed && ip.is_unspecified();
}

bool is_address(const std::string& host) {
  error_code failed;
  asio::ip::make_address(host, failed);
  return !failed;
}

// Of one that may be a name, which is checked once it is resolved.
std::string check_literal(const cluster_settings& x, std::string_view address) {
  auto place = parse_host_and_port(address);
  return place && is_address(place->host) ? check_cluster_reach(x, place->host)
                                          : std::string{};
}

std::string check_advertised(const cluster_settings& x) {
  if (x.advertise.size() > client_urls_max)
    return "there are " + std::to_string(x.advertise.size())
           + " URLs for clients (advertise-url), but "
           + std::to_string(client_urls_max) + " at most may be given";
  for (auto& y : x.advertise)
    if (auto wrong = check_advertised_url(y); !wrong.empty())
      return "the URL for clients '" + y + "' (advertise-url) is wrong. "
             + std::string{wrong};
  return {};
}

std::string check_store_nodes(const cluster_settings& x) {
  auto& names = x.store_nodes;
  if (names.size() > cluster_settings::store_nodes_max)
    return "there are " + std::to_string(names.size())
           + " names of store nodes, but 64 at most may be given";
  for (auto i = names.begin(); i != names.end(); ++i) {
    if (auto wrong = check_store_node(*i); !wrong.empty())
      return "the name of a store node '" + *i + "' is wrong. "
             + std::string{wrong};
    if (std::find(names.begin(), i, *i) != i)
      return "the store node '" + *i + "' is named twice";
  }
  return {};
}

std::string check_cluster_times(const cluster_settings& x) {
  if (x.heartbeat < heartbeat_min || x.heartbeat > heartbeat_max)
    return "the cluster's heartbeat must be 100 ms … 1 minute";
  if (x.timeout < 3 * x.heartbeat || x.timeout > cluster_timeout_max)
    return "the cluster's timeout must be 3 times its heartbeat … 10 minutes";
  return {};
}

} // namespace

std::string_view check_cluster_listen(std::string_view x) {
  auto place = parse_host_and_port(x);
  if (!place)
    return "It takes HOST:PORT, with brackets around IPv6, and a port of 0 to "
           "65535.";
  if (is_wildcard(place->host))
    return "The other nodes are told this address, so it takes one that they "
           "reach.";
  return "";
}

std::string_view check_cluster_seed(std::string_view x) {
  auto place = parse_host_and_port(x);
  if (!place || place->port == 0 || is_wildcard(place->host))
    return "It takes HOST:PORT, with brackets around IPv6, and a port of 1 to "
           "65535.";
  return "";
}

std::string_view check_store_node(std::string_view x) {
  if (x.empty() || x.size() > cluster_name_bytes)
    return "A node's name has 1 to 64 bytes.";
  return "";
}

std::string advertised_url(std::string_view x) {
  if (!valid_client_url(x))
    return {};
  auto where = parse_url(x);
  if (!where || is_wildcard(where->host))
    return {};
  auto result = (where->encrypted ? "wss://" : "ws://") + where->authority()
                + where->target;
  return valid_client_url(result) ? result : std::string{};
}

std::string_view check_advertised_url(std::string_view x) {
  if (advertised_url(x).empty())
    return "It takes a URL at which clients reach this node, like "
           "ws://192.0.2.1:8080/ws or wss://node1.example.com/ws, of 255 bytes "
           "at most.";
  return "";
}

std::string check_cluster_reach(const cluster_settings& x,
                                const std::string& ip) {
  if (x.leaves_machine() || is_loopback(ip))
    return {};
  return "the cluster's address " + ip
         + " is not on loopback: that takes certificates of the nodes "
           "(cluster-cert, cluster-key, cluster-ca), or cluster-insecure where "
           "nobody else reaches its port";
}

std::string check(const cluster_settings& x) {
  if (!x.enabled()) {
    if (x.join.empty() && x.advertise.empty() && x.store_nodes.empty())
      return {};
    return std::string{!x.join.empty()        ? "nodes to join"
                       : !x.advertise.empty() ? "URLs for clients"
                                              : "store nodes"}
           + " mean nothing without an address of this one for the "
             "cluster (cluster-listen)";
  }
  if (auto wrong = check_cluster_listen(x.listen); !wrong.empty())
    return "the cluster's address '" + x.listen + "' is wrong. "
           + std::string{wrong};
  if (auto wrong = check_literal(x, x.listen); !wrong.empty())
    return wrong;
  if (x.join.size() > cluster_settings::join_max)
    return "there are " + std::to_string(x.join.size())
           + " nodes to join, but 64 at most may be given";
  for (auto& seed : x.join) {
    if (auto wrong = check_cluster_seed(seed); !wrong.empty())
      return "the node to join '" + seed + "' is wrong. " + std::string{wrong};
    if (auto wrong = check_literal(x, seed); !wrong.empty())
      return wrong;
  }
  if (auto wrong = check_advertised(x); !wrong.empty())
    return wrong;
  if (auto wrong = check_store_nodes(x); !wrong.empty())
    return wrong;
  if (x.name.empty() || x.name.size() > cluster_name_bytes)
    return "the cluster's name must have 1 … 64 bytes";
  if (auto wrong = check_cluster_times(x); !wrong.empty())
    return wrong;
  if (x.outbox_bytes_max < cluster_outbox_min
      || x.outbox_bytes_max > cluster_outbox_max)
    return "the cluster's outbox_bytes_max must be 1 MiB … 16 GiB";
  if (x.encrypted() != !x.key_file.empty()
      || x.encrypted() != !x.ca_file.empty())
    return "a cluster's certificate, key and CA need each other";
  return {};
}

} // namespace callboard::net
