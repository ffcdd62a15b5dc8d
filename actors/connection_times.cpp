#include <callboard/actors/connection.hpp>

#include <algorithm>
#include <chrono>
#include <limits>

#include <callboard/actors/connection_parts.hpp>
#include <callboard/actors/in_ms.hpp>

namespace callboard {

namespace {

constexpr auto never = std::numeric_limits<int64_t>::max();

int64_t or_never(int64_t end_ms) {
  return end_ms == 0 ? never : end_ms;
}

// Spreads numbers that follow each other over all bits (the finalizer of
// MurmurHash3).
uint64_t scatter(uint64_t x) {
  x = (x ^ (x >> 33)) * 0xff51afd7ed558ccd;
  x = (x ^ (x >> 33)) * 0xc4ceb9fe1a85ec53;
  return x ^ (x >> 33);
}

} // namespace

int64_t connection::lifetime_end() const noexcept {
  auto lifetime_ms = in_ms(ctx_.node.options.connection_lifetime);
  if (lifetime_ms == 0)
    return 0;
  // Those that came together do not go together.
  auto spread = static_cast<uint64_t>(lifetime_ms / 10 + 1);
  return ctx_.steady_ms + lifetime_ms
         - static_cast<int64_t>(scatter(id_) % spread);
}

int64_t connection::idle_end() const noexcept {
  auto idle_ms = in_ms(ctx_.node.options.idle_timeout);
  if (idle_ms == 0 || state_ != connection_state::connected)
    return never;
  auto waits = subscriptions() > 0 || inflight_.size() > 0
               || (served_ != nullptr && served_->is_in_use());
  return (waits ? ctx_.steady_ms : last_frame_ms_) + idle_ms;
}

int64_t connection::expires_ms() const noexcept {
  auto end
    = std::min({or_never(expires_ms_), or_never(lifetime_end_ms_), idle_end()});
  return end == never ? 0 : end;
}

void connection::expire() {
  if (state_ >= connection_state::disconnecting)
    return;
  auto end = expires_ms();
  if (end == expires_ms_) {
    write_error(0, errc::token_expired);
    close(close_code::unauthenticated, to_string(errc::token_expired));
  } else if (end == lifetime_end_ms_) {
    write_goaway("lifetime", "backoff");
    close(close_code::draining, "lifetime");
  } else {
    close(close_code::idle_timeout, to_string(close_code::idle_timeout));
  }
}

} // namespace callboard
