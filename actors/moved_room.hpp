#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <callboard/actors/publication.hpp>

namespace callboard {

/// Who is in a topic that goes to another owner, and which nodes watch.
struct moved_room {
  /// A node that has members here, or watches.
  struct node {
    std::string name;
    std::string incarnation = {};
    bool watches = false;
    /// Whether its watchers have to ask again who is there.
    bool missed = false;

    template <class Inspector>
    friend bool inspect(Inspector& f, node& x) {
      return f.object(x).fields(f.field("name", x.name),
                                f.field("incarnation", x.incarnation),
                                f.field("watches", x.watches),
                                f.field("missed", x.missed));
    }
  };

  struct connection {
    /// The place of its node in `nodes`.
    uint32_t node = 0;
    connection_id number = 0;

    friend bool operator==(const connection&, const connection&) = default;

    template <class Inspector>
    friend bool inspect(Inspector& f, connection& x) {
      return f.object(x).fields(f.field("node", x.node),
                                f.field("number", x.number));
    }
  };

  struct member {
    /// Empty where nobody is logged in.
    std::string user;
    /// One who lingers has only the last one.
    std::vector<connection> connections = {};
    bool lingers = false;

    template <class Inspector>
    friend bool inspect(Inspector& f, member& x) {
      return f.object(x).fields(f.field("user", x.user),
                                f.field("connections", x.connections),
                                f.field("lingers", x.lingers));
    }
  };

  std::vector<node> nodes;
  std::vector<member> members;

  [[nodiscard]] bool empty() const noexcept {
    return nodes.empty();
  }

  /// Returns the place of a node, which it gets if it has none.
  uint32_t place_of(const std::string& name) {
    uint32_t i = 0;
    while (i < nodes.size() && nodes[i].name != name)
      ++i;
    if (i == nodes.size())
      nodes.push_back({name});
    return i;
  }
};

} // namespace callboard
