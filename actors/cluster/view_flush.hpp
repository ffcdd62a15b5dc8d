#pragma once

#include <cstdint>
#include <vector>

#include <callboard/actors/cluster/peer_set.hpp>

namespace callboard {

/// What one shard has heard from all shards of the other nodes of its view, and
/// what it has told these: first that they have handed over what is no longer
/// theirs (`peer_handed`), then that they have heard that of all
/// (`peer_settled`). Pure.
class view_flush {
public:
  /// The nodes are these from now on.
  /// @param old those before.
  /// @param anew whether nothing counts that was heard and told before; else it
  ///        does of nodes that are the same in both.
  void begin(const peer_set& now, const peer_set& old, bool anew);

  void take_handed(uint32_t slot, uint32_t shard);

  void take_settled(uint32_t slot, uint32_t shard);

  /// Returns whether all shards of the node at `slot` have settled.
  [[nodiscard]] bool settled(uint32_t slot) const noexcept;

  /// Returns whether all shards of all nodes have said so.
  [[nodiscard]] bool all_handed() const noexcept;

  [[nodiscard]] bool all_settled() const noexcept;

  /// Calls `tell(slot)` for each node that was not told yet.
  template <class F>
  void tell_handed(F&& tell) {
    for_each_untold(&node::told_handed, tell);
  }

  template <class F>
  void tell_settled(F&& tell) {
    for_each_untold(&node::told_settled, tell);
  }

  /// Lets a node be told anew, because a shard of it has begun anew.
  void tell_again(uint32_t slot) noexcept {
    if (slot < nodes_.size())
      nodes_[slot].told_handed = nodes_[slot].told_settled = false;
  }

private:
  struct node {
    bool is_there = false;
    bool told_handed = false;
    bool told_settled = false;
    // By shard.
    std::vector<bool> handed;
    std::vector<bool> settled;
  };

  template <class F>
  void for_each_untold(bool node::*told, F&& tell) {
    for (uint32_t slot = 0; slot < nodes_.size(); ++slot)
      if (auto& x = nodes_[slot]; x.is_there && !(x.*told)) {
        x.*told = true;
        tell(slot);
      }
  }

  void note(std::vector<bool> node::*by_shard, uint32_t slot, uint32_t shard);

  [[nodiscard]] bool all(std::vector<bool> node::*by_shard) const noexcept;

  std::vector<node> nodes_;
};

} // namespace callboard
