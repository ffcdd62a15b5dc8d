#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <caf/timespan.hpp>

namespace callboard {

/// What becomes of a topic's events when a subscriber reads too slowly.
enum class overflow_policy : uint8_t {
  /// The subscriber is closed with 4002.
  disconnect,
  /// The oldest of those that wait are dropped.
  drop_oldest,
  /// Those that come are dropped.
  drop_newest,
  /// All but the last one are dropped.
  latest,
};

inline constexpr size_t overflow_policy_count = 4;

/// Returns the policy's name, as in the config file.
std::string_view to_string(overflow_policy x) noexcept;

/// How much of a topic outlives the process.
enum class durability : uint8_t {
  /// Nothing.
  none,
  /// All, if the process ends cleanly. An event is delivered and answered at
  /// once.
  memory,
  /// All. An event is delivered and answered when it is on the disk.
  disk,
};

/// What a topic keeps beyond the moment.
struct topic_options {
  /// The last publications that are kept for those who come back and those who
  /// look, 0 … 100,000; 0 keeps none.
  size_t history_size = 0;
  /// How long each of them is kept, up to 366 days; 0: until a newer one or the
  /// node's `history_bytes_max` takes its place.
  caf::timespan history_ttl{0};
  /// Whether who subscribes anew gets the last publication first.
  bool retain = false;
  /// Whether the topic keeps who is there.
  bool presence = false;
  /// What becomes of events for those who subscribe to the topic itself and do
  /// not keep up. Who has them by a pattern is disconnected.
  overflow_policy overflow = overflow_policy::disconnect;
  /// How much of it outlives the process; all but `none` need a store.
  callboard::durability durability = callboard::durability::none;

  [[nodiscard]] bool has_history() const noexcept {
    return history_size > 0;
  }

  friend bool operator==(const topic_options&, const topic_options&) = default;
};

/// The options of the topics that match a pattern or have its very name.
struct topic_rule {
  std::string pattern;
  topic_options options;
};

/// Returns the options of `topic`: those of the first rule that matches, or
/// none at all.
const topic_options& options_of(const std::vector<topic_rule>& rules,
                                std::string_view topic) noexcept;

/// Returns whether topics that match `pattern` may retain their last value, as
/// far as the patterns of the rules tell.
bool may_retain(const std::vector<topic_rule>& rules,
                std::string_view pattern) noexcept;

} // namespace callboard
