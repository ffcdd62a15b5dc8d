#pragma once

#include <cstdint>
#include <string_view>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/cluster_links.hpp>
#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/cluster/view.hpp>

namespace callboard {

/// Gives the nodes of views their slots. A node keeps its slot as long as it is
/// in the view, and the link to it is in the same round; else it gets one that
/// was empty before, so that shards see it go and come.
class peer_slots {
public:
  peer_slots() = default;

  /// @param outbox_bytes_max what all sets say of it.
  explicit peer_slots(uint64_t outbox_bytes_max);

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
  peer_set_ptr last_ = caf::make_counted<peer_set>();
};

} // namespace callboard
