#include <callboard/net/loop_service.hpp>

#include <algorithm>
#include <chrono>

#include <caf/send.hpp>
#include <caf/telemetry/collector/prometheus.hpp>
#include <caf/telemetry/metric_registry.hpp>

#include <callboard/actors/faults.hpp>
#include <callboard/net/http_stream.hpp>
#include <callboard/net/log.hpp>
#include <callboard/net/steady_ms.hpp>

namespace callboard::net {

namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

ws_parser_options make_parsing(const server_options& options,
                               ws_inflater* inflater) {
  ws_parser_options result;
  result.message_bytes_max
    = static_cast<uint32_t>(options.node.frame_bytes_max);
  result.inflater = inflater;
  return result;
}

} // namespace

loop_service::loop_service(server_context& shared, uint32_t index)
  : shared_{shared},
    tls_failures_{shared.system.metrics().counter_singleton(
      "callboard", "tls-failures", "TLS handshakes that came to nothing.", "1",
      true)},
    waiting_{shared.system.metrics().gauge_singleton(
      "callboard", "accept-queue", "Handshakes that wait for a place.")},
    origins_{shared.options.origins},
    plain_{make_parsing(shared.options, nullptr)},
    deflated_{make_parsing(shared.options, &inflater_)},
    loop_{shared.system, shared.node, index, framing_},
    http_{http_sessions_max},
    audit_{loop_.context(), *this, shared.system.metrics()} {
  loop_.set_tick([this] { tick(); });
  log_states();
  log_circuits();
  watch_load();
}

loop_service::~loop_service() {
  loop_.stop();
}

void loop_service::take(int socket) {
  ++*shared_.other_sockets;
  loop_.post([this, socket] {
    if (auto accepted = adopt_socket(loop_.io(), socket))
      serve_http(std::move(*accepted), *this, http_);
    --*shared_.other_sockets;
  });
}

void loop_service::watch_heartbeats() {
  for (auto& x : sessions_)
    if (x->actor() != nullptr)
      caf::anon_send(loop_.context().heartbeats, watch_atom_v,
                     heartbeat_ptr{x});
}

void loop_service::turn_away() {
  http_.turn_away();
  auto sessions = sessions_;
  for (auto& x : sessions)
    x->turn_away();
}

void loop_service::end_all() {
  http_.close_all();
  auto sessions = sessions_;
  for (auto& x : sessions)
    x->end();
  closing_.clear();
  connecting_.clear();
}

// -- http_front ---------------------------------------------------------------

std::shared_ptr<const tls_context> loop_service::tls() const {
  return shared_.tls->current();
}

bool loop_service::open_session(std::string_view peer) {
  // A proxy asks for many.
  if (shared_.proxies.trusts(peer)
      || shared_.addresses.open_session(peer, steady_ms())) {
    loop_.context().metrics.sockets->inc();
    return true;
  }
  counted(limit_hit{limit_kind::address_sessions});
  return false;
}

void loop_service::close_session(std::string_view peer) {
  loop_.context().metrics.sockets->dec();
  if (!shared_.proxies.trusts(peer))
    shared_.addresses.close_session(peer, steady_ms());
}

std::string loop_service::client_address(std::string_view peer,
                                         std::string_view forwarded_for) const {
  return shared_.proxies.client_of(peer, forwarded_for);
}

std::optional<limit_hit>
loop_service::take_handshake(std::string_view address) {
  // Not the turn's time: HTTP is served by what the loop sleeps in, and then
  // the turn may have begun long ago.
  return counted(shared_.addresses.take_handshake(address, steady_ms()));
}

std::optional<limit_hit> loop_service::admit(std::string_view address) {
  auto& addresses = shared_.addresses;
  if (auto hit = addresses.open_connection(address, steady_ms()))
    return counted(hit);
  if (shared_.queue.admit(loop_.context().index)) {
    ++reserved_;
    return {};
  }
  addresses.close_connection(address, steady_ms());
  limit_hit full{limit_kind::connections};
  // Who may wait is refused when that was in vain.
  return options().accept_wait.count() > 0 ? full : counted(full);
}

