#include <callboard/actors/router.hpp>

#include <algorithm>
#include <chrono>

#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/telemetry/counter.hpp>
#include <caf/telemetry/histogram.hpp>

#include <callboard/actors/in_ms.hpp>
#include <callboard/actors/responder_error.hpp>
#include <callboard/actors/tenant_space.hpp>

namespace callboard {

router::router(caf::actor_config& cfg, caf::execution_unit* loop,
               loop_context& ctx, mailbox_bytes_ptr waiting)
  : super{cfg, loop},
    ctx_{ctx},
    waiting_{std::move(waiting)},
    index_{ctx.index},
    guards_{ctx.action_rules(), ctx.node.options.guarded_actions_max},
    table_{ctx.node.options.requests_max, ctx.node.options.responders_max,
           ctx.node.next_epoch.fetch_add(1)} {
  set_down_handler([this](const caf::down_msg& x) { on_down(x); });
}

const char* router::name() const {
  return "callboard.router";
}

bool router::enqueue(caf::mailbox_element_ptr what, caf::execution_unit* unit) {
  if (what->mid.is_response()) {
    request_ticket ticket{index_, what->mid.request_id().integer_value()};
    what->payload = caf::make_message(resolve_atom_v, ticket,
                                      to_outcome(what->payload));
    what->sender = ctrl();
    what->mid = caf::make_message_id();
  }
  return super::enqueue(std::move(what), unit);
}

router::behavior_type router::make_behavior() {
  // So that what they say is 0 before anything has happened.
  for (auto& rule : guards_.rules())
    metrics_of(rule);
  meet();
  return {
    [this](route_atom, const routed_request_ptr& x) {
      waiting_->remove(x->cost());
      route(x);
    },
    [this](request_atom, const routed_request_ptr& x) {
      waiting_->remove(x->cost());
      return route_embedded(x);
    },
    [this](cancel_atom, uint32_t call_id) { cancel(call_id); },
    [this](resolve_atom, const request_ticket& ticket,
           const request_outcome& outcome) { resolve(ticket, outcome); },
    [this](register_atom, const std::string& action, uint32_t call_id) {
      add_client(action, call_id);
    },
    [this](unregister_atom, const std::string& action, uint32_t call_id) {
      remove_client(action, call_id);
    },
    [this](register_atom, const std::string& action, const caf::actor& who) {
      return add_embedded(action, who);
    },
    [this](unregister_atom, const std::string& action, const caf::actor& who) {
      remove_embedded(action, who);
    },
    [this](expire_atom) { expire(); },
    [this](cluster_atom, const peer_set_ptr& x) { told(x); },
    [this](cluster_atom) {
      looks_again_ = false;
      meet_told();
    },
    [this](const shard_batch& x) { take(x); },
    [this](reload_atom, const rule_set_ptr& x) { reload(x); },
    [this](reload_atom) { go_on_reloading(); },
  };
}

void router::on_exit() {
  for (auto& [key, peer] : peers_)
    for (auto* x = peer.requests.first(); x != nullptr; x = x->of_asker.next)
      x->promise.deliver(caf::make_error(errc::internal));
  peers_.clear();
  nodes_.clear();
  while (guards_.size() > 0)
    forget_guard(*guards_.take_oldest());
}

// -- from askers --------------------------------------------------------------

void router::route(const routed_request_ptr& x) {
  if (x->call_id == 0 || !current_sender())
    return notify(x);
  auto asker = caf::actor_cast<caf::strong_actor_ptr>(current_sender());
  if (auto refused = open(x, {.actor = asker}))
    send(caf::actor_cast<connection_actor>(asker), resolve_atom_v, x->call_id,
         to_outcome(refused));
}

caf::result<payload> router::route_embedded(const routed_request_ptr& x) {
  auto asker = caf::actor_cast<caf::strong_actor_ptr>(current_sender());
  auto promise = make_response_promise<payload>();
  if (!asker) {
    notify(x);
    return promise;
  }
  if (auto refused = open(x, {.actor = asker, .promise = promise}))
    promise.deliver(to_error(refused));
  return promise;
}

int64_t router::timeout_ms(caf::timespan x) {
  return std::clamp<int64_t>(in_ms(x), timeout_ms_min, timeout_ms_max);
}

refusal router::open(const routed_request_ptr& x, origin from) {
  if (table_.full()) {
    ctx_.metrics.requests_overloaded->inc();
    return {errc::overloaded};
  }
  auto* responder = next(x->content.action, from.node);
  if (responder == nullptr) {
    ctx_.metrics.requests_failed->inc();
    return {errc::no_responder};
  }
  auto now = clock().now();
  auto* guard = guard_of(*responder, x->content.action, now);
  if (guard != nullptr)
    if (auto refused = check(*guard, now))
      return refused;
  table_.choose(*responder);
  if (congested(*responder)) {
    ctx_.metrics.requests_overloaded->inc();
    return {errc::overloaded};
  }
  auto& request = enter_request(*x, std::move(from), *responder, guard, now);
  if (responder->who->node != nullptr) {
    request.content = x;
    request.credit = charge(responder->waiting, x->cost());
  }
  give(*responder, request.number, x);
  return {};
}

pending_request& router::enter_request(const routed_request& x, origin from,
                                       registration& responder,
                                       action_guard* guard,
                                       caf::actor_clock::time_point now) {
  auto& asker = from.node != nullptr ? from.node->peer : peer_of(from.actor);
  auto& request = table_.open(asker, responder);
  request.call_id = x.call_id;
  request.origin = from.ticket;
  request.promise = std::move(from.promise);
  request.begin = now;
  request.deadline = deadlines_.add(past_ms(now),
                                    coming_ms(now) + timeout_ms(x.timeout),
                                    &request);
  arm(this, deadlines_, alarms_, expire_atom_v);
  if (from.node != nullptr)
    from.node->add(request);
  if (guard != nullptr) {
    request.guard = guard->weak_from_this();
    request.guard_round = guard->begin();
  }
  return request;
}

void router::notify(const routed_request_ptr& x, const request_node* from) {
  auto* responder = next(x->content.action, from);
  if (responder == nullptr)
    return;
  if (drops_notify(*responder, x->content.action))
    return;
  table_.choose(*responder);
  if (congested(*responder))
    ctx_.metrics.requests_overloaded->inc();
  else
    give(*responder, 0, x);
}

void router::give(const registration& to, uint64_t number,
                  const routed_request_ptr& x) {
  auto& who = *to.who;
  request_ticket ticket{index_, number};
  if (who.node != nullptr)
    ask(*who.node, ticket, x, timeout_ms(x->timeout));
  else if (!to.embedded)
    send(caf::actor_cast<connection_actor>(who.who), serve_atom_v, ticket, x);
  else if (number == 0)
    anon_send(caf::actor_cast<responder_actor>(who.who), message_to(to, *x));
  else
    who.who->enqueue(caf::make_mailbox_element(ctrl(),
                                               caf::make_message_id(number), {},
                                               message_to(to, *x)),
                     context());
}

bool router::congested(const registration& x) const {
  auto* node = x.who->node;
  if (node != nullptr && ctx_.peers.nodes().congested(node->slot()))
    return true;
  return x.waiting != nullptr
         && x.waiting->exceeds(ctx_.node.options.shard_bytes_max);
}

action_request router::message_to(const registration& x,
                                  const routed_request& content) {
  auto result = content.content;
  if (result.action.starts_with('$'))
    result.action = std::string{visible_name(content.content.action)};
  result.credit = charge(x.waiting, content.cost());
  return result;
}

void router::cancel(uint32_t call_id) {
  auto* asker = find_peer(current_sender().get());
  if (asker == nullptr)
    return;
  // A connection has few requests in flight, and cancels few of them.
  for (auto* x = asker->requests.first(); x != nullptr; x = x->of_asker.next)
    if (x->call_id == call_id)
      return withdraw(*x);
}

// -- from responders ----------------------------------------------------------

void router::resolve(const request_ticket& ticket,
                     const request_outcome& outcome) {
  auto* x = table_.find(ticket.number);
  auto from_responder = [&] {
    auto* from = current_sender().get();
    // Of other nodes come frames.
    if (from == nullptr)
      return false;
    // What `enqueue` made of a response has this actor as its sender, because
    // an embedded responder may have delegated the request.
    return x->responder->embedded ? from == ctrl()
                                  : from == x->responder->who->who.get();
  };
  if (x == nullptr || ticket.shard != index_ || !from_responder()) {
    ctx_.metrics.stray_answers->inc();
    return;
  }
  finish(*x, outcome);
}

void router::finish(pending_request& x, const request_outcome& outcome) {
  auto& outcomes = outcome.failed() ? ctx_.metrics.requests_failed
                                    : ctx_.metrics.requests_answered;
  outcomes->inc();
  settle(x, outcome);
}

// -- ends of requests ---------------------------------------------------------

void router::on_down(const caf::down_msg& x) {
  auto i = peers_.find(x.source.get());
  if (i == peers_.end())
    return;
  // Not in the map any more, it is not forgotten when it is idle.
  auto node = peers_.extract(i);
  bury(node.mapped());
}

void router::bury(request_peer& x) {
  while (auto* request = x.requests.first()) {
    ctx_.metrics.requests_cancelled->inc();
    withdraw(*request);
  }
  while (!x.registrations.empty())
    fail(*x.registrations.back());
}

void router::fail(registration& x) {
  auto serves = x.action != nullptr;
  // What is taken back already goes with its last request.
  for (auto left = x.in_flight; left > 0; --left) {
    ctx_.metrics.requests_failed->inc();
    settle(*x.requests.first(),
           request_outcome::failure(errc::responder_failed));
  }
  if (serves)
    remove(x);
}

void router::expire() {
  auto now = past_ms(clock().now());
  alarms_.fired(now);
  while (auto x = deadlines_.pop_due(now)) {
    auto& request = **x;
    request.deadline = deadlines_.none;
    time_out(request);
  }
  arm(this, deadlines_, alarms_, expire_atom_v);
}

void router::time_out(pending_request& x) {
  auto outcome = request_outcome::failure(errc::timeout);
  ctx_.metrics.requests_timed_out->inc();
  tell_cancelled(x, true);
  if (x.asker->node == nullptr)
    return settle(x, outcome);
  // The node that asks has a deadline of its own.
  observe(x, outcome);
  close(x);
}

void router::settle(pending_request& x, const request_outcome& outcome) {
  observe(x, outcome);
  answer(x, outcome);
  close(x);
}

void router::observe(const pending_request& x, const request_outcome& outcome) {
  auto now = clock().now();
  auto seconds = std::chrono::duration<double>{now - x.begin};
  ctx_.metrics.request_seconds->observe(seconds.count());
  judge(x, outcome, now);
}

void router::answer(pending_request& x, const request_outcome& outcome) {
  if (auto* node = x.asker->node)
    tell(*node, x.origin.shard, peer_outcome{x.origin, false, outcome});
  else if (!x.promise.pending())
    send(caf::actor_cast<connection_actor>(x.asker->who), resolve_atom_v,
         x.call_id, outcome);
  else if (outcome.failed())
    x.promise.deliver(to_error(outcome));
  else
    x.promise.deliver(outcome.payload);
}

void router::withdraw(pending_request& x) {
  judge_cancelled(x);
  tell_cancelled(x);
  close(x);
}

void router::tell_cancelled(const pending_request& x, bool late) {
  if (auto* node = x.responder->who->node)
    tell(*node, node->shard_of(x.content->content.action),
         peer_cancel{{index_, x.number}, late});
  else if (!x.responder->embedded)
    send(caf::actor_cast<connection_actor>(x.responder->who->who),
         cancel_atom_v, request_ticket{index_, x.number});
}

void router::close(pending_request& x) {
  auto& asker = *x.asker;
  auto& responder = *x.responder->who;
  if (x.deadline != deadlines_.none)
    deadlines_.cancel(x.deadline);
  if (asker.node != nullptr)
    asker.node->erase(x);
  table_.close(x);
  forget_if_idle(asker);
  if (&asker != &responder)
    forget_if_idle(responder);
}

// -- peers --------------------------------------------------------------------

request_peer* router::find_peer(const caf::actor_control_block* who) {
  auto i = peers_.find(who);
  return i != peers_.end() ? &i->second : nullptr;
}

request_peer& router::peer_of(const caf::strong_actor_ptr& who) {
  auto [i, added] = peers_.try_emplace(who.get());
  if (added) {
    i->second.who = who;
    monitor(who);
  }
  return i->second;
}

void router::forget_if_idle(request_peer& x) {
  if (x.node != nullptr || !x.idle())
    return;
  auto i = peers_.find(x.who.get());
  if (i == peers_.end() || &i->second != &x)
    return;
  demonitor(x.who);
  peers_.erase(i);
}

} // namespace callboard
