#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <caf/actor_control_block.hpp>
#include <caf/typed_response_promise.hpp>

#include <callboard/actors/group_sink.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/messages/errc.hpp>

namespace callboard {

/// Somebody of this node who wants to be a member of a group, or who is one and
/// has to join it anew where its topic has another owner.
struct group_seat {
  std::string topic;
  std::string group;
  /// Where a new group begins; of a member: where the group stood as far as is
  /// known, up to which all is finished. In another epoch than the topic's it
  /// is in front of everything then.
  position since;
  caf::weak_actor_ptr who;
  /// Whether it is an actor of the application's and no connection.
  bool embedded = false;
  /// Of a connection: its number for what it wished.
  uint32_t call_id = 0;
  /// Whether it was told that it is a member.
  bool again = false;
  /// Who asked for an actor of the application's, until that is answered.
  caf::typed_response_promise<position, bool> answer = {};
  /// Its number in its node, which it keeps where the topic goes on elsewhere;
  /// 0: it has none yet.
  member_id member = 0;
  /// The events that it was given and has not answered to: by the numbers of
  /// the deliveries, their offsets.
  std::map<uint64_t, uint64_t> has = {};

  /// Returns whether it is the member that it was where the topic stands so:
  /// what it was told is true, and what it has is its own.
  [[nodiscard]] bool goes_on(const position& where) const noexcept {
    return again && member != 0 && where.epoch == since.epoch;
  }
};

/// What became of a wish to be a member.
struct group_outcome {
  errc code = errc::none;
  /// The member's number in its node.
  member_id member = 0;
  /// Behind which the group goes on.
  position where = {};
  /// Whether everything behind it is there.
  bool recovered = false;
};

} // namespace callboard