queue_entry loop_service::enter_queue(std::string_view address,
                                      std::function<void()> called) {
  auto& addresses = shared_.addresses;
  if (auto hit = addresses.open_connection(address, steady_ms()))
    return {0, counted(hit)};
  auto place_taken = [this, called = std::move(called)] { loop_.post(called); };
  auto ticket = shared_.queue.enter(loop_.context().index,
                                    std::move(place_taken));
  waiting_->value(static_cast<int64_t>(shared_.queue.size()));
  if (ticket != 0)
    return {ticket, {}};
  addresses.close_connection(address, steady_ms());
  return {0, counted(limit_hit{limit_kind::accept_queue})};
}

bool loop_service::leave_queue(std::string_view address, uint64_t ticket,
                               const std::optional<limit_hit>& met) {
  if (!shared_.queue.forget(ticket)) {
    ++reserved_;
    return false;
  }
  waiting_->value(static_cast<int64_t>(shared_.queue.size()));
  shared_.addresses.close_connection(address, steady_ms());
  counted(met);
  return true;
}

void loop_service::forgo(std::string_view address) {
  --reserved_;
  leave_place(address);
}

void loop_service::leave_place(std::string_view address) {
  shared_.addresses.close_connection(address, steady_ms());
  shared_.queue.leave(loop_.context().index);
}

bool loop_service::ready() const {
  return !shared_.node.draining;
}

bool loop_service::joining() const {
  return shared_.node.joining;
}

std::vector<std::string> loop_service::elsewhere() {
  auto& ctx = loop_.context();
  auto urls = ctx.elsewhere.next();
  if (!urls.empty())
    ctx.metrics.redirects_refused->inc();
  return urls;
}

std::string_view loop_service::store_state() const {
  return shared_.store.state();
}

std::string loop_service::metrics_text() {
  shared_.store.update_metrics();
  caf::telemetry::collector::prometheus collector;
  auto text = collector.collect_from(shared_.system.metrics());
  return {text.begin(), text.end()};
}

void loop_service::open(ws_upgrade&& upgrade) {
  auto& ctx = loop_.context();
  --reserved_;
  ctx.metrics.sockets->inc();
  auto deflate = upgrade.deflate.has_value();
  // One compressor serves everybody, with the largest window. Who asked for a
  // smaller one may send compressed messages and gets plain ones.
  auto compressed = deflate && upgrade.deflate->server_window_bits == 15;
  auto form = make_wire_form(upgrade.encoding, compressed && !upgrade.echo);
  outbox_ptr box{
    new outbox{ctx.outboxes, form, shared_.options.node.outbox_bytes_max}};
  ws_session::ptr session{new ws_session{*this, upgrade.socket,
                                         std::move(upgrade.tls),
                                         deflate ? deflated_ : plain_, box},
                          false};
  session->slot = sessions_.size();
  sessions_.push_back(session);
  records_.push_back({upgrade.address, ++last_number_, nullptr});
  connection* actor = nullptr;
  caf::strong_actor_ptr keep;
  if (!upgrade.echo) {
    connection_setup setup;
    setup.id = shared_.node.next_connection.fetch_add(1);
    setup.who = std::move(upgrade.who);
    setup.must_authenticate = shared_.options.rights.authenticate
                              && !upgrade.authenticated;
    setup.address = std::move(upgrade.address);
    auto waits = setup.must_authenticate;
    auto handle = spawn_hosted<connection, caf::lazy_init>(
      shared_.system, &loop_, ctx, std::move(box), std::move(setup));
    keep = caf::actor_cast<caf::strong_actor_ptr>(handle);
    actor
      = static_cast<connection*>(caf::actor_cast<caf::abstract_actor*>(handle));
    caf::anon_send(ctx.heartbeats, watch_atom_v, heartbeat_ptr{session});
    if (waits && !injected(fault::endless_connecting)) {
      auto due = ctx.steady_ms
                 + std::chrono::duration_cast<std::chrono::milliseconds>(
                     shared_.options.node.connect_timeout)
                     .count();
      connecting_.push_back({due, session});
    }
  }
  session->open(actor, upgrade.head);
  if (shared_.node.draining)
    session->turn_away();
}

