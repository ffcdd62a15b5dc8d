#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <sys/types.h>

/// A baseline in a process of its own, ended with this object.
class child {
public:
  /// Starts a program and reads the port from its first line.
  /// @throws std::runtime_error if it does not say that it listens.
  explicit child(const std::vector<std::string>& words);

  child(const child&) = delete;

  ~child();

  pid_t pid() const {
    return pid_;
  }

  /// Returns the address of a path there.
  std::string url(const std::string& path) const;

private:
  pid_t pid_ = 0;
  uint16_t port_ = 0;
};
