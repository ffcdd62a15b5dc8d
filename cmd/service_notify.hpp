#pragma once

#include <chrono>
#include <string>

namespace callboard::cmd {

/// Tells the service manager that has started this process how far it is: the
/// protocol of sd_notify(3), a datagram with lines of `NAME=VALUE`. Does
/// nothing where there is no such manager. A manager that cannot be told is
/// logged, and the process goes on.
class service_notify {
public:
  /// @param socket what the manager has put into NOTIFY_SOCKET: a path, or `@`
  ///               and the name of an abstract socket; empty: no manager.
  explicit service_notify(std::string socket);

  /// It has started, and will be `ready` within this time at most.
  /// @param status a line for people.
  void waits(std::chrono::microseconds most, const std::string& status) const;

  /// It serves, for the first time or after `reloading`.
  /// @param status a line for people.
  void ready(const std::string& status) const;

  /// It reads its configuration again, and will be `ready` again.
  void reloading(std::chrono::steady_clock::time_point now) const;

  /// It ends.
  void stopping() const;

private:
  void send(const std::string& message) const;

  std::string socket_;
};

} // namespace callboard::cmd
