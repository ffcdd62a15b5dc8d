#include "cluster_settings.hpp"

#include <chrono>
#include <string_view>

#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>

#include <callboard/net/server_options.hpp>

#include "topic_sections.hpp"
#include "units.hpp"

namespace callboard::cmd {

namespace {

using namespace std::chrono_literals;

setting cluster_listen_setting(net::cluster_settings& x) {
  auto set = [&x](std::string_view text) -> std::string {
    if (auto wrong = net::check_cluster_listen(text); !wrong.empty())
      return '\'' + std::string{text} + "' is wrong. " + std::string{wrong};
    x.listen = text;
    return {};
  };
  return {"cluster-listen",
          "HOST:PORT",
          "Be a node of a cluster, and let the others come to this address; "
          "beyond loopback it\ntakes certificates, or cluster-insecure",
          "port 0 to 65535, where 0 lets the system choose",
          "none",
          set,
          [&x] { return x.listen; }};
}

setting cluster_name_setting(net::cluster_settings& x) {
  auto result = text_setting("cluster-name", "NAME",
                             "Name of the cluster, 1 to 64 bytes; nodes of "
                             "others are refused",
                             x.name);
  result.standard = x.name;
  return result;
}

} // namespace

std::vector<setting> cluster_settings(net::cluster_settings& x) {
  return {
    cluster_listen_setting(x),
    list_setting("join", "ADDRESSES",
                 "Nodes to find all others by, as HOST:PORT, at most 64; every "
                 "address of a name\ncounts",
                 x.join, net::check_cluster_seed),
    list_setting(
      "advertise-url", "URLS",
      "Where clients reach this node, as ws:// or wss:// URLs, at "
      "most 4: other nodes send\nclients there that they do not take",
      x.advertise, net::check_advertised_url),
    list_setting("store-nodes", "NAMES",
                 "Names of all nodes that keep topics with a durability, at "
                 "most 64; the same at all\nnodes of the cluster",
                 x.store_nodes, net::check_store_node),
    cluster_name_setting(x),
    duration_setting("cluster-heartbeat",
                     "Time between two signs of life of a node", x.heartbeat,
                     100ms, 1min),
    duration_setting("cluster-timeout",
                     "Time without any after which a node is down; 3 times "
                     "cluster-heartbeat at least",
                     x.timeout, 300ms, 10min),
    size_setting("cluster-outbox-bytes-max",
                 "Bytes that may be on their way to another node; with more it "
                 "is down",
                 x.outbox_bytes_max, mib, 16 * 1024 * mib),
    switch_setting("cluster-insecure",
                   "Let nodes talk beyond loopback without certificates: who "
                   "reaches the port may\ndo everything",
                   x.insecure),
    text_setting("cluster-cert", "FILE",
                 "Speak TLS between nodes, with the certificate in this PEM "
                 "file and those that lead\nto its root behind it",
                 x.certificate_file),
    text_setting("cluster-key", "FILE",
                 "Its private key, in PEM, without a pass phrase", x.key_file),
    text_setting("cluster-ca", "FILE",
                 "Who vouches for the certificates of nodes, in PEM; each of "
                 "them is let in, so it\nis to be the cluster's own",
                 x.ca_file),
  };
}

std::string check_cluster(const net::cluster_settings& x) {
  if (!x.enabled() && !x.join.empty())
    return "join means nothing without cluster-listen";
  if (!x.enabled() && !x.advertise.empty())
    return "advertise-url means nothing without cluster-listen";
  if (!x.enabled() && !x.store_nodes.empty())
    return "store-nodes means nothing without cluster-listen";
  if (x.encrypted() != !x.key_file.empty()
      || x.encrypted() != !x.ca_file.empty())
    return "cluster-cert, cluster-key and cluster-ca need each other";
  if (x.enabled() && x.timeout < 3 * x.heartbeat)
    return "cluster-timeout (" + format_duration(x.timeout)
           + ") is shorter than 3 times cluster-heartbeat ("
           + format_duration(x.heartbeat)
           + "); a lost sign of life must not take a node down";
  return net::check(x);
}

std::string check_clustered(const std::vector<config_section>& sections,
                            const std::string& file,
                            const net::cluster_settings& x) {
  for (auto& section : sections) {
    if (section.kind != section_kind::topic)
      continue;
    topic_options options;
    auto table = topic_settings(options);
    for (auto& line : section.lines)
      for (auto& row : table) {
        // What is wrong with a value has been said.
        if (row.name != line.name || !row.set(line.value).empty())
          continue;
        if (auto wrong = net::check_clustered(options, x); !wrong.empty())
          return file + ", line " + std::to_string(line.line) + ", " + line.name
                 + " for topic '" + section.pattern
                 + "' does not go together with cluster-listen. "
                 + std::string{wrong};
      }
  }
  return {};
}

void configure(caf::actor_system_config& to, const net::cluster_settings& x) {
  if (!x.enabled())
    return;
  to.load<caf::io::middleman>();
  // Nodes have signs of life of their own. CAF's would end the second of two
  // connections, which it makes where two nodes dial each other at once, and
  // the first one with it.
  to.set("caf.middleman.heartbeat-interval", caf::timespan{0});
  if (!x.encrypted())
    return;
  to.load<caf::openssl::manager>();
  to.openssl_certificate = x.certificate_file;
  to.openssl_key = x.key_file;
  to.openssl_cafile = x.ca_file;
}

} // namespace callboard::cmd
