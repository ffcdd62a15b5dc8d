#pragma once

#include <cstdint>
#include <string>

namespace callboard::cmd::bench {

/// Reads what another process costs. Everything is 0 if it cannot be read.
class process_probe {
public:
  /// @param pid of the process; 0: none, and `exists` is false.
  explicit process_probe(int pid) : pid_(pid) {
  }

  /// Tells whether there is such a process.
  bool exists() const;

  /// Returns the CPU time of all its threads so far, in nanoseconds.
  int64_t cpu_ns() const;

  /// Returns its resident memory in bytes.
  uint64_t resident_bytes() const;

  /// Returns how many cores it may run on.
  uint32_t cores() const;

private:
  uint64_t kibibytes(const char* file, const std::string& key) const;

  int pid_;
};

} // namespace callboard::cmd::bench
