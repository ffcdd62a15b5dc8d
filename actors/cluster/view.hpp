#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <caf/default_enum_inspect.hpp>

// Who is in a cluster, as all its nodes agree on it. Values that go to other
// nodes.

namespace callboard {

/// How a node stands in a view. A node that is down is in no view.
enum class member_state : uint8_t {
  /// It owns topics and takes clients.
  up,
  /// It goes: it owns nothing that is new, and hands over what it has.
  leaving,
};

std::string to_string(member_state x);

bool from_string(caf::string_view name, member_state& x);

bool from_integer(uint8_t number, member_state& x);

template <class Inspector>
bool inspect(Inspector& f, member_state& x) {
  return caf::default_enum_inspect(f, x);
}

/// One run of a node.
struct member {
  /// Unique within a cluster: 1 … 64 bytes.
  std::string name;
  /// Tells one run of the node from the next.
  std::string incarnation;
  /// Where other nodes reach it: `host:port`.
  std::string address;
  /// How many shards it has, from 1.
  uint32_t loops = 1;
  member_state state = member_state::up;
  /// Where clients reach it, as they are told (`client_url.hpp`); none: no
  /// client is sent there.
  std::vector<std::string> urls = {};
  /// `store_nodes::digest` of those that it was told of; 0: it was of none.
  uint64_t stores = 0;

  /// Returns whether both are the same run of the same node.
  [[nodiscard]] bool same_run(const member& other) const noexcept {
    return name == other.name && incarnation == other.incarnation;
  }

  friend bool operator==(const member&, const member&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, member& x) {
    return f.object(x).fields(
      f.field("name", x.name), f.field("incarnation", x.incarnation),
      f.field("address", x.address), f.field("loops", x.loops),
      f.field("state", x.state), f.field("urls", x.urls),
      f.field("stores", x.stores));
  }
};

/// The nodes of a cluster at one time. One of them, the coordinator, makes the
/// next view; everybody goes by the newest that names it.
struct cluster_view {
  /// From 1; that of the view before plus one at least.
  uint64_t number = 0;
  /// The name of the node that made it.
  std::string coordinator;
  /// In the order in which they joined. The first one that lives is the
  /// coordinator.
  std::vector<member> members;

  /// Returns whether this one counts where `other` was known.
  [[nodiscard]] bool newer_than(const cluster_view& other) const noexcept {
    return number != other.number ? number > other.number
                                  : coordinator < other.coordinator;
  }

  /// Returns the member with this name, or null.
  [[nodiscard]] const member* find(std::string_view name) const noexcept;

  friend bool operator==(const cluster_view&, const cluster_view&) = default;

  template <class Inspector>
  friend bool inspect(Inspector& f, cluster_view& x) {
    return f.object(x).fields(f.field("number", x.number),
                              f.field("coordinator", x.coordinator),
                              f.field("members", x.members));
  }
};

} // namespace callboard
