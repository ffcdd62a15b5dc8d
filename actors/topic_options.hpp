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

/// Which clients may publish to a topic. The application always may.
enum class publishers : uint8_t {
  /// Those who have the right to.
  all,
  /// None.
  server,
};

/// Why a client's publication is refused by its topic's rule.
enum class publish_refusal : uint8_t {
  /// The rule's `publishers` leaves clients out.
  publishers,
  /// The payload is over `payload_bytes_max`.
  payload_bytes,
  /// There was too much within a second (`publish_rate`).
  rate,
};

inline constexpr size_t publish_refusal_count = 3;

/// Returns the refusal's name, as in the metric.
std::string_view to_string(publish_refusal x) noexcept;

/// What a topic keeps beyond the moment, and takes from clients.
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
  /// How many nodes of a cluster have it on their disks, 1 … 3; more than 1
  /// only with durability `disk`, and without presence. While the first of them
  /// is away the next one owns it.
  size_t replicas = 1;
  /// Largest payload of a client's publication in bytes, as the client sends
  /// it, up to 16,777,216; 0: `frame_bytes_max` alone bounds it.
  size_t payload_bytes_max = 0;
  /// Publications a second that the topic takes from all clients together, up
  /// to 1,000,000; 0: no limit.
  size_t publish_rate = 0;
  /// How many of them at once after a rest, up to 1,000,000; 0: as many as
  /// `publish_rate`.
  size_t publish_burst = 0;
  /// Which clients may publish.
  callboard::publishers publishers = callboard::publishers::all;

  [[nodiscard]] bool has_history() const noexcept {
    return history_size > 0;
  }

  /// Returns whether a publication is looked at before its owner gets it.
  [[nodiscard]] bool screens_publications() const noexcept {
    return payload_bytes_max > 0 || publishers != callboard::publishers::all;
  }

  friend bool operator==(const topic_options&, const topic_options&) = default;
};

/// The options of the topics that match a pattern or have its very name.
struct topic_rule {
  std::string pattern;
  topic_options options;

  friend bool operator==(const topic_rule&, const topic_rule&) = default;
};

/// Returns the options of the topic with the full name `topic`: those of the
/// first rule that matches the visible one, or none at all.
const topic_options& options_of(const std::vector<topic_rule>& rules,
                                std::string_view topic) noexcept;

/// Returns what the rules say of the durability of topics and of their
/// replicas, and nothing else: where this is the same, each topic has the same
/// ones.
std::vector<topic_rule> durable_rules(const std::vector<topic_rule>& rules);

/// Returns what a topic that lives goes by when its rule has become `wanted`:
/// all of that but for its durability and its replicas, and of a topic of
/// durability `disk` but for whether it keeps a history at all, because what it
/// has promised about events and places of groups holds for as long as it
/// lives.
topic_options revised(const topic_options& living, topic_options wanted);

/// Returns whether topics that match `pattern`, a full name, may retain their
/// last value, as far as the patterns of the rules tell.
bool may_retain(const std::vector<topic_rule>& rules,
                std::string_view pattern) noexcept;

/// The same for topics that outlive the process.
bool may_be_durable(const std::vector<topic_rule>& rules,
                    std::string_view pattern) noexcept;

} // namespace callboard