std::optional<limit_hit> loop_service::counted(std::optional<limit_hit> x) {
  if (x)
    loop_.context().metrics.refusals_by(x->what)->inc();
  return x;
}

void loop_service::count_reply(unsigned status) {
  shared_.system.metrics()
    .counter_family("callboard", "http-replies", {"status"},
                    "Answers to HTTP requests by status.", "1", true)
    ->get_or_add({{"status", std::to_string(status)}})
    ->inc();
}

void loop_service::tls_failed(std::string_view address,
                              std::string_view reason) {
  tls_failures_->inc();
  logger("net")->debug("tls_failed address={} reason=\"{}\"", address, reason);
}

// -- ws_session_host ----------------------------------------------------------

void loop_service::closing(ws_session& x) {
  auto now_ms = loop_.context().steady_ms;
  auto& record = records_[x.slot];
  auto who = std::make_unique<leak_history>(socket_history(x.slot));
  who->state = to_string(connection_state::disconnecting);
  who->closing_ms = now_ms;
  record.closing = std::move(who);
  if (!injected(fault::endless_closing))
    closing_.push_back({now_ms + close_ms, ws_session::ptr{&x}});
}

void loop_service::ended(ws_session& x) {
  auto slot = x.slot;
  loop_.context().metrics.sockets->dec();
  if (!injected(fault::keep_place))
    leave_place(records_[slot].address);
  // The last one takes its place; it may go with its reference.
  std::swap(sessions_[slot], sessions_.back());
  std::swap(records_[slot], records_.back());
  sessions_[slot]->slot = slot;
  sessions_.pop_back();
  records_.pop_back();
}

// -- time ---------------------------------------------------------------------

void loop_service::tick() {
  auto& ctx = loop_.context();
  expire(closing_, [](ws_session& x) { x.on_deadline(); });
  expire(connecting_, [](ws_session& x) { x.authentication_due(); });
  ctx.metrics.outbox_bytes->value(
    static_cast<int64_t>(ctx.outboxes.queued_bytes()));
  waiting_->value(static_cast<int64_t>(shared_.queue.size()));
  log_load();
  trim_memory();
  ctx.metrics.topics->value(static_cast<int64_t>(ctx.topics.topics()));
  ctx.metrics.subscriptions->value(
    static_cast<int64_t>(ctx.topics.subscriptions()));
  audit();
}

template <class F>
void loop_service::expire(deadlines& queue, F&& f) {
  auto now_ms = loop_.context().steady_ms;
  while (!queue.empty() && queue.front().due_ms <= now_ms) {
    auto session = std::move(queue.front().session);
    queue.pop_front();
    f(*session);
  }
}

void loop_service::log_states() {
  auto log = logger("actors");
  loop_.context().log_state = [log](connection_id id, std::string_view from,
                                    std::string_view to, uint16_t code) {
    log->debug("connection_state connection={} from={} to={} close_code={}", id,
               from, to, code);
  };
}

void loop_service::log_circuits() {
  auto log = logger("actors");
  loop_.context().log_circuit = [log](std::string_view name,
                                      const circuit_breaker& circuit) {
    // Clients name actions. No name ends its quotes.
    std::string action{name};
    std::ranges::replace(action, '"', '\'');
    auto& cause = circuit.cause();
    if (circuit.state() == circuit_state::open)
      log->warn("circuit_opened action=\"{}\" for_ms={} requests={} failed={} "
                "slow={}",
                action,
                duration_cast<milliseconds>(circuit.open_time()).count(),
                cause.requests, cause.failed, cause.slow);
    else if (circuit.state() == circuit_state::half_open)
      log->info("circuit_half_open action=\"{}\"", action);
    else
      log->info("circuit_closed action=\"{}\"", action);
  };
}

} // namespace callboard::net
