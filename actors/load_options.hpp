#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <caf/timespan.hpp>

namespace callboard {

/// What a loop's load is made of. `outbox` and `memory` keep out who is new,
/// and shed nothing else.
enum class load_part : uint8_t {
  /// How long turns take: the length of the one that a moment finds itself in,
  /// on average. A moment of rest finds none.
  turn,
  /// Actors that a turn has left waiting.
  queue,
  /// Bytes that wait in outboxes.
  outbox,
  /// The share of its time for which the loop's thread had a processor.
  cpu,
  /// Resident memory of the process.
  memory,
};

inline constexpr size_t load_part_count = 5;

/// Returns the name: `outbox`.
std::string_view to_string(load_part x) noexcept;

/// What counts as load, and where work is shed because of it.
struct load_options {
  /// The score from which new work is shed, 0 … 1; 0: none ever is, and rates
  /// are what they are.
  double high = 0.9;
  /// The score below which all work is taken again, and from which on rates
  /// become lower; 0 … 1, above 0 and below `high` unless that is 0.
  double low = 0.7;
  /// By how much each part counts, by `load_part`; 0 … 1. The score is the
  /// largest of the parts, each times its weight. Not of outboxes: clients
  /// that read nothing fill them, and keep them so.
  std::array<double, load_part_count> weights{1, 1, 0, 0, 1};
  /// The length of turns that is a full load, 1 ms … 1 min.
  caf::timespan turn_max = std::chrono::milliseconds{100};
  /// The bytes in all outboxes that are, 65,536 … 2^40.
  size_t outbox_bytes_max = size_t{1} << 30;
  /// The resident memory that is, in bytes; 0: no such part, else 1,048,576 …
  /// 2^44.
  size_t memory_bytes_max = 0;
};

} // namespace callboard
