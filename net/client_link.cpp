#include <callboard/net/client_link.hpp>

#include <algorithm>
#include <utility>

#include <caf/sec.hpp>

#include <callboard/messages/close_code.hpp>
#include <callboard/messages/errc.hpp>
#include <callboard/net/client_error.hpp>
#include <callboard/net/client_report.hpp>

namespace callboard::net {

namespace {

// Longest wait that a server may ask for.
constexpr uint64_t wait_ms_max = 3'600'000;

// A log-in is made longer in its last tenth, but no earlier than this before
// its end.
constexpr auto refresh_lead_max = std::chrono::milliseconds{60'000};

// Longest time that a log-in is taken to last: a year. What is said may be more
// than a clock can hold.
constexpr uint64_t login_ms_max = 31'536'000'000;

// After a refresh that failed, and how many of them may fail in a row.
constexpr auto refresh_pause = std::chrono::seconds{5};
constexpr size_t refresh_failures_max = 3;

caf::timespan bounded_ms(uint64_t ms) {
  return std::chrono::milliseconds{std::min(ms, wait_ms_max)};
}

int64_t unix_time_ms() {
  using namespace std::chrono;
  auto now = system_clock::now().time_since_epoch();
  return duration_cast<milliseconds>(now).count();
}

client_link::time_point time_in(client_link::time_point now,
                                caf::timespan wait) {
  return now + std::chrono::duration_cast<client_link::clock::duration>(wait);
}

} // namespace

client_link::client_link(client_options options, client_handlers handlers,
                         surroundings world)
  : options_{std::move(options)},
    handlers_{std::move(handlers)},
    world_{std::move(world)},
    backoff_{world_.random, options_.backoff_base, options_.backoff_cap},
    session_{
      std::make_shared<client_session>(options_, handlers_, world_.now)} {
}

client_link::~client_link() {
  drop();
}

// -- what the client asks for -------------------------------------------------

void client_link::start() {
  if (state_ != client_state::disconnected
      && state_ != client_state::retry_pending)
    return;
  stopping_ = false;
  if (std::exchange(ended_, false)) {
    backoff_.reset();
    refusals_ = 0;
  }
  session_->resume();
  connect();
}

void client_link::stop() {
  stopping_ = true;
  if (state_ == client_state::connected) {
    // Nothing goes out behind the close frame.
    session_->pause();
    transport_->close(static_cast<uint16_t>(close_code::normal));
    return;
  }
  drop();
  end({});
}

void client_link::drop() {
  ++token_questions_;
  if (transport_)
    transport_->drop();
  gone_ = std::exchange(transport_, nullptr);
}

void client_link::kill() {
  drop();
  end({});
  session_->disconnected();
}

// -- time ---------------------------------------------------------------------

std::optional<client_link::time_point> client_link::next_deadline() const {
  auto result = session_->next_deadline();
  for (auto& x : {connect_deadline_, retry_at_, refresh_at_})
    if (x)
      result = result ? std::min(*result, *x) : x;
  return result;
}

void client_link::expire() {
  auto now = world_.now();
  auto is_due = [now](std::optional<time_point>& x) {
    if (!x || *x > now)
      return false;
    x.reset();
    return true;
  };
  if (is_due(connect_deadline_)) {
    drop();
    over(
      {1006, caf::make_error(caf::sec::connection_timeout,
                             tried_.authority() + " did not answer in time")});
  } else if (is_due(retry_at_)) {
    connect();
  } else if (is_due(refresh_at_)) {
    ask_token(token_reason::refresh);
  }
  session_->expire();
}

// -- the way to a connection --------------------------------------------------

void client_link::set_state(client_state x) {
  if (std::exchange(state_, x) != x && handlers_.on_state)
    handlers_.on_state(x);
}

void client_link::connect() {
  retry_at_.reset();
  goaway_.reset();
  refusal_ = {};
  connect_deadline_ = time_in(world_.now(), options_.connect_timeout);
  tried_ = options_.server;
  if (!elsewhere_.empty()) {
    tried_ = std::move(elsewhere_.back());
    elsewhere_.pop_back();
  }
  set_state(client_state::connecting);
  // The handler may have stopped it.
  if (state_ != client_state::connecting)
    return;
  if (options_.get_token)
    ask_token(refusals_ > 0 ? token_reason::refused : token_reason::connect);
  else
    open_transport();
}

void client_link::ask_token(token_reason why) {
  auto answered = [self = weak_from_this(), why,
                   number = ++token_questions_](caf::expected<std::string> x) {
    auto link = self.lock();
    if (!link || number != link->token_questions_)
      return;
    ++link->token_questions_;
    link->on_token(why, std::move(x));
  };
  options_.get_token(why, std::move(answered));
}

void client_link::on_token(token_reason why, caf::expected<std::string> token) {
  if (why != token_reason::refresh) {
    if (!token)
      return over({1006, std::move(token.error())});
    options_.token = std::move(*token);
    return open_transport();
  }
  if (!token) {
    if (handlers_.on_error)
      handlers_.on_error(token.error());
    return refresh_later(refresh_pause);
  }
  options_.token = std::move(*token);
  auto shown = [self = weak_from_this()](const caf::error& failed,
                                         const frame_view* reply) {
    if (auto link = self.lock())
      link->on_refreshed(failed, reply);
  };
  session_->log_in(options_.token, std::move(shown));
}

void client_link::open_transport() {
  gone_ = nullptr;
  auto options = options_;
  options.server = tried_;
  transport_ = world_.make_transport(options, *this);
  transport_->open();
}

void client_link::on_message(std::string_view message) {
  read(message);
  if (world_.changed)
    world_.changed();
}

void client_link::on_closed(close_report report) {
  over(std::move(report));
  if (world_.changed)
    world_.changed();
}

void client_link::on_drained() {
  session_->pump();
  if (world_.changed)
    world_.changed();
}

void client_link::read(std::string_view message) {
  reader_.reset(message);
  frame_view x;
  for (;;) {
    switch (reader_.next(x)) {
      case read_status::frame:
        on_frame(x);
        break;
      case read_status::unknown_type:
        break;
      case read_status::malformed:
        if (handlers_.on_error)
          handlers_.on_error(
            caf::make_error(errc::malformed_frame,
                            "the server sent something that is no frame: "
                              + std::string{reader_.reason()}));
        [[fallthrough]];
      case read_status::end:
        return;
    }
  }
}

void client_link::on_frame(const frame_view& x) {
  if (x.type == frame_type::goaway)
    on_goaway(x);
  else if (state_ == client_state::connected)
    session_->handle(x);
  else if (x.type == frame_type::welcome)
    on_welcome(x);
  else if (x.type == frame_type::error)
    refusal_ = to_error(x);
}

void client_link::on_welcome(const frame_view& x) {
  auto said = to_welcome(x);
  connected_at_ = world_.now();
  connect_deadline_.reset();
  refusals_ = 0;
  refresh_failures_ = 0;
  elsewhere_.clear();
  plan_refresh(said);
  transport_->set_limits(said.frame_bytes_max, bounded_ms(std::max<uint64_t>(
                                                 said.ping_timeout_ms, 1)));
  set_state(client_state::connected);
  if (handlers_.on_connected)
    handlers_.on_connected(said);
  // A handler may have ended it.
  if (state_ != client_state::connected)
    return;
  session_->connected(
    [transport = transport_](const frame_view& frame) {
      auto stamped = frame;
      stamped.timestamp = unix_time_ms();
      return transport->send(stamped);
    },
    said.inflight_max,
    [transport = transport_] { return transport->is_full(); });
}

void client_link::on_goaway(const frame_view& x) {
  payload said{x.payload};
  goaway_ = said.get_as<goaway>().value_or(goaway{});
  elsewhere_ = addresses_of(said, options_.server.encrypted);
  std::reverse(elsewhere_.begin(), elsewhere_.end());
  session_->pause();
}

// -- a log-in that runs out ---------------------------------------------------

void client_link::plan_refresh(const welcome& x) {
  refresh_at_.reset();
  if (!options_.get_token || x.expires_ms == 0 || x.time_ms == 0)
    return;
  auto left_ms = x.expires_ms <= x.time_ms
                   ? 0
                   : static_cast<uint64_t>(x.expires_ms)
                       - static_cast<uint64_t>(x.time_ms);
  auto left = std::chrono::milliseconds{std::min(left_ms, login_ms_max)};
  auto lead = std::min(left / 10, refresh_lead_max);
  refresh_at_ = time_in(world_.now(), left - lead);
}

void client_link::on_refreshed(const caf::error& why, const frame_view* reply) {
  if (!why) {
    refresh_failures_ = 0;
    plan_refresh(to_welcome(*reply));
    return;
  }
  if (state_ != client_state::connected)
    return;
  if (handlers_.on_error)
    handlers_.on_error(why);
  auto said = details(why);
  refresh_later(std::max<caf::timespan>(said.retry_after, refresh_pause));
}

void client_link::refresh_later(caf::timespan wait) {
  if (++refresh_failures_ < refresh_failures_max
      && state_ == client_state::connected)
    refresh_at_ = time_in(world_.now(), wait);
}

// -- the end of a connection --------------------------------------------------

bool client_link::forgives(const close_report& report) {
  constexpr auto code = static_cast<uint16_t>(close_code::unauthenticated);
  auto refused = report.code == code || report.why == errc::unauthenticated
                 || report.why == errc::token_expired;
  return refused && options_.get_token
         && ++refusals_ < options_.token_refusals_max;
}

void client_link::over(close_report report) {
  auto was_connected = state_ == client_state::connected;
  connect_deadline_.reset();
  refresh_at_.reset();
  ++token_questions_;
  gone_ = std::exchange(transport_, nullptr);
  if (was_connected && world_.now() - connected_at_ >= stable_after)
    backoff_.reset();
  // Without a word: what comes next is told.
  state_ = client_state::disconnected;
  session_->disconnected();
  // A handler may have ended it, or begun anew.
  if (ended_ || state_ != client_state::disconnected)
    return;
  if (stopping_)
    return end({});
  if (refusal_)
    report.why = std::exchange(refusal_, {});
  if (forgives(report))
    report.advice = reconnect_advice::backoff;
  if (!options_.reconnect || report.advice == reconnect_advice::never
      || (goaway_ && goaway_->reconnect == "never")) {
    if (handlers_.on_disconnected)
      handlers_.on_disconnected({report.why, report.code, std::nullopt});
    return end(report.why);
  }
  // Those that were named themselves name no others, or this client might
  // never come back to its own.
  if (!report.elsewhere.empty() && tried_ == options_.server)
    elsewhere_.assign(report.elsewhere.rbegin(), report.elsewhere.rend());
  auto wait = next_wait(report);
  retry_at_ = time_in(world_.now(), wait);
  set_state(client_state::retry_pending);
  if (handlers_.on_disconnected)
    handlers_.on_disconnected({report.why, report.code, wait});
}

caf::timespan client_link::next_wait(const close_report& report) {
  // Who asked to be left alone is not who is tried next, where others were
  // named.
  if (!goaway_)
    return (elsewhere_.empty() ? report.retry_after : caf::timespan{0})
           + backoff_.next();
  auto after_this = bounded_ms(goaway_->after_ms);
  auto spread = bounded_ms(goaway_->spread_ms);
  auto part = caf::timespan{
    static_cast<caf::timespan::rep>(world_.random() * double(spread.count()))};
  return goaway_->reconnect == "now" ? after_this + part
                                     : after_this + part + backoff_.next();
}

// Without a reason: because it was stopped.
void client_link::end(const caf::error& why) {
  if (std::exchange(ended_, true))
    return;
  connect_deadline_.reset();
  retry_at_.reset();
  refresh_at_.reset();
  elsewhere_.clear();
  state_ = client_state::disconnected;
  if (handlers_.on_state)
    handlers_.on_state(state_);
  session_->give_up(why ? why : caf::make_error(errc::cancelled));
  if (world_.ended)
    world_.ended(why);
}

} // namespace callboard::net
