#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include <callboard/actors/cluster/view.hpp>
#include <callboard/actors/request_table.hpp>

namespace callboard {

/// Another node, as a router shard knows it: what it offers to serve, which
/// are the registrations of its peer, and what its shards have asked. Knows
/// no other node and sends nothing.
class request_node {
public:
  request_node(uint32_t slot, member who);

  request_node(const request_node&) = delete;

  request_node& operator=(const request_node&) = delete;

  [[nodiscard]] uint32_t slot() const noexcept {
    return slot_;
  }

  [[nodiscard]] const member& who() const noexcept {
    return who_;
  }

  /// Its part in the request table.
  request_peer peer;

  /// Returns the index of the node's shard for an action.
  /// @param action its full name.
  [[nodiscard]] uint32_t shard_of(std::string_view action) const noexcept;

  // -- what it asks -----------------------------------------------------------

  /// Returns whether it may ask under this ticket: one of its shards, and no
  /// other request of it has the same.
  [[nodiscard]] bool accepts(const request_ticket& x) const;

  /// Adds a request of this node, by its `origin`.
  /// @pre `accepts(x.origin)`
  void add(pending_request& x);

  void erase(const pending_request& x);

  /// Returns the request with this ticket of the node's; null if it is not open
  /// any more.
  [[nodiscard]] pending_request* find(const request_ticket& x) const;

  /// Returns a request of this shard; null if there is none.
  [[nodiscard]] pending_request* first_of(uint32_t shard) const;

private:
  using key = std::pair<uint32_t, uint64_t>;

  static key key_of(const request_ticket& x) noexcept {
    return {x.shard, x.number};
  }

  uint32_t slot_;
  member who_;
  // By the node's ticket.
  std::map<key, pending_request*> asked_;
};

} // namespace callboard
