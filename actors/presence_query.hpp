#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <callboard/actors/presence.hpp>
#include <callboard/messages/errc.hpp>

namespace callboard {

/// What a client wants to know of who is in a topic.
struct presence_query {
  /// Members in one answer, 1 … this.
  static constexpr uint32_t limit_max = 1000;

  std::string topic;
  /// Only how many there are (`callboard.presence_count`).
  bool count_only = false;
  uint32_t limit = 100;
  /// The `next` of the page before; empty: the first page.
  std::string after;
  /// The broker shard of the loop of the connection that asks.
  caf::strong_actor_ptr server;

  /// Returns roughly what it and its answer cost in memory, for credits.
  [[nodiscard]] int64_t cost() const noexcept {
    return static_cast<int64_t>(sizeof(presence_query) + topic.size()
                                + after.size() + (count_only ? 0 : limit) * 64);
  }
};

/// What a question of presence has found, or why it has not.
struct presence_found {
  errc code = errc::none;
  presence_count count = {};
  presence_page page = {};
};

using presence_reply = std::function<void(presence_found&&)>;

/// Reads the payload of a `callboard.presence` request,
/// `{topic, limit?, after?}`, or of `callboard.presence_count`, `{topic}`.
/// @returns nothing if it is something else, or `limit` is out of its range.
std::optional<presence_query> read_presence_query(payload_view content,
                                                  bool count_only);

/// Returns the answer of `callboard.presence`: `{members, next?}`, each member
/// `{user?, connections}` with at most 100 connections, of at most about
/// `bytes_max` bytes, but with one member at least if there is one.
/// @param node the node's name, for those of its connections.
request_outcome answer(const presence_page& x, std::string_view node,
                       size_t bytes_max);

/// Returns the answer of `callboard.presence_count`: `{members, connections}`.
request_outcome answer(const presence_count& x);

} // namespace callboard
