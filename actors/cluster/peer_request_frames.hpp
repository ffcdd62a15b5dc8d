#pragma once

#include <cstdint>
#include <string>

#include <caf/make_counted.hpp>

#include <callboard/actors/cluster/peer_frames.hpp>
#include <callboard/actors/messages.hpp>

// What router shards of different nodes tell each other. Actions go by their
// full names; the shard that has one at a node is that of the visible name.

namespace callboard {

// -- who serves what ----------------------------------------------------------

/// Somebody of this node serves an action.
struct peer_offer {
  static constexpr auto number = peer_frame::offer;

  std::string action;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_offer& x) {
    return f.object(x).fields(f.field("action", x.action));
  }
};

/// Nobody does any more. What was asked before is still answered.
struct peer_withdraw {
  static constexpr auto number = peer_frame::withdraw;

  std::string action;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_withdraw& x) {
    return f.object(x).fields(f.field("action", x.action));
  }
};

/// This shard of the sender begins anew: it serves nothing yet, answers nothing
/// that it was asked, waits for no answer, and has heard of no offer.
struct peer_restart {
  static constexpr auto number = peer_frame::restart;

  uint32_t shard = 0;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_restart& x) {
    return f.object(x).fields(f.field("shard", x.shard));
  }
};

// -- requests -----------------------------------------------------------------

/// Let a responder of the receiver's serve this request; the answer is
/// `peer_outcome` with its ticket.
struct peer_serve {
  static constexpr auto number = peer_frame::serve;

  /// The asker's; number 0 for a notify, which nobody answers.
  request_ticket ticket;
  /// What is left of the asker's time.
  uint64_t timeout_ms = 0;
  /// Its content; never null.
  routed_request_ptr what = caf::make_counted<routed_request>();

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_serve& x) {
    return f.object(x).fields(f.field("shard", x.ticket.shard),
                              f.field("number", x.ticket.number),
                              f.field("timeout-ms", x.timeout_ms),
                              f.field("what", x.what->content));
  }
};

/// What became of a request.
struct peer_outcome {
  static constexpr auto number = peer_frame::outcome;

  request_ticket ticket;
  /// Whether nobody there serves the action any more: nobody was asked.
  bool unserved = false;
  request_outcome what;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_outcome& x) {
    auto& what = x.what;
    return f.object(x).fields(
      f.field("shard", x.ticket.shard), f.field("number", x.ticket.number),
      f.field("unserved", x.unserved), f.field("code", what.code),
      f.field("name", what.name), f.field("temporary", what.temporary),
      f.field("retry-after-ms", what.retry_after_ms),
      f.field("payload", what.payload));
  }
};

/// Nobody waits for a request's answer any more.
struct peer_cancel {
  static constexpr auto number = peer_frame::cancel;

  request_ticket ticket;
  /// Whether its time is over, which speaks against the responder.
  bool late = false;

  template <class Inspector>
  friend bool inspect(Inspector& f, peer_cancel& x) {
    return f.object(x).fields(f.field("shard", x.ticket.shard),
                              f.field("number", x.ticket.number),
                              f.field("late", x.late));
  }
};

} // namespace callboard
