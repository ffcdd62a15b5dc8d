#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <caf/timespan.hpp>

namespace callboard {

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

} // namespace callboard
