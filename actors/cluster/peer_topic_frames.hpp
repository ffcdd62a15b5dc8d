#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/peer_frames.hpp>
#include <callboard/actors/messages.hpp>
#include <callboard/actors/publication.hpp>
#include <callboard/messages/errc.hpp>

// What broker shards of different nodes tell each other. A topic's *home* is
// the shard of a node that its clients' interest and publications go to; where
// another node owns the topic, the home asks that one's shard.

namespace callboard {

/// A publication within a frame.
struct publication_box {
  /// Never null.
  publication_ptr content;
  /// In place of the content's: a connection of the node that the frame goes
  /// to, or comes from; 0: of another one, or of none.
  connection_id publisher = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, publication_box& box) {
    if constexpr (Inspector::is_loading)
      box.content = caf::make_counted<publication>();
    auto& x = *box.content;
    return f.object(box).fields(
      f.field("topic", x.topic), f.field("payload", x.payload),
      f.field("sender", x.sender), f.field("id", x.id),
      f.field("trace", x.trace), f.field("key", x.key),
      f.field("origin", x.origin), f.field("attempts", x.attempts),
      f.field("publisher", box.publisher), f.field("no-echo", x.no_echo),
      f.field("from-connection", x.from_connection),
      f.field("retain", x.retain), f.field("offset", x.offset),
      f.field("epoch", x.epoch), f.field("timestamp", x.timestamp));
  }
};

/// Takes a publication out of its box.
inline publication_ptr unboxed(publication_box& x) {
  x.content->publisher = x.publisher;
  return std::move(x.content);
}

inline std::vector<publication_ptr> unboxed(std::vector<publication_box>& xs) {
  std::vector<publication_ptr> result;
  result.reserve(xs.size());
  for (auto& x : xs)
    result.push_back(unboxed(x));
  return result;
}

// -- from the home to the owner -----------------------------------------------

/// Give this its place; the answer is `peer_published` with the call, or none
/// where that is 0.
struct peer_publish {
  static constexpr auto number = peer_frame::publish;

  uint64_t call = 0;
  publication_box what;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_publish& x) {
    return f.object(x).fields(f.field("call", x.call), f.field("what", x.what));
  }
};

/// Send this node the events of a topic or pattern from now on.
struct peer_attach {
  static constexpr auto number = peer_frame::attach;

  std::string subject;
  /// The home's number for the question.
  uint64_t generation = 0;
  /// Whether the home has had the topic until now: it is to miss nothing that
  /// a new owner takes.
  bool again = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_attach& x) {
    return f.object(x).fields(f.field("subject", x.subject),
                              f.field("generation", x.generation),
                              f.field("again", x.again));
  }
};

/// No longer.
struct peer_detach {
  static constexpr auto number = peer_frame::detach;

  std::string subject;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_detach& x) {
    return f.object(x).fields(f.field("subject", x.subject));
  }
};

/// Send what a topic has kept from an offset on.
struct peer_fetch {
  static constexpr auto number = peer_frame::fetch;

  std::string topic;
  uint64_t first = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_fetch& x) {
    return f.object(x).fields(f.field("topic", x.topic),
                              f.field("first", x.first));
  }
};

/// Answer a question of a topic's history; by `peer_found` with the call.
struct peer_query {
  static constexpr auto number = peer_frame::query;

  uint64_t call = 0;
  std::string topic;
  bool position_only = false;
  position since;
  uint64_t before = 0;
  uint32_t limit = 0;
  bool reverse = false;
  uint64_t bytes_max = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_query& x) {
    return f.object(x).fields(
      f.field("call", x.call), f.field("topic", x.topic),
      f.field("position-only", x.position_only), f.field("since", x.since),
      f.field("before", x.before), f.field("limit", x.limit),
      f.field("reverse", x.reverse), f.field("bytes-max", x.bytes_max));
  }
};

