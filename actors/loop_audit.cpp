#include <callboard/actors/loop_audit.hpp>

#include <algorithm>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/make_counted.hpp>
#include <caf/send.hpp>

#include <callboard/actors/broker.hpp>
#include <callboard/actors/in_ms.hpp>

namespace callboard {

namespace {

// Returns whether somebody with subscriptions is gone.
bool is_gone(const loop_subscriber& x) {
  if (x.actor == nullptr)
    return x.box->owner == nullptr;
  return has_ended(caf::actor_cast<caf::strong_actor_ptr>(x.address));
}

} // namespace

loop_audit::loop_audit(loop_context& ctx, audited_sockets& sockets,
                       caf::telemetry::metric_registry& registry)
  : ctx_{ctx}, sockets_{sockets}, metrics_{make_leak_metrics(registry)} {
}

bool loop_audit::step() {
  auto begins = !busy() && ctx_.node.options.audit_interval.count() > 0
                && ctx_.steady_ms >= due_ms_;
  if (begins)
    begin();
  work_ = step_work;
  while (busy() && work_ > 0)
    go_on();
  tell_pool();
  return begins;
}

void loop_audit::begin() {
  ++round_;
  began_ms_ = ctx_.steady_ms;
  due_ms_ = began_ms_ + in_ms(ctx_.node.options.audit_interval);
  logged_ = 0;
  suspects_.begin_round();
  enter(stage::sockets, sockets_.sockets());
}

void loop_audit::enter(stage x, size_t at) {
  stage_ = x;
  at_ = at;
  spend(1);
}

void loop_audit::go_on() {
  switch (stage_) {
    case stage::sockets:
      return look_at_sockets();
    case stage::connections:
      return look_at_connections();
    case stage::subscribers:
      return look_at_subscribers();
    case stage::claims:
      return look_at_claims();
    case stage::resting:
      return;
  }
}

// -- sockets ------------------------------------------------------------------

void loop_audit::look_at_sockets() {
  for (at_ = std::min(at_, sockets_.sockets()); at_ > 0 && work_ > 0; spend(1))
    look_at_socket(--at_);
  if (at_ == 0)
    enter(stage::connections, ctx_.live.size());
}

void loop_audit::look_at_socket(size_t i) {
  auto x = sockets_.socket(i);
  auto lives = x.actor != nullptr
               && x.actor->state() < connection_state::disconnecting;
  if (lives)
    x.actor->live().seen = round_;
  if (x.closing_ms != 0) {
    auto overdue_ms = ctx_.steady_ms - x.closing_ms
                      - sockets_.closing_time_ms();
    if (overdue_ms > margin_ms
        && is_leak(leak_kind::stuck_disconnecting, x.number)) {
      reclaimed(leak_kind::stuck_disconnecting, sockets_.socket_history(i),
                overdue_ms);
      sockets_.end_socket(i);
    }
  } else if (!x.echo && !lives
             && is_leak(leak_kind::socket_without_actor, x.number)) {
    reclaimed(leak_kind::socket_without_actor, sockets_.socket_history(i));
    sockets_.close_socket(i);
  }
}

// -- connections --------------------------------------------------------------

void loop_audit::look_at_connections() {
  for (at_ = std::min(at_, ctx_.live.size()); at_ > 0 && work_ > 0; spend(1))
    look_at(*ctx_.live[--at_].self);
  if (at_ == 0)
    enter(stage::subscribers, 0);
}

void loop_audit::look_at(connection& x) {
  auto& life = x.live();
  auto who = x.history();
  // Who came since the round began may not have been looked for.
  if (life.entered_ms[0] < began_ms_ && life.seen != round_) {
    if (is_leak(leak_kind::actor_without_socket, who.connection)) {
      reclaimed(leak_kind::actor_without_socket, std::move(who));
      x.enter([&x] { x.abandon(); });
    }
    return;
  }
  if (auto i = ctx_.claims.find(who.connection); i != ctx_.claims.end())
    i->second.seen = round_;
  if (x.state() == connection_state::connecting) {
    auto overdue_ms = ctx_.steady_ms - life.entered_ms[0]
                      - in_ms(ctx_.node.options.connect_timeout);
    if (overdue_ms > margin_ms
        && is_leak(leak_kind::stuck_connecting, who.connection)) {
      reclaimed(leak_kind::stuck_connecting, std::move(who), overdue_ms);
      x.enter([&x] { x.close(close_code::connect_timeout); });
    }
  } else if (life.entered_ms[1] < began_ms_) {
    connected_.push_back({x.address(), std::move(who)});
  }
}

void loop_audit::tell_pool() {
  if (connected_.empty())
    return;
  auto report = caf::make_counted<live_report>();
  report->loop = ctx_.index;
  report->round = round_;
  report->connected = std::exchange(connected_, {});
  caf::anon_send(ctx_.pool, audit_atom_v, live_report_ptr{std::move(report)});
}

// -- subscribers and places ---------------------------------------------------

template <class Map, class Look, class Reclaim>
void loop_audit::look_through(Map& map, Look&& look, Reclaim&& reclaim) {
  std::vector<typename Map::key_type> found;
  // Where the map has grown meanwhile, some are left to the next round.
  for (; at_ < map.bucket_count() && work_ > 0; ++at_) {
    spend(1);
    for (auto i = map.begin(at_); i != map.end(at_); ++i) {
      spend(1);
      if (look(i->first, i->second))
        found.push_back(i->first);
    }
  }
  for (auto& x : found)
    reclaim(x);
}

void loop_audit::look_at_subscribers() {
  auto& map = ctx_.subscribers;
  look_through(
    map,
    [this](caf::actor_id id, const loop_subscriber& x) {
      return is_gone(x)
             && is_leak(leak_kind::subscription_without_subscriber, id);
    },
    [this](caf::actor_id id) { reclaim_subscriber(id); });
  if (at_ >= map.bucket_count())
    enter(stage::claims, 0);
}

void loop_audit::reclaim_subscriber(caf::actor_id id) {
  auto& box = *ctx_.subscribers.at(id).box;
  leak_history who;
  who.connection = box.connection;
  who.state = to_string(connection_state::disconnected);
  reclaimed(leak_kind::subscription_without_subscriber, std::move(who), 0,
            std::max<size_t>(box.subscriptions.size(), 1));
  drop_subscriber(ctx_, id);
}

void loop_audit::look_at_claims() {
  auto& map = ctx_.claims;
  look_through(
    map,
    [this](connection_id id, const user_claim& x) {
      return x.since_ms < began_ms_ && x.seen != round_
             && is_leak(leak_kind::place_without_owner, id);
    },
    [this](connection_id id) { reclaim_claim(id); });
  if (at_ < map.bucket_count())
    return;
  look_at_places();
  enter(stage::resting, 0);
}

void loop_audit::reclaim_claim(connection_id id) {
  auto found = ctx_.claims.extract(id);
  auto& claim = found.mapped();
  leak_history who;
  who.connection = id;
  who.user = claim.user;
  who.state = to_string(connection_state::disconnected);
  who.connected_ms = claim.since_ms;
  reclaimed(leak_kind::place_without_owner, std::move(who));
  ctx_.node.users->leave(claim.user, claim.tenant, ctx_.steady_ms);
}

void loop_audit::look_at_places() {
  auto surplus = sockets_.surplus_places();
  // Which of them were there in the round before cannot be told, nor whose they
  // were.
  auto lost = std::min(surplus, surplus_);
  surplus_ = surplus - lost;
  if (lost == 0)
    return;
  reclaimed(leak_kind::place_without_owner, {}, 0, lost);
  sockets_.give_back_places(lost);
}

// -- leaks --------------------------------------------------------------------

bool loop_audit::is_leak(leak_kind kind, uint64_t what) {
  return suspects_.suspect(kind, what);
}

void loop_audit::reclaimed(leak_kind kind, leak_history who, int64_t overdue_ms,
                           uint64_t count) {
  spend(reclaim_work);
  metrics_.found_of(kind)->inc(static_cast<int64_t>(count));
  metrics_.reclaimed_of(kind)->inc(static_cast<int64_t>(count));
  if (ctx_.node.log_leak && logged_++ < logged_max)
    ctx_.node.log_leak(
      {kind, std::move(who), ctx_.steady_ms, overdue_ms, count});
}

} // namespace callboard
