#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/actors/inventory.hpp>
#include <callboard/net/admin_json.hpp>

namespace callboard::cmd {

/// A node of a cluster, as another one sees it.
struct top_member {
  std::string name;
  std::string address;
  /// `up`, `leaving`, `joining` or `down`.
  std::string state;
  bool heard = false;
  /// Below 0: it is not known.
  double round_trip_ms = -1;
  uint64_t outstanding_bytes = 0;
  /// 0 … 1.
  double owner_share = 0;
  /// 0 … 1.
  double load = 0;
  uint64_t connections = 0;
  /// `open`, `busy`, `full` or `draining`; empty: it is not known.
  std::string intake;
};

/// A cluster; without members there is none.
struct top_cluster {
  std::string name;
  /// The node that tells this.
  std::string self;
  uint64_t view = 0;
  std::vector<top_member> members;
  /// The store nodes that own no topics for now.
  std::vector<std::string> absent;
};

/// What `callboard top` knows of a node at one moment.
struct top_sample {
  net::node_facts node;
  top_cluster cluster;
  /// The first ones by name.
  topic_page topics;
  /// Steady time in milliseconds.
  int64_t at_ms = 0;
};

/// Reads the answer to `GET /api/node`.
/// @returns nothing if it is something else.
std::optional<net::node_facts> read_node(std::string_view json);

/// Reads the answer to `GET /api/cluster`, as far as it is shown.
std::optional<top_cluster> read_cluster(std::string_view json);

/// Reads the answer to `GET /api/topics`.
std::optional<topic_page> read_topics(std::string_view json);

/// Returns what `callboard top` shows: lines, each with its line feed.
/// @param before an earlier sample, for what happens in a second; null: there
///               is none, or it is of another run of the node.
/// @param lines how many there is room for; 0: for all.
std::string top_view(const top_sample& now, const top_sample* before,
                     size_t lines);

/// Returns a number of bytes in few digits: `1.5MiB`.
std::string short_size(int64_t bytes);

/// Returns a time in few digits: `3d04h`, `4m05s`.
std::string short_time(int64_t ms);

} // namespace callboard::cmd