/// Send last values of topics that match a pattern and have this home; by
/// `peer_values` with the call.
struct peer_fetch_values {
  static constexpr auto number = peer_frame::fetch_values;

  uint64_t call = 0;
  std::string pattern;
  /// Those of the topics behind this name; empty: from the first one on.
  std::string after;
  /// The shard that asks, and how many its node has.
  uint32_t home = 0;
  uint32_t homes = 1;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_fetch_values& x) {
    return f.object(x).fields(f.field("call", x.call),
                              f.field("pattern", x.pattern),
                              f.field("after", x.after),
                              f.field("home", x.home),
                              f.field("homes", x.homes));
  }
};

// -- from the owner to the home -----------------------------------------------

/// The publication with this call has its place, or `code` tells why not.
struct peer_published {
  static constexpr auto number = peer_frame::published;

  uint64_t call = 0;
  errc code = errc::none;
  position where;
  uint64_t retry_after_ms = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_published& x) {
    return f.object(x).fields(f.field("call", x.call), f.field("code", x.code),
                              f.field("where", x.where),
                              f.field("retry-after-ms", x.retry_after_ms));
  }
};

/// The events of the subject come from now on; a topic stands at `where`.
struct peer_attached {
  static constexpr auto number = peer_frame::attached;

  std::string subject;
  uint64_t generation = 0;
  /// The shard that answers.
  uint32_t shard = 0;
  position where;
  /// The topic's last value; empty: it has none.
  std::vector<publication_box> retained;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_attached& x) {
    return f.object(x).fields(f.field("subject", x.subject),
                              f.field("generation", x.generation),
                              f.field("shard", x.shard),
                              f.field("where", x.where),
                              f.field("retained", x.retained));
  }
};

/// They do not, and why.
struct peer_refused {
  static constexpr auto number = peer_frame::refused;

  std::string subject;
  uint64_t generation = 0;
  errc why = errc::internal;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_refused& x) {
    return f.object(x).fields(f.field("subject", x.subject),
                              f.field("generation", x.generation),
                              f.field("why", x.why));
  }
};

/// A publication for everybody of the node who wants it.
struct peer_event {
  static constexpr auto number = peer_frame::event;

  publication_box what;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_event& x) {
    return f.object(x).fields(f.field("what", x.what));
  }
};

/// What a topic has kept, in order with its events.
struct peer_slice {
  static constexpr auto number = peer_frame::slice;

  std::string topic;
  std::string epoch;
  uint64_t head = 0;
  /// `first` of the question.
  uint64_t asked = 0;
  std::vector<publication_box> events;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_slice& x) {
    return f.object(x).fields(f.field("topic", x.topic),
                              f.field("epoch", x.epoch),
                              f.field("head", x.head),
                              f.field("asked", x.asked),
                              f.field("events", x.events));
  }
};

/// What a question has found, or `code` tells why it has not.
struct peer_found {
  static constexpr auto number = peer_frame::found;

  uint64_t call = 0;
  errc code = errc::none;
  position head;
  std::vector<publication_box> events;
  bool more = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_found& x) {
    return f.object(x).fields(f.field("call", x.call), f.field("code", x.code),
                              f.field("head", x.head),
                              f.field("events", x.events),
                              f.field("more", x.more));
  }
};

/// Some of the last values, in order with the topics' events.
struct peer_values {
  static constexpr auto number = peer_frame::values;

  uint64_t call = 0;
  std::vector<publication_box> values;
  /// The last topic that was looked at; empty: all were.
  std::string upto;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_values& x) {
    return f.object(x).fields(f.field("call", x.call),
                              f.field("values", x.values),
                              f.field("upto", x.upto));
  }
};

/// This shard of the sender begins anew: it knows of no interest, and answers
/// nothing that was asked before.
struct peer_reset {
  static constexpr auto number = peer_frame::reset;

  uint32_t shard = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_reset& x) {
    return f.object(x).fields(f.field("shard", x.shard));
  }
};

} // namespace callboard
