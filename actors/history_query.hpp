#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <callboard/actors/history.hpp>
#include <callboard/actors/history_page.hpp>
#include <callboard/actors/messages.hpp>

namespace callboard {

/// What a client or an application wants to know of a topic.
struct history_query {
  /// Events in one answer, 1 … this.
  static constexpr uint32_t limit_max = 1000;
  /// Bytes of `since_epoch` at most; those of ours are much shorter.
  static constexpr size_t epoch_bytes_max = 255;

  std::string topic;
  /// Only where the topic stands (`callboard.position`), no events.
  bool position_only = false;
  /// Events after this position; one of another epoch stands for the topic's
  /// beginning.
  std::string since_epoch;
  uint64_t since_offset = 0;
  /// Events before this offset; 0: up to the last one.
  uint64_t before = 0;
  uint32_t limit = 100;
  /// The last ones, newest first.
  bool reverse = false;
  /// About the most bytes of events in the answer; it has one event at least
  /// if there is one.
  size_t bytes_max = 0;

  /// Returns whether all is within its bounds, but for the topic.
  [[nodiscard]] bool well_formed() const noexcept {
    return since_epoch.size() <= epoch_bytes_max && limit >= 1
           && limit <= limit_max;
  }

  /// Returns roughly what it and its answer cost in memory, for credits.
  [[nodiscard]] int64_t cost() const noexcept {
    return static_cast<int64_t>(sizeof(history_query) + topic.size()
                                + since_epoch.size()
                                + (position_only ? 0 : limit) * 64);
  }
};

/// Reads the payload of a `callboard.history` request:
/// `{topic, since?: {epoch, offset}, before?, limit?, reverse?}`, or of
/// `callboard.position`: `{topic}`.
/// @returns nothing if it is something else, or `limit` is out of its range.
std::optional<history_query> read_query(payload_view content,
                                        bool position_only);

/// What a slice must hold to answer a query.
struct history_range {
  /// The lowest offset.
  uint64_t first = 1;
  /// How many events, from there on; 0: none.
  size_t count = 0;
  /// Whether the query asks for more than these.
  bool more = false;
};

/// Returns what answers `x` of a topic that stands at `head`, whose oldest
/// event has the offset `oldest` (0: it keeps none).
history_range range_of(const history_query& x, const position& head,
                       uint64_t oldest) noexcept;

/// What a question has found.
struct history_found {
  /// Where the topic stands.
  position head;
  /// In the order in which they are told.
  std::vector<publication_ptr> events;
  /// Whether there are further ones on that side.
  bool more = false;
};

/// Returns what of `slice` answers `x`, within its bytes.
/// @param more whether there are further ones beyond the slice.
history_found select(const history_query& x, const history_slice& slice,
                     bool more);

/// Returns the answer of `callboard.history`, `{epoch, offset, more, events}`,
/// or of `callboard.position`, `{epoch, offset}`.
request_outcome answer(const history_query& x, const history_found& found);

/// Returns the same for an embedded actor.
history_page to_page(const history_found& found);

} // namespace callboard
