#pragma once

#include <caf/actor_control_block.hpp>

namespace callboard {

/// Mistakes that a build with CALLBOARD_FAULTS can be told to make, to prove
/// that the audit finds what they leave behind. CALLBOARD_FAULT in the
/// environment names the one; a node with it has one loop.
enum class fault {
  /// The log-in has no deadline, and neither has the close.
  endless_connecting,
  endless_closing,
  /// A client's first message ends its actor, which leaves the socket open.
  keep_socket,
  /// A socket that is lost leaves the actor alive.
  keep_actor,
  /// Subscriptions outlive their connection.
  keep_subscription,
  /// So do its places.
  keep_place,
  /// The pool is not told of connections, and does not hear of their end.
  skip_registration,
  keep_registration,
  /// A descriptor stays open for each WebSocket that has ended.
  keep_descriptor,
};

#ifdef CALLBOARD_FAULTS

/// Returns whether this mistake is to be made. Any thread.
bool injected(fault x) noexcept;

/// Keeps an actor for ever, if that mistake is to be made.
void leave_behind(fault x, const caf::strong_actor_ptr& who);

#else

constexpr bool injected(fault) noexcept {
  return false;
}

inline void leave_behind(fault, const caf::strong_actor_ptr&) {
  // nop
}

#endif

} // namespace callboard
