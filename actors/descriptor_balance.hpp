#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace callboard {

/// Tells descriptors that leak from those that are in use. Of the open ones,
/// the clients' sockets are known by number; the rest (listener, epoll sets,
/// timers, files of the store) hardly changes. So what counts is that the rest
/// grows, and stays. Pure.
class descriptor_balance {
public:
  /// Counts in a row that must agree, because sockets open and close while both
  /// numbers are taken.
  static constexpr size_t counts = 3;

  /// Descriptors by which the rest may grow for good.
  static constexpr int64_t slack = 8;

  /// Takes the numbers of an audit.
  /// @param open descriptors of the process.
  /// @param sockets of them, the clients'.
  /// @returns how many have leaked that were not told of before; from the
  ///          `counts`-th call on, whose rest is taken for what is in use.
  int64_t observe(int64_t open, int64_t sockets) noexcept;

private:
  std::array<int64_t, counts> last_ = {};
  size_t observed_ = 0;
  // What the rest is taken to be.
  int64_t in_use_ = 0;
};

} // namespace callboard
