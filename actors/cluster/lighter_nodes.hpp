#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

#include <callboard/actors/cluster/node_load.hpp>

namespace callboard {

/// What is known of another node that clients could go to.
struct node_offer {
  node_load load;
  /// Where they reach it.
  std::vector<std::string> urls;
  /// When it told its load, in milliseconds of the caller's clock.
  int64_t said_ms = 0;
};

/// The other nodes that clients are sent to by one that does not take them:
/// those that are open, the lightest first. Immutable once it is made; any
/// thread.
class lighter_nodes : public caf::ref_counted {
public:
  /// Nodes that a client is told of at most.
  static constexpr size_t nodes_max = 3;

  /// URLs that it is told at most: as many as clients try.
  static constexpr size_t urls_max = 8;

  /// Nodes whose weights, in thousandths, are in the same range of so many
  /// count as equal. What they say is a second old, and all who are sent away
  /// are not to go to one node because it has 5 connections less.
  static constexpr uint32_t range = 100;

  /// Of none.
  lighter_nodes() = default;

  /// @param timeout_ms leaves out what is so old or older.
  lighter_nodes(const std::vector<node_offer>& offers, int64_t now_ms,
                int64_t timeout_ms);

  /// Returns the URLs for one client: the first ones of up to `nodes_max`
  /// nodes, then the second ones, …
  /// @param turn another one for each client: equal nodes take turns.
  [[nodiscard]] std::vector<std::string> pick(uint64_t turn) const;

  [[nodiscard]] bool empty() const noexcept {
    return nodes_.empty();
  }

  /// Returns whether both pick the same.
  [[nodiscard]] bool same_as(const lighter_nodes& other) const noexcept {
    return nodes_ == other.nodes_;
  }

private:
  // The range of its weight, and its URLs. By the former.
  using node = std::pair<uint32_t, std::vector<std::string>>;

  std::vector<node> nodes_;
};

using lighter_nodes_ptr = caf::intrusive_ptr<const lighter_nodes>;

} // namespace callboard
