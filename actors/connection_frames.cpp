#include <callboard/actors/connection.hpp>

#include <string>

#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>
#include <callboard/actors/connection_parts.hpp>
#include <callboard/actors/responder_error.hpp>
#include <callboard/actors/tenant_space.hpp>

// The frames that a client sends.

namespace callboard {

void connection::handle(const frame_view& x) {
  if (state_ == connection_state::connecting && x.type != frame_type::connect) {
    write_error(x.seq_id, errc::unauthenticated);
    close(close_code::unauthenticated);
    return;
  }
  switch (x.type) {
    case frame_type::connect:
      return handle_connect(x);
    case frame_type::request:
      return x.seq_id == 0 ? handle_notify(x) : handle_request(x);
    case frame_type::notify:
      return handle_notify(x);
    case frame_type::cancel:
      return handle_cancel(x);
    case frame_type::response:
    case frame_type::error:
      return handle_reply(x);
    case frame_type::subscribe:
      return handle_subscribe(x);
    case frame_type::unsubscribe:
      return handle_unsubscribe(x);
    case frame_type::publish:
      return handle_publish(x);
    case frame_type::ping: {
      frame_view pong;
      pong.type = frame_type::pong;
      pong.seq_id = x.seq_id;
      pong.payload = x.payload;
      return write(pong);
    }
    case frame_type::pong:
      return;
    case frame_type::register_action:
      return handle_register(x);
    case frame_type::unregister_action:
      return handle_unregister(x);
    case frame_type::ack:
      // A late one, or one that was made up, means nothing.
      answer_event(x.seq_id, group_verdict::confirmed);
      return;
    default:
      return write_error(x.seq_id, errc::unexpected_frame);
  }
}

// -- requests -----------------------------------------------------------------

void connection::handle_request(const frame_view& x) {
  if (is_shed(load_stage::requests, x.seq_id))
    return;
  if (inflight_.contains(x.seq_id))
    return write_error(x.seq_id, errc::duplicate_seq_id);
  // An own action is answered at once, and so is never in flight.
  auto wrong = check_action(x.subject);
  if (wrong == subject_error::reserved) {
    if (!handle_own_action(x))
      write_error(x.seq_id, errc::no_responder);
    return;
  }
  if (!admit(x, operation::request, wrong))
    return;
  auto shard = shard_of(x.subject, ctx_.node.loops);
  auto& router = ctx_.routers[shard];
  if (ctx_.node.congested(router))
    return write_error(x.seq_id, errc::overloaded);
  if (auto call = begin(x.seq_id, inflight_kind::request, shard))
    route(x, router, *call);
}

void connection::handle_notify(const frame_view& x) {
  // Nobody wants an answer, so a refusal has nobody to go to.
  if (is_shed(load_stage::requests, 0))
    return;
  if (check_action(x.subject) != subject_error::none
      || !authorized(operation::request, x.subject))
    return;
  auto& router = ctx_.router_of(x.subject);
  if (ctx_.node.congested(router))
    ctx_.metrics.requests_overloaded->inc();
  else
    route(x, router, 0);
}

void connection::route(const frame_view& x, const router_ref& shard,
                       uint32_t call_id) {
  static constexpr uint64_t timeout_ms_default = 10'000;
  static constexpr uint64_t timeout_ms_max = 300'000;
  auto request = caf::make_counted<routed_request>();
  auto& content = request->content;
  content.action = full_action(x.subject);
  content.payload = payload{x.payload};
  content.sender = isolated() && !who_.user.empty() ? full_user() : sender_;
  content.connection = id_;
  content.trace = x.meta.trace;
  request->call_id = call_id;
  auto timeout_ms = x.meta.has(meta_key::timeout_ms) ? x.meta.timeout_ms
                                                     : timeout_ms_default;
  request->timeout = std::chrono::milliseconds{
    std::clamp(timeout_ms, uint64_t{1}, timeout_ms_max)};
  shard.waiting->add(request->cost());
  send(shard.actor, route_atom_v, std::move(request));
}

void connection::handle_cancel(const frame_view& x) {
  if (inflight_.take_seq_id(x.seq_id, inflight_kind::query))
    return write_error(x.seq_id, errc::cancelled);
  auto found = inflight_.take_seq_id(x.seq_id, inflight_kind::request);
  if (!found)
    return;
  send(ctx_.routers[found->shard].actor, cancel_atom_v, found->call_id);
  ctx_.metrics.requests_cancelled->inc();
  write_error(x.seq_id, errc::cancelled);
}

void connection::handle_reply(const frame_view& x) {
  if (x.type == frame_type::error
      && answer_event(x.seq_id, group_verdict::rejected))
    return;
  if (served_ == nullptr)
    return;
  auto found = served_->requests.extract(x.seq_id);
  // Too late, or made up.
  if (!found)
    return;
  request_outcome outcome;
  outcome.payload = payload{x.payload};
  if (x.type == frame_type::error) {
    outcome.name = x.subject;
    outcome.temporary = x.meta.temporary;
    outcome.retry_after_ms = x.meta.retry_after_ms;
    // A client's own errors have their own numbers.
    auto own = x.meta.code >= application_errc_min && x.meta.code <= 65'535;
    if (own)
      outcome.code = static_cast<uint16_t>(x.meta.code);
    else
      outcome = request_outcome::failure(errc::responder_failed);
  }
  auto& waiting = found.mapped();
  if (waiting.ticket.number != 0) {
    send(ctx_.routers[waiting.ticket.shard].actor, resolve_atom_v,
         waiting.ticket, std::move(outcome));
    return;
  }
  waiting.timer.dispose();
  if (outcome.failed())
    waiting.promise.deliver(to_error(outcome));
  else
    waiting.promise.deliver(std::move(outcome.payload));
}

// -- topics -------------------------------------------------------------------

void connection::handle_subscribe(const frame_view& x) {
  if (x.meta.has(meta_key::group))
    return join_group(x);
  auto own = is_own_topic(x.subject);
  auto wrong = own ? subject_error::none : check_subscription(x.subject);
  if (!admit(x, operation::subscribe, wrong))
    return;
  if (!own && subscriptions() >= ctx_.limits().subscriptions_max)
    return refuse(x.seq_id, errc::too_many_subscriptions);
  if (x.meta.presence && !has_presence(x.subject))
    return refuse(x.seq_id, errc::no_presence);
  std::string subject{full_name(x.subject)};
  // The owner has more to hear of who comes and goes than it keeps up with.
  if ((ctx_.node.congested(ctx_.broker_of(subject))
       || ctx_.peers.nodes().congested(ctx_.peers.owner_of(subject)))
      && has_presence(x.subject))
    return refuse(x.seq_id, errc::overloaded);
  if (!begin(x.seq_id, inflight_kind::subscribe, 0))
    return;
  // It has its own topic already, but perhaps not since where it left off.
  if (own)
    unsubscribe_silently(subject);
  std::optional<topic_position> since;
  if (x.meta.has(meta_key::since))
    since = {std::string{x.meta.since.epoch}, x.meta.since.offset};
  subscribe(subject, x.seq_id, since ? &*since : nullptr, x.meta.presence);
}

void connection::subscribe(const std::string& subject, uint32_t seq_id,
                           const topic_position* since, bool presence) {
  if (!std::exchange(watched_, true)) {
    caf::strong_actor_ptr self{ctrl()};
    ctx_.subscribers[id()] = {address(), box_, nullptr};
    caf::anon_send(ctx_.brokers[ctx_.index].actor, watch_atom_v,
                   std::move(self));
  }
  switch (
    ctx_.topics.subscribe(*box_, subject, seq_id, true, since, presence)) {
    case topic_table::subscribe_result::attach:
      request_attach(ctx_, subject);
      break;
    case topic_table::subscribe_result::duplicate:
      on_refused(seq_id, subject, errc::already_subscribed);
      break;
    default:
      break;
  }
}

void connection::unsubscribe_silently(const std::string& subject) {
  auto result = ctx_.topics.unsubscribe(*box_, subject);
  if (result.waiting_seq_id != 0)
    on_refused(result.waiting_seq_id, subject, errc::cancelled);
  if (result.detach)
    request_detach(ctx_, subject);
}

void connection::on_subscribed(uint32_t seq_id, std::string_view subject,
                               const topic_position* where, recovery missed,
                               last_values values) {
  enter([&] {
    inflight_.take_seq_id(seq_id, inflight_kind::subscribe);
    auto recovered = missed == recovery::whole;
    if (missed != recovery::none)
      (recovered ? ctx_.metrics.recoveries_whole : ctx_.metrics.recoveries_lost)
        ->inc();
    if (where != nullptr)
      write_position(seq_id, *where, &recovered);
    else
      write_pattern_response(seq_id, missed != recovery::none, values);
    if (values == last_values::too_many)
      ctx_.metrics.last_values_withheld->inc();
    // The own topic is no choice of the client's.
    if (!is_own_topic(visible_name(subject)))
      tell_life(lifecycle_kind::subscribed, subject);
    look_again();
  });
}

void connection::on_refused(uint32_t seq_id, std::string_view subject,
                            errc code) {
  enter([&] {
    inflight_.take_seq_id(seq_id, inflight_kind::subscribe);
    // Who is without the own topic hears of it though nobody asked.
    auto own = is_own_topic(visible_name(subject));
    if (seq_id != 0 || (own && code != errc::cancelled))
      write_error(seq_id, code);
    look_again();
  });
}

void connection::handle_unsubscribe(const frame_view& x) {
  if (x.meta.has(meta_key::group))
    return leave_group(x);
  std::string subject{full_name(x.subject)};
  auto result = ctx_.topics.unsubscribe(*box_, subject);
  if (!result.found)
    return refuse(x.seq_id, errc::not_subscribed);
  if (result.waiting_seq_id != 0)
    on_refused(result.waiting_seq_id, subject, errc::cancelled);
  if (result.detach)
    request_detach(ctx_, subject);
  write_response(x.seq_id, {});
  if (result.waiting_seq_id == 0 && !is_own_topic(x.subject))
    tell_life(lifecycle_kind::unsubscribed, subject);
}

void connection::handle_publish(const frame_view& x) {
  auto stage = x.seq_id == 0 ? load_stage::publishes : load_stage::requests;
  if (is_shed(stage, x.seq_id))
    return;
  if (admit(x, operation::publish, check_topic(x.subject)))
    publish(x, x.subject, payload{x.payload});
}

void connection::publish(const frame_view& x, std::string_view visible,
                         payload content) {
  if (!ctx_.screen.empty() && !pass_screen(x, visible, content))
    return;
  auto topic = full_name(visible);
  auto shard = shard_of(topic, ctx_.node.loops);
  auto& broker = ctx_.brokers[shard];
  if (ctx_.node.congested(broker))
    return refuse(x.seq_id, errc::overloaded);
  if (publishes_ != nullptr && !may_publish(x.seq_id))
    return;
  auto call = begin(x.seq_id, inflight_kind::publish, shard);
  if (!call)
    return;
  auto event = caf::make_counted<publication>();
  event->topic = topic;
  event->payload = std::move(content);
  event->sender = sender_;
  event->id = x.meta.id;
  event->trace = x.meta.trace;
  event->key = x.meta.key;
  event->publisher = id_;
  event->call_id = *call;
  event->no_echo = x.meta.no_echo;
  event->from_connection = who_.user.empty();
  broker.waiting->add(event->cost());
  if (*call != 0)
    send(broker.actor, publish_atom_v, std::move(event));
  else
    caf::anon_send(broker.actor, publish_atom_v, std::move(event));
}

bool connection::pass_screen(const frame_view& x, std::string_view topic,
                             const payload& content) {
  auto bytes = content.view().bytes.size();
  auto why = ctx_.screen.refuse(topic, bytes);
  if (!why)
    return true;
  ctx_.metrics.refusals_by(*why)->inc();
  if (*why == publish_refusal::payload_bytes)
    refuse(x.seq_id, errc::frame_too_large,
           "The payload has " + std::to_string(bytes)
             + " bytes, which are more than this topic takes.");
  else
    refuse(x.seq_id, errc::forbidden, "Clients do not publish to this topic.");
  return false;
}

// -- what all of them need ----------------------------------------------------

bool connection::admit(const frame_view& x, operation what,
                       subject_error wrong) {
  if (wrong != subject_error::none)
    refuse(x.seq_id, errc::bad_subject, to_sentence(wrong));
  else if (!authorized(what, x.subject))
    refuse(x.seq_id, errc::forbidden);
  else
    return true;
  return false;
}

bool connection::has_presence(std::string_view subject) const {
  return !is_pattern(subject) && options_of(ctx_.rules(), subject).presence;
}

bool connection::authorized(operation what, std::string_view subject) const {
  return is_allowed(ctx_.node.rights, who_, what, subject);
}

std::optional<uint32_t> connection::begin(uint32_t seq_id, inflight_kind kind,
                                          uint32_t shard) {
  if (seq_id == 0)
    return 0;
  if (inflight_.contains(seq_id)) {
    write_error(seq_id, errc::duplicate_seq_id);
    return std::nullopt;
  }
  if (draining_) {
    // It would hold up the end.
    write_error(seq_id, errc::shutting_down);
    return std::nullopt;
  }
  if (is_call(kind) && inflight_.calls() >= ctx_.limits().inflight_max) {
    write_error(seq_id, errc::too_many_inflight);
    return std::nullopt;
  }
  return inflight_.add(seq_id, kind, shard);
}

void connection::malformed(const frame_view& x, errc code,
                           std::string_view reason) {
  ctx_.metrics.malformed_frames->inc();
  write_error(x.seq_id, code, reason);
  if (malformed_ == nullptr)
    malformed_ = std::make_unique<malformed_times>();
  if (malformed_->add(ctx_.steady_ms))
    close(close_code::protocol_violation);
}

} // namespace callboard
