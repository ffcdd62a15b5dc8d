#pragma once

#include <cstdint>
#include <limits>
#include <memory>

namespace callboard {

class outbox;
struct local_topic;
struct replay;

/// One subscription of one outbox.
struct subscription {
  static constexpr auto not_watching = std::numeric_limits<uint32_t>::max();

  local_topic* topic;
  outbox* box;
  /// Its place in the topic's receivers of its kind.
  uint32_t index;
  uint32_t seq_id;
  /// Whether it gets encoded frames, or values by `on_event`.
  bool takes_bytes;
  /// Whether it came with a position.
  bool asked_missed = false;
  /// Its place among the topic's watchers; `not_watching`: it is none.
  uint32_t watcher_index = not_watching;
  /// Set while it gets what it missed and not yet what comes.
  std::unique_ptr<replay> behind;

  ~subscription();
};

} // namespace callboard
