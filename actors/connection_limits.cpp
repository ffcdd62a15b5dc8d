#include <callboard/actors/connection.hpp>

#include <utility>

#include <callboard/actors/connection_parts.hpp>
#include <callboard/actors/faults.hpp>

// How many connections somebody may have, and how much a client may send.

namespace callboard {

namespace {

// Returns whether the client of a frame of this type waits for an answer with
// the frame's seqId. Of the others that is the server's number, or means
// nothing.
bool wants_answer(frame_type x) noexcept {
  switch (x) {
    case frame_type::connect:
    case frame_type::request:
    case frame_type::subscribe:
    case frame_type::unsubscribe:
    case frame_type::publish:
    case frame_type::ping:
    case frame_type::register_action:
    case frame_type::unregister_action:
      return true;
    default:
      return false;
  }
}

} // namespace

// -- places -------------------------------------------------------------------

bool connection::take_place(uint32_t seq_id) {
  auto user = full_user();
  auto* users = ctx_.node.users.get();
  if (users != nullptr && !(user.empty() && who_.tenant.empty())) {
    auto place = users->enter(user, who_.tenant, ctx_.steady_ms);
    if (place.refused) {
      ctx_.metrics.refusals_by(*place.refused)->inc();
      write_error(seq_id, errc::forbidden,
                  *place.refused == limit_kind::user_connections
                    ? "This user has too many connections."
                    : "This tenant has too many connections.");
      close(close_code::limit_exceeded, to_string(*place.refused));
      return false;
    }
    placed_ = true;
    ctx_.claims[id_] = {std::move(user), who_.tenant, ctx_.steady_ms};
    publishes_ = std::move(place.publishes);
  }
  if (publishes_ == nullptr)
    publishes_ = renewed(nullptr, ctx_.limits().publishes, ctx_.steady_ms);
  return true;
}

void connection::leave_place() {
  if (!std::exchange(placed_, false) || injected(fault::keep_place))
    return;
  ctx_.claims.erase(id_);
  ctx_.node.users->leave(full_user(), who_.tenant, ctx_.steady_ms);
}

// -- rates --------------------------------------------------------------------

bool connection::keeps_pace(const frame_view& x) {
  if (is_awaited(x))
    return true;
  auto verdict = pace_->take(ctx_.steady_ms, ctx_.load.token_price());
  if (verdict.wait_ms == 0)
    return true;
  refuse_rate(wants_answer(x.type) ? x.seq_id : 0, verdict.what,
              verdict.wait_ms);
  close_flood(verdict.flood);
  return false;
}

void connection::renew_rates() {
  limits_round_ = ctx_.limits_round;
  auto& limits = ctx_.limits();
  auto frame_bytes_max = ctx_.node.options.frame_bytes_max;
  if (!pace::is_needed(limits))
    pace_ = nullptr;
  else if (pace_ != nullptr)
    pace_->change(limits, frame_bytes_max, ctx_.steady_ms);
  else
    pace_ = std::make_unique<pace>(limits, frame_bytes_max, ctx_.steady_ms);
  // Who is not let in yet gets it then.
  if (state_ != connection_state::connected)
    return;
  auto shared = placed_
                  ? ctx_.node.users->publishes_of(full_user(), ctx_.steady_ms)
                  : nullptr;
  publishes_ = shared != nullptr ? std::move(shared)
                                 : renewed(std::move(publishes_),
                                           limits.publishes, ctx_.steady_ms);
}

void connection::receive_control(size_t bytes) {
  follow_limits();
  if (pace_ == nullptr || state_ >= connection_state::disconnecting)
    return;
  pace_->begin_message(bytes);
  pay();
}

void connection::pay() {
  auto verdict = pace_->take(ctx_.steady_ms, ctx_.load.token_price());
  if (verdict.wait_ms == 0)
    return;
  refuse_rate(0, verdict.what, verdict.wait_ms);
  close_flood(verdict.flood);
}

void connection::close_flood(bool flood) {
  if (!flood)
    return;
  ctx_.metrics.refusals_by(limit_kind::flood)->inc();
  close(close_code::policy_violation, to_string(errc::rate_limited));
}

bool connection::is_awaited(const frame_view& x) const {
  auto asked = [&] {
    return served_ != nullptr && served_->requests.contains(x.seq_id);
  };
  auto given = [&] {
    return served_ != nullptr && served_->unconfirmed.contains(x.seq_id);
  };
  switch (x.type) {
    case frame_type::response:
      return asked();
    case frame_type::error:
      return asked() || given();
    case frame_type::ack:
      return given();
    case frame_type::cancel:
      return inflight_.contains(x.seq_id, inflight_kind::request)
             || inflight_.contains(x.seq_id, inflight_kind::query);
    default:
      return false;
  }
}

bool connection::may_publish(uint32_t seq_id) {
  auto wait_ms = publishes_->take(ctx_.steady_ms, ctx_.load.token_price());
  if (wait_ms == 0)
    return true;
  refuse_rate(seq_id, limit_kind::publishes, wait_ms);
  return false;
}

void connection::refuse_rate(uint32_t seq_id, limit_kind what,
                             int64_t wait_ms) {
  ctx_.metrics.refusals_by(what)->inc();
  if (seq_id != 0)
    write_error(seq_id, errc::rate_limited, {}, static_cast<uint64_t>(wait_ms));
}

// -- load ---------------------------------------------------------------------

void connection::shed_login(uint32_t seq_id) {
  if (state_ != connection_state::connecting)
    return;
  ctx_.metrics.refusals_by(limit_kind::load_logins)->inc();
  write_error(seq_id, errc::overloaded);
  close(close_code::overloaded);
}

void connection::refuse_shed(load_stage stage, uint32_t seq_id) {
  ctx_.metrics
    .refusals_by(stage == load_stage::publishes ? limit_kind::load_publishes
                                                : limit_kind::load_requests)
    ->inc();
  refuse(seq_id, inflight_.contains(seq_id) ? errc::duplicate_seq_id
                                            : errc::overloaded);
}

} // namespace callboard
