#pragma once

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include <caf/expected.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/cluster/peer_topic_frames.hpp>
#include <callboard/actors/history_query.hpp>
#include <callboard/actors/loop_set.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/actors/presence_query.hpp>
#include <callboard/messages/errc.hpp>

// What `broker_peers` keeps of what loops of its node want of others.

namespace callboard {

/// Is told what a question of history has found, or why it has not.
using history_reply = std::function<void(caf::expected<history_found>)>;

/// Who of the loops waits to be told that a subject is attached, and its
/// generation.
using waiting_loops = std::vector<std::pair<uint32_t, uint64_t>>;

/// What loops here want of a topic that another node owns.
struct followed_topic {
  /// The owner's; `nobody` while there is none.
  uint32_t slot = 0;
  loop_set loops;
  /// Of the newest question to the owner; 0: it has yet to be asked.
  uint64_t generation = 0;
  bool attached = false;
  /// Whether the owner has said that it is none, or no longer.
  bool refused = false;
  /// Whether the loops have to ask anew although they may have missed nothing.
  bool again = false;
  /// Empty: no owner has answered yet.
  position where;
  publication_ptr retained;
  waiting_loops waiting;
  /// The loops that asked for what it has kept, and from which offset on.
  std::vector<std::pair<uint32_t, uint64_t>> fetching;
};

/// A pattern whose home this is.
struct spread_pattern {
  loop_set loops;
  uint64_t generation = 0;
  /// The shards of other nodes that have yet to confirm it, by slot and shard.
  std::vector<std::pair<uint32_t, uint32_t>> unconfirmed;
  waiting_loops waiting;
};

/// A publication or a question that another node has to answer.
struct pending_call {
  uint32_t slot = 0;
  /// Of the node.
  uint32_t shard = 0;
  /// Of a publication: the publisher's number, and who is answered. Else one
  /// of the others is set.
  uint32_t call_id = 0;
  caf::typed_response_promise<published> promise;
  history_reply reply;
  /// What `reply` wants to know.
  history_query query;
  std::function<void(peer_values&)> take_values;
  presence_reply take_presence;
  /// What `take_presence` wants to know.
  presence_query who;

  void fail(errc why);
};

} // namespace callboard
