#pragma once

#include <cstdint>
#include <map>
#include <string>

#include <callboard/actors/cluster/peer_frames.hpp>
#include <callboard/actors/cluster/peer_topic_frames.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/messages/errc.hpp>

// What broker shards of different nodes tell each other about shared groups. A
// member is named by the number that its home has given it, which is another
// one each time it joins.

namespace callboard {

// -- from the home to the owner -----------------------------------------------

/// Somebody wants to be a member; the answer is `peer_group_joined`.
struct peer_group_join {
  static constexpr auto number = peer_frame::group_join;

  /// From 1.
  uint64_t member = 0;
  std::string topic;
  std::string group;
  /// See `group_seat`.
  position since;
  bool embedded = false;
  bool again = false;
  /// See `group_seat`; counts if the topic is in the epoch of `since`.
  std::map<uint64_t, uint64_t> has = {};

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_group_join& x) {
    return f.object(x).fields(f.field("member", x.member),
                              f.field("topic", x.topic),
                              f.field("group", x.group),
                              f.field("since", x.since),
                              f.field("embedded", x.embedded),
                              f.field("again", x.again), f.field("has", x.has));
  }
};

/// It does not any more, or is gone.
struct peer_group_leave {
  static constexpr auto number = peer_frame::group_leave;

  uint64_t member = 0;
  bool by_choice = false;
  /// Whether it joins elsewhere, or by another number: if the receiver does not
  /// know of another owner, the member comes back to it before all have
  /// settled.
  bool comes_back = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_group_leave& x) {
    return f.object(x).fields(f.field("member", x.member),
                              f.field("by-choice", x.by_choice),
                              f.field("comes-back", x.comes_back));
  }
};

/// What it says to a delivery.
struct peer_group_answer {
  static constexpr auto number = peer_frame::group_answer;

  uint64_t member = 0;
  uint64_t delivery = 0;
  /// A `group_verdict`.
  uint8_t verdict = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_group_answer& x) {
    return f.object(x).fields(f.field("member", x.member),
                              f.field("delivery", x.delivery),
                              f.field("verdict", x.verdict));
  }
};

// -- from the owner to the home -----------------------------------------------

/// It is a member, or `code` tells why it is none; `owner_down`, also later:
/// because another node owns the topic.
struct peer_group_joined {
  static constexpr auto number = peer_frame::group_joined;

  uint64_t member = 0;
  errc code = errc::none;
  position where;
  bool recovered = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_group_joined& x) {
    return f.object(x).fields(f.field("member", x.member),
                              f.field("code", x.code),
                              f.field("where", x.where),
                              f.field("recovered", x.recovered));
  }
};

/// An event for a member.
struct peer_group_event {
  static constexpr auto number = peer_frame::group_event;

  uint64_t member = 0;
  uint64_t delivery = 0;
  uint32_t attempt = 1;
  /// The offset up to which the group has finished everything.
  uint64_t place = 0;
  publication_box what;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_group_event& x) {
    return f.object(x).fields(f.field("member", x.member),
                              f.field("delivery", x.delivery),
                              f.field("attempt", x.attempt),
                              f.field("place", x.place),
                              f.field("what", x.what));
  }
};

/// A delivery is no longer the member's.
struct peer_group_withdraw {
  static constexpr auto number = peer_frame::group_withdraw;

  uint64_t member = 0;
  uint64_t delivery = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_group_withdraw& x) {
    return f.object(x).fields(f.field("member", x.member),
                              f.field("delivery", x.delivery));
  }
};

/// Events in front of `where` were lost before the group could have them.
struct peer_group_gap {
  static constexpr auto number = peer_frame::group_gap;

  uint64_t member = 0;
  position where;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_group_gap& x) {
    return f.object(x).fields(f.field("member", x.member),
                              f.field("where", x.where));
  }
};

// -- from an owner to the next one --------------------------------------------

/// A member has confirmed what it was given by the sender, which had given the
/// topic away before it heard of that.
struct peer_group_confirmed {
  static constexpr auto number = peer_frame::group_confirmed;

  std::string topic;
  std::string group;
  uint64_t delivery = 0;
  /// Of the event.
  position where;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_group_confirmed& x) {
    return f.object(x).fields(f.field("topic", x.topic),
                              f.field("group", x.group),
                              f.field("delivery", x.delivery),
                              f.field("where", x.where));
  }
};

} // namespace callboard
