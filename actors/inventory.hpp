#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <callboard/actors/publication.hpp>

// What a node has, in pages, as operators ask for it.

namespace callboard {

/// Entries of one page at most.
inline constexpr uint32_t inventory_page_max = 1000;

/// What `publish` takes beside the payload.
struct publish_options {
  /// 1 … 64 bytes: groups give events with the same key after each other, to
  /// the same member; empty: none.
  std::string key;
  /// 1 … 64 bytes: accepted once of all that the application publishes to the
  /// topic; empty: none.
  std::string id;

  template <class Inspector>
  friend bool inspect(Inspector& f, publish_options& x) {
    return f.object(x).fields(f.field("key", x.key), f.field("id", x.id));
  }
};

/// Asks for connections that are logged in, in the order of their numbers.
struct connection_query {
  /// Those behind this one; 0: from the first one on.
  connection_id after = 0;
  /// At most so many, 1 … `inventory_page_max`.
  uint32_t limit = 100;
  /// Those of this user, a full name; empty: all.
  std::string user;

  template <class Inspector>
  friend bool inspect(Inspector& f, connection_query& x) {
    return f.object(x).fields(f.field("after", x.after),
                              f.field("limit", x.limit),
                              f.field("user", x.user));
  }
};

/// What a connection knows of itself.
struct connection_facts {
  connection_id id = 0;
  /// Its name on the wire.
  std::string name;
  /// Empty where nobody is logged in.
  std::string user;
  std::string tenant;
  /// The client's IP address.
  std::string address;
  /// `connecting`, `connected`, …
  std::string state;
  /// Unix time in milliseconds at which its WebSocket was opened.
  int64_t since_ms = 0;
  /// For how long no frame but heartbeats came or went, in milliseconds.
  int64_t idle_ms = 0;
  /// The index of its loop.
  uint32_t loop = 0;
  /// Topics, patterns and groups.
  uint64_t subscriptions = 0;
  /// Requests and publishes that wait for their answer.
  uint64_t inflight = 0;
  /// Bytes that wait to be sent to it.
  uint64_t outbox_bytes = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, connection_facts& x) {
    return f.object(x).fields(
      f.field("id", x.id), f.field("name", x.name), f.field("user", x.user),
      f.field("tenant", x.tenant), f.field("address", x.address),
      f.field("state", x.state), f.field("since_ms", x.since_ms),
      f.field("idle_ms", x.idle_ms), f.field("loop", x.loop),
      f.field("subscriptions", x.subscriptions),
      f.field("inflight", x.inflight), f.field("outbox_bytes", x.outbox_bytes));
  }
};

/// Some of the connections, in order. Those that end meanwhile are left out.
struct connection_page {
  std::vector<connection_facts> connections;
  /// Ask for those after this; 0: there are no more.
  connection_id next = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, connection_page& x) {
    return f.object(x).fields(f.field("connections", x.connections),
                              f.field("next", x.next));
  }
};

/// Asks for topics that live, in the order of their names' bytes.
struct topic_query {
  /// Those behind this one; empty: from the first one on.
  std::string after;
  /// At most so many, 1 … `inventory_page_max`.
  uint32_t limit = 100;
  /// Those that this well-formed topic or pattern matches, a full name; empty:
  /// all.
  std::string pattern;

  template <class Inspector>
  friend bool inspect(Inspector& f, topic_query& x) {
    return f.object(x).fields(f.field("after", x.after),
                              f.field("limit", x.limit),
                              f.field("pattern", x.pattern));
  }
};

/// What is known of a topic.
struct topic_facts {
  std::string topic;
  std::string epoch;
  /// Of the last event; 0 before the first.
  uint64_t offset = 0;
  /// Who has subscribed to it, without those who have it by a pattern or as
  /// members of a group.
  uint64_t subscribers = 0;
  /// Events that it keeps in memory, and roughly their bytes.
  uint64_t history_events = 0;
  uint64_t history_bytes = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, topic_facts& x) {
    return f.object(x).fields(f.field("topic", x.topic),
                              f.field("epoch", x.epoch),
                              f.field("offset", x.offset),
                              f.field("subscribers", x.subscribers),
                              f.field("history_events", x.history_events),
                              f.field("history_bytes", x.history_bytes));
  }
};

/// Some of the topics, in order. One that is made or forgotten meanwhile may be
/// there or not.
struct topic_page {
  std::vector<topic_facts> topics;
  /// Ask for those after this; empty: there are no more.
  std::string next;

  template <class Inspector>
  friend bool inspect(Inspector& f, topic_page& x) {
    return f.object(x).fields(f.field("topics", x.topics),
                              f.field("next", x.next));
  }
};

} // namespace callboard
