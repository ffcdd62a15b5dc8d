#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <callboard/actors/publication.hpp>

namespace callboard {

/// A group on its way to another owner, together with its topic: what it has
/// taken from the topic and not finished. What it has not taken is in the
/// topic's history.
struct moved_group {
  struct event {
    publication_ptr what;
    /// How often it was given to a member.
    uint32_t attempts = 0;
    /// The number of the delivery by which a member has it; 0: nobody does.
    uint64_t delivery = 0;
  };

  std::string name;
  /// The offset of the last event that it has taken.
  uint64_t taken = 0;
  /// Whether there ever was an event for it, and whether one was confirmed.
  bool touched = false;
  bool proven = false;
  /// In the order of their offsets.
  std::vector<event> events;
};

} // namespace callboard
