#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <callboard/actors/group_place.hpp>
#include <callboard/actors/publication.hpp>

namespace callboard {

/// What a node has on its disk of a topic with replicas. One that never heard
/// of the topic has this as it is here.
struct replica_record {
  /// The highest term that was promised: nothing of lower ones is taken.
  uint64_t promised = 0;
  /// The last one in which the log was level with its owner's.
  uint64_t term = 0;
  /// A log of a lower term is not to be chosen, as it may lack what was
  /// acknowledged: a witness has vouched for this one, or a keeper has cut its
  /// own log, that of a lower term, for one of this term.
  uint64_t floor = 0;
  /// An offset up to which the log has what all others have, or will have; may
  /// be beyond the log's head.
  uint64_t agreed = 0;
  /// How often the places of the topic's groups have changed: of two nodes that
  /// were level in one term, the one with more has the later ones.
  uint64_t placed = 0;
  /// Whether promises may have been forgotten, because this is a copy.
  bool forgot = false;
  /// The log: the topic's epoch, empty if it had none yet, and the offset of
  /// its last event.
  std::string epoch;
  uint64_t head = 0;

  /// Returns whether the log has all that this node has said it has.
  [[nodiscard]] bool whole() const noexcept {
    return term >= floor && !forgot;
  }

  friend bool operator==(const replica_record&, const replica_record&)
    = default;
};

/// A change of it, which is on the disk as a whole or not at all.
struct replica_write {
  static constexpr uint64_t keep_all = ~uint64_t{0};

  /// How it is before; if it is not, nothing is changed.
  replica_record before;
  /// How it is afterwards, its head with the events.
  replica_record record;
  /// What is behind this offset goes. With `behind`, everything does, and the
  /// log goes on behind this offset.
  uint64_t upto = keep_all;
  bool behind = false;
  /// Without gaps.
  std::vector<publication_ptr> events;
  /// Where all groups stand; null: as before.
  group_places_ptr places;
};

} // namespace callboard
