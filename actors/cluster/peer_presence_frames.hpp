#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <callboard/actors/cluster/peer_frames.hpp>
#include <callboard/actors/presence.hpp>
#include <callboard/messages/errc.hpp>

// What a topic's home and its owner at another node tell each other of who is
// in it. Connections whose node has no name are the sender's.

namespace callboard {

// -- from the home to the owner -----------------------------------------------

/// A change that the home's loops have reported.
struct peer_presence {
  static constexpr auto number = peer_frame::presence;

  /// A `presence_change::kind`.
  uint8_t what = 0;
  std::string topic;
  connection_id connection = 0;
  std::string user;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_presence& x) {
    return f.object(x).fields(f.field("what", x.what),
                              f.field("topic", x.topic),
                              f.field("connection", x.connection),
                              f.field("user", x.user));
  }
};

/// Answer a question of who is in a topic; by `peer_presence_found` with the
/// call.
struct peer_presence_query {
  static constexpr auto number = peer_frame::presence_query;

  uint64_t call = 0;
  std::string topic;
  bool count_only = false;
  uint32_t limit = 0;
  std::string after;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_presence_query& x) {
    return f.object(x).fields(f.field("call", x.call),
                              f.field("topic", x.topic),
                              f.field("count-only", x.count_only),
                              f.field("limit", x.limit),
                              f.field("after", x.after));
  }
};

// -- from the owner to the home -----------------------------------------------

/// What the home's loops that watch the topic are to be told.
struct peer_presence_news {
  static constexpr auto number = peer_frame::presence_news;

  std::string topic;
  int64_t timestamp = 0;
  bool reset = false;
  std::vector<presence_step> steps;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_presence_news& x) {
    return f.object(x).fields(f.field("topic", x.topic),
                              f.field("timestamp", x.timestamp),
                              f.field("reset", x.reset),
                              f.field("steps", x.steps));
  }
};

/// Takes back a change, in its order: the sender has not taken it, because the
/// topic is another node's by now.
struct peer_presence_returned {
  static constexpr auto number = peer_frame::presence_returned;

  peer_presence what;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_presence_returned& x) {
    return f.object(x).fields(f.field("what", x.what));
  }
};

/// The sender has not taken all that it was told of the topic: tell it anew.
struct peer_presence_again {
  static constexpr auto number = peer_frame::presence_again;

  std::string topic;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_presence_again& x) {
    return f.object(x).fields(f.field("topic", x.topic));
  }
};

/// What a question has found, or `code` tells why it has not.
struct peer_presence_found {
  static constexpr auto number = peer_frame::presence_found;

  uint64_t call = 0;
  errc code = errc::none;
  presence_count count;
  presence_page page;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_presence_found& x) {
    return f.object(x).fields(f.field("call", x.call), f.field("code", x.code),
                              f.field("count", x.count),
                              f.field("page", x.page));
  }
};

} // namespace callboard
