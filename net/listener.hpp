#pragma once

#include <cstdint>
#include <string>

#include <caf/expected.hpp>

#include <callboard/net/io_loop.hpp>
#include <callboard/net/time_slice.hpp>

namespace callboard::net {

/// Accepts TCP connections on one loop and hands them on.
class listener : public io_handler {
public:
  /// Length of the kernel's queue of connections that wait to be accepted.
  static constexpr int backlog = 4096;

  /// Binds and listens.
  /// @param address an IP address, v4 or v6.
  /// @param port 0: the system chooses one.
  /// @returns the descriptor, or `sec::cannot_open_port` with a sentence.
  static caf::expected<int> bind(const std::string& address, uint16_t port);

  /// Returns the port that a bound descriptor has.
  static uint16_t port_of(int descriptor);

  /// @param descriptor from `bind`; now ours.
  /// @param accepted is called on the loop's thread with each new descriptor,
  ///                 non-blocking and without Nagle's delay.
  listener(io_loop& loop, int descriptor, std::function<void(int)> accepted);

  ~listener() override;

  /// Begins to accept. Loop's thread.
  void start();

  /// Stops accepting and gives the port back. Loop's thread.
  void stop();

  void on_ready(uint32_t events) override;

private:
  void pause();

  io_loop& loop_;
  int descriptor_;
  std::function<void(int)> accepted_;
  asio::steady_timer pause_;
  time_slice slice_;
};

} // namespace callboard::net
