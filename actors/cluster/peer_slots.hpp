#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/cluster_links.hpp>
#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/cluster/view.hpp>

namespace callboard {

/// Tells a set who of its members owns durable topics: nobody does where two
/// were told of other nodes, because each topic could have two owners then.
/// @param members in the order of `to.order`, which is there.
void add_stores(peer_set& to, const store_nodes_ptr& stores,
                const std::vector<member>& members);

/// Gives the nodes of views their slots. A node keeps its slot as long as it is
/// in the view, and the link to it is in the same round; else it gets one that
/// was empty before, so that shards see it go and come.
class peer_slots {
public:
  /// @param outbox_bytes_max of the sets (`peer_set::outbox_bytes_max`).
  /// @param stores of the sets (`peer_set::stores`).
  explicit peer_slots(uint64_t outbox_bytes_max = 64 * 1024 * 1024,
                      store_nodes_ptr stores = nullptr) noexcept
    : outbox_bytes_max_{outbox_bytes_max}, stores_{std::move(stores)} {
  }

  /// Makes the set of a view's nodes.
  /// @param self the name of this node, which the view names.
  const peer_set_ptr& assign(const cluster_view& view, std::string_view self,
                             const cluster_links& links);

  /// Returns the set that was made last; without nodes before the first.
  [[nodiscard]] const peer_set_ptr& last() const noexcept {
    return last_;
  }

  /// Returns the slot that a link's batches come from; `peer_set::here` where
  /// there is none.
  [[nodiscard]] uint32_t slot_of(const peer_link& x) const noexcept;

private:
  uint64_t outbox_bytes_max_;
  store_nodes_ptr stores_;
  peer_set_ptr last_ = caf::make_counted<peer_set>();
};

} // namespace callboard
