#pragma once

#include <cstdint>
#include <vector>

#include "endpoint.hpp"
#include "tally.hpp"

namespace callboard::cmd::bench {

/// TCP connections that say nothing, and how long the server puts up with
/// each. Shares its worker's epoll instance and lives on its thread.
class silent_crowd {
public:
  /// @param first_number by which epoll names the first of them; the others'
  ///        follow.
  silent_crowd(uint32_t first_number, uint32_t count);

  silent_crowd(const silent_crowd&) = delete;

  ~silent_crowd();

  /// Begins to connect those that are due, some at a time.
  /// @param rate connections a second; 0: as fast as they are taken.
  /// @param now of the monotonic clock, in nanoseconds.
  void connect_some(int epoll, const endpoint& target, double rate, int64_t now,
                    tally& counts);

  /// Hears what came on one of them: at last its end.
  void handle(uint32_t number, int64_t now, tally& counts);

  /// Closes those that are left, which counts nothing.
  void close_all();

private:
  struct connection {
    int fd = -1;
    int64_t began_ns = 0;
  };

  bool connect(int epoll, const endpoint& target, int64_t now);

  uint32_t first_number_;
  std::vector<connection> connections_;
  uint32_t begun_ = 0;
  /// When the first one began; 0: none has.
  int64_t began_ns_ = 0;
};

} // namespace callboard::cmd::bench
