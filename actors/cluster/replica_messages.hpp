#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/publication.hpp>
#include <callboard/actors/replica_record.hpp>

namespace callboard {

/// What voters of a topic tell each other.
enum class replica_call : uint8_t {
  /// The owner asks for a promise and a vote.
  ask,
  /// The promise, and what the voter's log is.
  vote,
  /// A higher term was promised.
  refuse,
  /// The owner has begun its term with a log that ends at `head`.
  begin,
  /// Events from the offset `first` on are wanted.
  fetch,
  /// Those that there are from `first` on; the log ends at `head`.
  events,
  /// What the owner has appended, up to `head`.
  append,
  /// The voter's log is level with the owner's, up to `head`.
  level,
  /// The owner asks a witness to vouch for its term, and that does so.
  vouch,
  vouched,
};

/// One of these. What it has no use for is 0.
struct replica_message {
  replica_call what = replica_call::ask;
  /// Of how many nodes that keep the topic the sender knows. Whoever knows of
  /// another number counts other majorities, and neither hears the other.
  uint32_t keepers = 0;
  /// That of the owner.
  uint64_t term = 0;
  /// `vote`: that of the log; `begin`: that of the log that was chosen.
  uint64_t log_term = 0;
  uint64_t first = 0;
  uint64_t head = 0;
  /// `vote`, `begin`, `append`: up to where all is acknowledged.
  uint64_t agreed = 0;
  /// `vote`.
  uint64_t floor = 0;
  bool whole = false;
  bool forgot = false;
  /// `refuse`.
  uint64_t promised = 0;
  /// `vote`, `begin`.
  std::string epoch;
  /// `events`, `append`.
  std::vector<publication_ptr> events;
  /// `vote`, `begin`, `append`: where the groups stand, if it is not null, and
  /// how often that has changed; `level`: as often in the voter's log.
  uint64_t placed = 0;
  group_places_ptr places;
};

/// Events that somebody is to be sent (`replica_call::events`).
struct replica_read {
  uint32_t to = 0;
  uint64_t term = 0;
  std::string epoch;
  /// Those from `first` to `last`, the head, or the first ones of them; those
  /// that are gone are left out.
  uint64_t first = 0;
  uint64_t last = 0;
};

/// What is to be done for a `topic_replica`, each kind in order.
struct replica_effects {
  /// By the place of the voter.
  std::vector<std::pair<uint32_t, replica_message>> messages;
  /// Each is told by `written`, unless it fails: then the disk is to be asked
  /// how it is, and the replica to be made anew.
  std::vector<replica_write> writes;
  std::vector<replica_read> reads;
  /// It no longer serves, and what was not acknowledged may never be.
  bool lost = false;
  /// It did not come to serve; to be tried again.
  bool gave_up = false;
  /// It serves from now on.
  bool begun = false;
};

} // namespace callboard
