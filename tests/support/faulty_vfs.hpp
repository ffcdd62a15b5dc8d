#pragma once

#include <atomic>
#include <string>

namespace callboard {

/// SQLite's usual way to the disk under the name `faulty`, which fails when it
/// is told to: a disk that is full, or broken, or that loses its power.
struct faulty_vfs {
  /// Makes it known to SQLite; a second call does nothing.
  static void install();

  /// How many writes, syncs and truncations work from now on; negative: all.
  static inline std::atomic<int> left = -1;

  /// SQLite's result of the others.
  static inline std::atomic<int> code = 0;

  /// Makes the folder `to` as `from` would be after a loss of power at this
  /// moment: without any write that no sync has followed. What wrote to it
  /// meanwhile must be idle.
  static void copy_synced(const std::string& from, const std::string& to);

  /// Returns whether one has failed since the last call.
  static bool take_failed() noexcept;
};

} // namespace callboard
