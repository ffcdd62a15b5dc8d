#pragma once

#include <cstdint>

#include <caf/intrusive_ptr.hpp>
#include <caf/ref_counted.hpp>

namespace callboard {

/// What a connection and its loop's heartbeat monitor share. Both live on the
/// loop's thread.
class heartbeat : public caf::ref_counted {
public:
  /// Sends a ping. Called by the monitor.
  virtual void ping() = 0;

  /// Closes the connection: nothing was heard for `ping_timeout`.
  virtual void timed_out() = 0;

  /// Returns the loop time in milliseconds at which its time runs out; 0: it
  /// does not. Called by the monitor; if it gets nearer, `watch` has to be sent
  /// again.
  [[nodiscard]] virtual int64_t expires_ms() const = 0;

  /// Closes the connection: its time has run out. Called by the monitor.
  virtual void expired() = 0;

  /// Loop time in milliseconds at which the peer was heard last.
  int64_t last_heard_ms = 0;

  /// Where the monitor keeps it; `none` while it does not. The monitor's own.
  static constexpr uint32_t none = 0xFFFFFFFF;
  uint32_t place = none;
};

using heartbeat_ptr = caf::intrusive_ptr<heartbeat>;

} // namespace callboard
