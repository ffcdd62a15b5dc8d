#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/actors/event_store.hpp>

namespace callboard {

/// The bytes of a row: one or more events of a topic, whose offsets go up by
/// one from each to the next.
///
/// They begin with the format's number (1) and the number of the run of the
/// node that wrote them. Each event is its timestamp, a byte of flags (1: JSON,
/// 2: not for its publisher, 4: the sender is a connection, 8: it has to do
/// with groups), the publisher's connection if it is not for that one, sender,
/// id, trace, for groups key, origin and attempts, and payload. Numbers are
/// little-endian base-128 varints, texts have their length in front.
class event_run {
public:
  /// Starts over.
  /// @param opening the number of the run of the node.
  void clear(uint64_t opening);

  /// Adds an event.
  /// @pre its offset is the last one's plus one.
  void add(const publication& x);

  [[nodiscard]] bool empty() const noexcept {
    return count_ == 0;
  }

  [[nodiscard]] uint64_t first() const noexcept {
    return last_ + 1 - count_;
  }

  [[nodiscard]] uint64_t last() const noexcept {
    return last_;
  }

  [[nodiscard]] const std::string& bytes() const noexcept {
    return bytes_;
  }

private:
  std::string bytes_;
  uint64_t last_ = 0;
  uint64_t count_ = 0;
};

/// Whose events they are.
struct event_origin {
  std::string_view topic;
  std::string_view epoch;
  /// The number of this run of the node: connections of another one have other
  /// numbers now.
  uint64_t opening = 0;
};

/// Reads the events `first` … `last` of a row's bytes. What only meant
/// something to connections of its own run is left out of those of another one.
/// @returns false if they hold anything else.
bool read_run(std::string_view bytes, const event_origin& origin,
              uint64_t first, uint64_t last, std::vector<publication_ptr>& out);

/// Returns the check sum of a row's bytes.
uint32_t check_sum(std::string_view bytes) noexcept;

/// Writes and reads the ids that a topic remembers, the same way: key, offset
/// and time.
std::string write_ids(const std::vector<stored_id>& ids);

bool read_ids(std::string_view bytes, std::vector<stored_id>& out);

/// Writes and reads what is open behind a group's place, the same way: how far
/// behind it the reach is, then for each event how far behind the one before it
/// is, and its attempts.
std::string write_open_events(const group_place& x);

/// @param x has its place.
bool read_open_events(std::string_view bytes, group_place& x);

} // namespace callboard
