#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <caf/error.hpp>

#include <callboard/actors/cluster/cluster_facts.hpp>
#include <callboard/actors/inventory.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/net/http_reply.hpp>

// What operators are answered, as JSON.

namespace callboard::net {

/// What `GET /api/node` tells of a node. The numbers of things that happened
/// count from the process's start.
struct node_facts {
  std::string name;
  std::string version;
  std::string incarnation;
  int64_t uptime_ms = 0;
  uint64_t loops = 0;
  bool draining = false;
  /// Whether it has yet to join its cluster, and takes no clients.
  bool joining = false;
  /// `none`, `up`, `unavailable` or `damaged`.
  std::string store;
  int64_t resident_bytes = 0;
  int64_t connecting = 0;
  int64_t connections = 0;
  int64_t disconnecting = 0;
  int64_t closed = 0;
  /// What is subscribed on each loop, added up.
  int64_t topics = 0;
  int64_t subscriptions = 0;
  /// Topics with replicas that it serves, and those of them that no other
  /// disk has for now.
  int64_t copied_topics = 0;
  int64_t copied_topics_alone = 0;
  int64_t outbox_bytes = 0;
  int64_t frames_in = 0;
  int64_t frames_out = 0;
  int64_t bytes_in = 0;
  int64_t bytes_out = 0;
  int64_t publishes = 0;
  int64_t deliveries = 0;
  int64_t requests = 0;
  int64_t drops = 0;
  int64_t refused = 0;
};

std::string to_json(const node_facts& x);

/// `{"enabled": true, …, "members": […]}`
std::string to_json(const cluster_facts& x);

/// `{"enabled": false, "members": []}`, where there is no cluster.
std::string no_cluster_json();

/// `{"connections": […], "next": ID}`, without `next` on the last page.
std::string to_json(const connection_page& x);

/// `{"topics": […], "next": NAME}` in the same way.
std::string to_json(const topic_page& x);

/// `{"epoch": …, "offset": …}`
std::string to_json(const position& x);

/// `{"closed": N}`
std::string closed_json(uint64_t n);

/// `{"level": …}`
std::string level_json(std::string_view level);

/// Returns an answer of status 200 with this text.
http_content json_content(std::string text);

/// Returns `{"error": name, "message": sentence}`.
http_content error_content(unsigned status, std::string_view name,
                           std::string_view sentence);

/// Returns the same for an error of the node: an `errc` by its name and with
/// the status that suits it; 504 where somebody did not answer in time, and 503
/// `unavailable` where there was nobody.
http_content error_content(const caf::error& x);

} // namespace callboard::net
