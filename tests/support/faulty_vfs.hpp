#pragma once

#include <atomic>

namespace callboard {

/// SQLite's usual way to the disk under the name `faulty`, which fails when it
/// is told to: a disk that is full, or broken.
struct faulty_vfs {
  /// Makes it known to SQLite; a second call does nothing.
  static void install();

  /// How many writes, syncs and truncations work from now on; negative: all.
  static inline std::atomic<int> left = -1;

  /// SQLite's result of the others.
  static inline std::atomic<int> code = 0;

  /// Returns whether one has failed since the last call.
  static bool take_failed() noexcept;
};

} // namespace callboard
