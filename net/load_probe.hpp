#pragma once

#include <cstddef>
#include <cstdint>

namespace callboard::net {

/// Returns the resident memory of the process, in bytes; 0 where the system
/// does not tell. Any thread.
size_t resident_bytes() noexcept;

/// Gives memory that was freed, and that the allocator keeps, back to the
/// system, where it can. Takes up to a second with gigabytes of it: not for a
/// loop's thread.
void return_free_memory() noexcept;

/// What only the system knows of a loop's load. Asks it four times a second at
/// most. Used on the loop's thread, whose time it measures.
class load_probe {
public:
  /// Time between two looks, at least.
  static constexpr int64_t look_ms = 250;

  /// Looks again if it is time to.
  /// @param now_ms steady time.
  /// @param with_memory whether memory is looked at as well.
  void update(int64_t now_ms, bool with_memory);

  /// Returns the share of the time between the last two looks for which the
  /// thread had a processor, 0 … 1; 0 before the second one.
  [[nodiscard]] double cpu_share() const noexcept {
    return cpu_share_;
  }

  /// Returns the resident memory of the process as it was when that was looked
  /// at; 0 if it never was, or the system does not tell.
  [[nodiscard]] size_t memory_bytes() const noexcept {
    return memory_bytes_;
  }

private:
  int64_t looked_ms_ = 0;
  int64_t cpu_us_ = 0;
  double cpu_share_ = 0;
  size_t memory_bytes_ = 0;
};

} // namespace callboard::net
