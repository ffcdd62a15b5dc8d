#pragma once

#include <cstdint>
#include <string>

#include <callboard/actors/messages.hpp>

// What actors send to each other about shared groups. The first part is for
// applications, the second stays within a node.

namespace callboard {

// -- for applications ---------------------------------------------------------

/// How an embedded actor subscribes to a topic as a member of a group.
struct group_options {
  /// The group's name, 1 … 64 bytes.
  std::string group;
  /// Where a group that does not exist yet begins; `{"", 0}`: at what comes.
  position since;

  template <class Inspector>
  friend bool inspect(Inspector& f, group_options& x) {
    return f.object(x).fields(f.field("group", x.group),
                              f.field("since", x.since));
  }
};

// -- within a node ------------------------------------------------------------

/// A connection wants to be a member of a group, or no longer.
struct group_wish {
  std::string topic;
  std::string group;
  /// Where a new group begins; an empty epoch: at what comes.
  position since;
  /// The connection's number for it; 0: no answer is wanted.
  uint32_t call_id = 0;
  /// Whether its client was told that it is a member.
  bool again = false;
};

/// What the owner of a topic tells a connection about a group: the answer to
/// its wish, or, without a call ID, that events were lost. Where the topic
/// begins anew at another owner later, the answer comes once more.
struct group_notice {
  std::string topic;
  std::string group;
  uint32_t call_id = 0;
  errc code = errc::none;
  /// The member's number in the node.
  uint64_t member = 0;
  callboard::position position;
  /// Whether everything behind the position is there.
  bool recovered = false;
};

/// Names the delivery of an event to a member.
struct group_ticket {
  uint64_t member = 0;
  /// 0 where no delivery is meant.
  uint64_t number = 0;

  friend bool operator==(const group_ticket&, const group_ticket&) = default;
};

/// An event for a member.
struct group_event {
  group_ticket ticket;
  publication_ptr event;
  /// How often it was given to somebody, this time included.
  uint32_t attempt = 1;
};

/// What a member says to a delivery.
enum class group_verdict : uint8_t {
  /// It is done.
  confirmed,
  /// Another one may try.
  rejected,
  /// It was not looked at, because there is no room. There is after `ready`.
  /// Without a delivery, there is none for those that come.
  no_room,
  /// Not to a delivery: there is room again.
  ready,
};

/// A member's answer to a delivery.
struct group_answer {
  group_ticket ticket;
  group_verdict verdict = group_verdict::confirmed;
};

} // namespace callboard
