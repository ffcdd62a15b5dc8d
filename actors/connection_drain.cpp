#include <callboard/actors/connection.hpp>

#include <utility>

#include <caf/send.hpp>

#include <callboard/actors/connection_parts.hpp>
#include <callboard/messages/close_code.hpp>

// How a connection ends with its node: after its answers.

namespace callboard {

namespace {

// The node itself spreads the ends of its connections; this one spreads those
// that come together.
constexpr uint64_t goaway_spread_ms = 1'000;

} // namespace

void connection::drain() {
  if (state_ >= connection_state::disconnecting)
    return;
  if (!std::exchange(draining_, true)) {
    send_away(to_string(close_code::draining), goaway_spread_ms);
    stop_serving();
    pause_groups();
  }
  close_if_drained();
}

void connection::send_away(std::string_view reason, uint64_t spread_ms) {
  auto urls = ctx_.elsewhere.next();
  if (urls.empty())
    return write_goaway(reason, "backoff", spread_ms);
  ctx_.metrics.redirects_sent_away->inc();
  // The other nodes are there: there is nothing to wait for.
  write_goaway(reason, "now", goaway_spread_ms, urls);
}

void connection::stop_serving() {
  if (served_ == nullptr)
    return;
  for (auto& action : std::exchange(served_->actions, {}))
    send(ctx_.router_of(action).actor, unregister_atom_v, full_action(action),
         uint32_t{0});
}

void connection::close_if_drained() {
  if (!draining_ || inflight_.size() > 0)
    return;
  if (served_ == nullptr
      || (served_->requests.empty() && served_->unconfirmed.empty()))
    close(close_code::draining);
}

void connection::look_again() {
  if (draining_)
    caf::anon_send(caf::actor_cast<connection_actor>(this), drain_atom_v);
}

} // namespace callboard
