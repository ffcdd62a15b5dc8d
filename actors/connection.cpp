#include <callboard/actors/connection.hpp>

#include <caf/send.hpp>

#include <callboard/actors/connection_name.hpp>
#include <callboard/actors/connection_parts.hpp>
#include <callboard/actors/faults.hpp>
#include <callboard/actors/user_topic.hpp>

namespace callboard {

std::string_view to_string(connection_state x) noexcept {
  switch (x) {
    case connection_state::connecting:
      return "connecting";
    case connection_state::connected:
      return "connected";
    case connection_state::disconnecting:
      return "disconnecting";
    case connection_state::disconnected:
      return "disconnected";
  }
  return "unknown";
}

connection::connection(caf::actor_config& cfg, caf::execution_unit* loop,
                       loop_context& ctx, outbox_ptr box,
                       connection_setup setup)
  : super{cfg, loop},
    ctx_{ctx},
    box_{std::move(box)},
    id_{setup.id},
    must_authenticate_{setup.must_authenticate},
    who_{std::move(setup.who)},
    expires_ms_{loop_time(who_.expires_ms)},
    lifetime_end_ms_{lifetime_end()},
    since_ms_{ctx_.unix_ms},
    last_frame_ms_{ctx_.steady_ms},
    address_{std::move(setup.address)},
    limits_round_{ctx_.limits_round} {
  box_->owner = this;
  box_->connection = id_;
  if (auto& limits = ctx_.limits(); pace::is_needed(limits))
    pace_ = std::make_unique<pace>(limits, ctx_.node.options.frame_bytes_max,
                                   ctx_.steady_ms);
  ctx_.metrics.connections_connecting->inc();
  live_.self = this;
  live_.entered_ms[0] = ctx_.steady_ms;
  ctx_.live.add(live_);
}

connection::~connection() = default;

connection::behavior_type connection::make_behavior() {
  return {
    [this](const published& x) { finish_publish(x); },
    [this](resolve_atom, uint32_t call_id, const request_outcome& x) {
      finish_request(call_id, x);
    },
    [this](register_atom, uint32_t call_id) { finish_register(call_id); },
    [this](serve_atom, request_ticket ticket, const routed_request_ptr& x) {
      serve(ticket, *x);
    },
    [this](cancel_atom, request_ticket ticket) { cancel_serving(ticket); },
    [this](request_atom, const std::string& action, payload& content,
           caf::timespan timeout) {
      return ask(action, std::move(content), timeout);
    },
    [this](close_atom, uint16_t code, const std::string& reason) {
      // Who is draining was told.
      if (!draining_ && code == static_cast<uint16_t>(close_code::draining))
        send_away(reason, 0);
      else if (!draining_)
        write_goaway(reason, code >= 4500 ? "never" : "backoff");
      close(code, reason);
    },
    [this](drain_atom) { drain(); },
    [this](const group_notice& x) {
      handle(x);
      close_if_drained();
    },
    [this](deliver_atom, const group_event& x) { take_event(x); },
    [this](cancel_atom, group_ticket x) { withdraw_event(x); },
    [this](lookup_atom) { return facts(); },
  };
}

void connection::on_exit() {
  // Killed, or failed: what it had is gone, and the peer is told.
  if (close_code_ == 0) {
    close_code_ = static_cast<uint16_t>(close_code::internal_error);
    close_reason_ = "internal error";
  }
  if (!injected(fault::keep_socket)) {
    if (auto* socket = box_->get_transport())
      socket->close(close_code_, close_reason_);
    box_->close();
  }
  ctx_.live.remove(live_);
  box_->owner = nullptr;
  set_state(connection_state::disconnected);
  // Who was never let in was never told of either.
  if (!sender_.empty())
    if (told_)
      tell_life(lifecycle_kind::disconnected);
  box_ = nullptr;
  leave_place();
  if (served_ != nullptr)
    served_->fail_all();
  served_ = nullptr;
  memberships_ = nullptr;
}

// -- from the session ---------------------------------------------------------

void connection::open() {
  if (!must_authenticate_)
    connected(0);
}

void connection::receive(std::string_view message) {
  if (injected(fault::keep_socket))
    return quit();
  auto& reader = ctx_.readers[static_cast<size_t>(codec_of(box_->form()))];
  reader.reset(message);
  follow_limits();
  if (pace_ != nullptr)
    pace_->begin_message(message.size());
  frame_view x;
  for (auto empty = true; state_ < connection_state::disconnecting;
       empty = false) {
    switch (reader.next(x)) {
      case read_status::frame:
        ++ctx_.counts.frames_in[static_cast<size_t>(x.type)];
        if (x.type != frame_type::ping && x.type != frame_type::pong)
          last_frame_ms_ = ctx_.steady_ms;
        if (pace_ == nullptr || keeps_pace(x))
          handle(x);
        break;
      case read_status::end:
        if (empty && pace_ != nullptr)
          pay();
        return close_if_drained();
      case read_status::unknown_type:
        malformed(x, errc::unknown_type, {});
        break;
      case read_status::malformed:
        malformed(x, errc::malformed_frame, reader.reason());
        return close_if_drained();
    }
  }
}

void connection::lost(uint16_t code, std::string_view reason) {
  if (close_code_ == 0) {
    close_code_ = code;
    close_reason_ = reason;
  }
  set_state(connection_state::disconnecting);
  quit();
}

void connection::abandon() {
  box_->set_transport(nullptr);
  lost(static_cast<uint16_t>(close_code::abnormal), "socket gone");
}

void connection::close(uint16_t code, std::string_view reason) {
  if (state_ >= connection_state::disconnecting)
    return;
  close_code_ = code;
  close_reason_ = reason;
  if (code == static_cast<uint16_t>(close_code::message_too_big))
    write_error(0, errc::frame_too_large);
  set_state(connection_state::disconnecting);
  if (auto* socket = box_->get_transport())
    socket->close(code, reason);
  // The session sees the close through; nothing is left to decide.
  quit();
}

void connection::close(close_code code, std::string_view reason) {
  close(static_cast<uint16_t>(code), reason.empty() ? to_string(code) : reason);
}

// -- from the loop ------------------------------------------------------------

void connection::broker_replaced(uint32_t shard) {
  auto own = shard == ctx_.index;
  auto lost = [shard, own](const inflight_table::entry& x) {
    switch (x.kind) {
      case inflight_kind::publish:
      case inflight_kind::query:
        return x.shard == shard;
      case inflight_kind::presence_query:
        return x.shard == shard || own;
      default:
        return false;
    }
  };
  inflight_.take_if(lost, [this](const inflight_table::entry& x) {
    write_error(x.seq_id, errc::internal);
  });
  groups_replaced(shard);
  close_if_drained();
}

void connection::router_replaced(uint32_t shard) {
  auto lost = [shard](const inflight_table::entry& x) {
    return x.shard == shard
           && (x.kind == inflight_kind::request
               || x.kind == inflight_kind::register_action);
  };
  inflight_.take_if(lost, [this](const inflight_table::entry& x) {
    if (served_ != nullptr)
      served_->registering.erase(x.call_id);
    write_error(x.seq_id, errc::internal);
  });
  if (served_ == nullptr)
    return close_if_drained();
  served_->forget_shard(shard);
  for (auto& action : served_->actions)
    if (shard_of(action, ctx_.node.loops) == shard)
      send(ctx_.routers[shard].actor, register_atom_v, full_action(action),
           uint32_t{0});
  close_if_drained();
}

// -- state --------------------------------------------------------------------

void connection::connected(uint32_t seq_id) {
  if (!check_names(seq_id) || !take_place(seq_id))
    return;
  set_state(connection_state::connected);
  sender_ = who_.user.empty() ? wire_name() : who_.user;
  if (!injected(fault::skip_registration))
    caf::anon_send(ctx_.pool, opened_atom_v, caf::strong_actor_ptr{ctrl()},
                   describe(lifecycle_kind::connected));
  told_ = true;
  write_welcome(seq_id);
  if (auto topic = user_topic(who_.user); !topic.empty())
    subscribe(std::string{full_name(topic)}, 0, nullptr, false);
}

void connection::set_state(connection_state x) {
  if (x == state_)
    return;
  auto gauge = [this](connection_state which) {
    auto& m = ctx_.metrics;
    return which == connection_state::connecting  ? m.connections_connecting
           : which == connection_state::connected ? m.connections_connected
           : which == connection_state::disconnecting
             ? m.connections_disconnecting
             : nullptr;
  };
  if (auto* left = gauge(state_))
    left->dec();
  if (auto* entered = gauge(x))
    entered->inc();
  else
    ctx_.metrics.connections_closed->inc();
  if (ctx_.log_state)
    ctx_.log_state(id_, to_string(state_), to_string(x), close_code_);
  state_ = x;
  if (x < connection_state::disconnected)
    live_.entered_ms[static_cast<size_t>(x)] = ctx_.steady_ms;
}

std::string connection::wire_name() const {
  return connection_name(ctx_.node.name, id_);
}

leak_history connection::history() const {
  auto& [opened, connected, closing] = live_.entered_ms;
  return {id_,    address_,  full_user(), to_string(state_),
          opened, connected, closing};
}

connection_facts connection::facts() const {
  connection_facts result;
  result.id = id_;
  result.name = wire_name();
  result.user = who_.user;
  result.tenant = who_.tenant;
  result.address = address_;
  result.state = to_string(state_);
  result.since_ms = since_ms_;
  result.idle_ms = ctx_.steady_ms - last_frame_ms_;
  result.loop = ctx_.index;
  result.subscriptions = subscriptions();
  result.inflight = inflight_.size();
  result.outbox_bytes = box_->queued_bytes();
  return result;
}

lifecycle_event connection::describe(lifecycle_kind kind) const {
  lifecycle_event result;
  result.kind = kind;
  result.connection = id_;
  result.name = wire_name();
  result.user = full_user();
  return result;
}

void connection::tell_life(lifecycle_kind kind, std::string_view subject) {
  if (!ctx_.node.watched.load(std::memory_order_relaxed))
    return;
  auto life = describe(kind);
  life.subject = subject;
  if (kind == lifecycle_kind::disconnected) {
    life.code = close_code_;
    life.reason = close_reason_;
  }
  caf::anon_send(ctx_.pool, std::move(life));
}

} // namespace callboard
