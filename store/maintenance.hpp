#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/actors/event_store.hpp>

namespace callboard {

// What operators do with a store. Everything throws `std::exception` with a
// sentence for people.

/// Returns the file of the store in a folder.
std::string store_file_of(const std::string& folder);

/// What `check_store_file` has found.
struct store_findings {
  /// Problems that are told; there may be more.
  static constexpr size_t problems_max = 100;

  std::vector<std::string> problems;
  uint64_t topics = 0;
  uint64_t events = 0;
  uint64_t groups = 0;
  int64_t bytes = 0;
};

/// Reads all of a store, or of a copy, and tells what contradicts itself. A
/// node may be running on it.
store_findings check_store_file(const std::string& file);

/// Calls `f` with every event of the topics that `pattern` matches, a topic at
/// a time, oldest first. A node may be running on it.
/// @returns how many there were.
uint64_t export_store_file(const std::string& file, std::string_view pattern,
                           const std::function<void(const publication&)>& f);

/// Calls `f` with where each group of these topics stands, by its name. A node
/// may be running on it.
/// @returns how many there were.
uint64_t export_store_places(const std::string& file, std::string_view pattern,
                             const std::function<void(const saved_place&)>& f);

/// Copies a store as it is at one moment. A node may be running on it.
/// @param to a file that does not exist yet.
/// @returns its size in bytes.
int64_t back_up_store_file(const std::string& file, const std::string& to);

struct store_compaction {
  int64_t bytes_before = 0;
  int64_t bytes_after = 0;
};

/// Gives the room of removed events back to the disk, and brings the store to
/// the newest version. No node may be running on it.
store_compaction compact_store(const std::string& folder);

} // namespace callboard
