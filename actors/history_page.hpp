#pragma once

#include <cstdint>
#include <vector>

#include <callboard/actors/messages.hpp>

// What applications ask of a topic's past, and what they are told.

namespace callboard {

/// Which of the events that a topic keeps are wanted.
struct history_options {
  /// Those after this position; `{"", 0}`, and a position of another epoch,
  /// stand for the topic's beginning.
  position since;
  /// Those before this offset; 0: up to the last one.
  uint64_t before = 0;
  /// At most so many, 1 … 1000.
  uint32_t limit = 100;
  /// Of these the last ones, newest first.
  bool reverse = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, history_options& x) {
    return f.object(x).fields(f.field("since", x.since),
                              f.field("before", x.before),
                              f.field("limit", x.limit),
                              f.field("reverse", x.reverse));
  }
};

/// Some of the events that a topic keeps. They have no credit.
struct history_page {
  /// Where the topic stands.
  position head;
  std::vector<event> events;
  /// Whether there are further ones behind the last of these.
  bool more = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, history_page& x) {
    return f.object(x).fields(f.field("head", x.head),
                              f.field("events", x.events),
                              f.field("more", x.more));
  }
};

} // namespace callboard
