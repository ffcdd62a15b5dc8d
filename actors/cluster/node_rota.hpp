#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/cluster/lighter_nodes.hpp>

namespace callboard {

/// Where a loop sends the clients that its node does not take. Used on the
/// loop's thread only.
class node_rota {
public:
  /// @param first the turn to begin with: not the same at all loops and nodes,
  ///              or all first clients would go to one node.
  explicit node_rota(uint64_t first = 0) noexcept : turn_{first} {
  }

  /// Sends those who come from now on to these.
  void install(lighter_nodes_ptr x) noexcept {
    nodes_ = std::move(x);
  }

  /// Returns the URLs for the next client; none if there is no such node.
  [[nodiscard]] std::vector<std::string> next() {
    return nodes_ == nullptr ? std::vector<std::string>{}
                             : nodes_->pick(turn_++);
  }

private:
  lighter_nodes_ptr nodes_;
  uint64_t turn_;
};

} // namespace callboard
