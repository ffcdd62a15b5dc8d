#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace callboard {

/// Where a group stands in its topic.
struct group_place {
  /// An event behind the place that is not finished.
  struct open_event {
    uint64_t offset = 0;
    /// How often it was given to a member.
    uint32_t attempts = 0;

    friend bool operator==(const open_event&, const open_event&) = default;
  };

  /// Events that are told apart; what lies behind the last one counts as not
  /// given to anybody.
  static constexpr size_t open_max = 1024;

  std::string group;
  /// The offset of the last event up to which all are finished.
  uint64_t place = 0;
  /// What lies behind `place`, up to this offset, is finished unless it is in
  /// `open`; from `place`.
  uint64_t reach = 0;
  /// In the order of their offsets.
  std::vector<open_event> open;

  friend bool operator==(const group_place&, const group_place&) = default;
};

/// The places of all groups of a topic. Immutable once it is shared.
using group_places_ptr = std::shared_ptr<const std::vector<group_place>>;

} // namespace callboard
