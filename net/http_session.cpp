#include <callboard/net/http_session.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <callboard/net/http_router.hpp>
#include <callboard/net/http_session_parts.hpp>
#include <callboard/net/http_stream.hpp>

namespace callboard::net {

namespace {

/// How much one turn receives.
constexpr size_t receive_bytes_max = 2 * tls_stream::record_bytes_max + 2048;

/// How long the rest of what a refused client sends is read and discarded, so
/// that the refusal arrives: closing a socket with unread bytes resets it.
constexpr auto linger_timeout = std::chrono::seconds{2};

} // namespace

http_session::http_session(tcp::socket socket, http_front& front,
                           http_sessions& sessions, std::string address)
  : socket_{std::move(socket)},
    deadline_{socket_.get_executor()},
    front_{front},
    sessions_{&sessions},
    next_{sessions.first_},
    tls_{make_tls(socket_, front)},
    address_{std::move(address)} {
  if (next_ != nullptr)
    next_->previous_ = this;
  sessions.first_ = this;
  ++sessions.size_;
}

http_session::~http_session() {
  unlink();
}

void http_session::start() {
  arm(front_.options().request_timeout);
  wait_to_read();
}

void http_session::finish() {
  if (state_ == state::closed)
    return;
  auto has_place = reply_ && reply_->upgrade && !leave_queue({});
  leave();
  error_code ignored;
  socket_.close(ignored);
  if (has_place)
    front_.forgo(reply_->upgrade->address);
  reply_.reset();
}

http_session* http_session::turn_away() {
  auto* next = next_;
  if (state_ == state::queued)
    stop_waiting({});
  return next;
}

std::unique_ptr<tls_stream> http_session::make_tls(tcp::socket& socket,
                                                   const http_front& front) {
  auto context = front.tls();
  return context ? context->accept(socket.native_handle()) : nullptr;
}

// -- waiting ------------------------------------------------------------------

void http_session::arm(caf::timespan timeout) {
  deadline_.expires_after(timeout);
  deadline_.async_wait([self = shared_from_this()](error_code ec) {
    if (!ec && self->deadline_.expiry() <= std::chrono::steady_clock::now())
      self->on_deadline();
  });
}

void http_session::wait(tcp::socket::wait_type what) {
  socket_.async_wait(what, [self = shared_from_this(), state = state_](
                             error_code ec) { self->resume(state, ec); });
}

void http_session::wait_to_read() {
  // A handshake may have something to say first.
  wait(tls_ && tls_->has_unsent() ? tcp::socket::wait_write
                                  : tcp::socket::wait_read);
}

void http_session::resume(state then, error_code ec) {
  if (state_ == state::closed || state_ != then)
    return;
  if (ec)
    return finish();
  switch (then) {
    case state::reading:
      return read();
    case state::queued:
      return look_for_end();
    case state::writing:
      return write();
    default:
      return discard();
  }
}

void http_session::on_deadline() {
  if (state_ == state::queued)
    return stop_waiting(limit_hit{limit_kind::connections});
  if (state_ == state::asking)
    return send(to_reply(make_refusal(errc::timeout, 504)));
  // A client that rests between requests did nothing wrong, and there is no
  // way to tell something to one that has not shaken hands.
  if (state_ != state::reading || (answered_ && reader_.empty() && !asked_)
      || (tls_ && !tls_->is_open())) {
    if (tls_ && !tls_->is_open())
      front_.tls_failed(address_, "timeout");
    return finish();
  }
  error_code ignored;
  socket_.cancel(ignored);
  send(to_reply(
    http_refusal{408, "request_timeout", "The request did not come in time."}));
}

// -- reading ------------------------------------------------------------------

void http_session::read() {
  if (tls_ && tls_->has_unsent() && !flush_encrypted())
    return;
  std::array<char, receive_bytes_max> buffer;
  error_code ec;
  auto n = receive_some(socket_, tls_.get(), buffer, ec);
  if (ec == asio::error::connection_reset && tls_ && !tls_->is_open())
    front_.tls_failed(address_, tls_->error());
  if (ec)
    return finish();
  reader_.append({buffer.data(), n});
  asked_ ? take_body() : take_request();
}

void http_session::take_request() {
  auto result = reader_.take();
  if (auto* request = std::get_if<http_request>(&result))
    take(std::move(*request));
  else if (auto* refusal = std::get_if<http_refusal>(&result))
    send(to_reply(*refusal));
  else
    wait_to_read();
}

void http_session::take(http_request request) {
  auto* desk = front_.desk();
  if (desk == nullptr)
    return send(answer_to(request));
  if (auto refusal = desk->check(request))
    return send(to_reply(std::move(*refusal), request.method == "HEAD", true));
  if (!desk->takes(request))
    return send(answer_to(request));
  asked_ = std::make_unique<http_request>(std::move(request));
  // Who sends it already needs no word.
  auto waits = asked_->expects_continue && asked_->content_length > 0
               && reader_.empty();
  waits ? invite_body() : take_body();
}

void http_session::invite_body() {
  reply_.emplace();
  reply_->status = 100;
  reply_->head = "HTTP/1.1 100 Continue\r\n\r\n";
  sent_ = 0;
  state_ = state::writing;
  write();
}

void http_session::take_body() {
  auto body = reader_.take_body(asked_->content_length);
  if (!body)
    return wait_to_read();
  asked_->body = std::move(*body);
  ask(std::move(*std::exchange(asked_, nullptr)));
}

http_reply http_session::answer_to(const http_request& request) {
  if (!tls_)
    return answer(request, front_, {address_});
  auto name = tls_->peer_name();
  return answer(request, front_,
                {address_, name, tls_->peer_expires_ms(), true});
}

void http_session::discard() {
  std::array<char, receive_bytes_max> buffer;
  error_code ec;
  // Of no interest, so not decrypted either.
  socket_.read_some(asio::buffer(buffer), ec);
  if (ec && !may_go_on(ec))
    return finish();
  wait(tcp::socket::wait_read);
}

// -- writing ------------------------------------------------------------------

void http_session::send(http_reply reply) {
  if (reply.waits)
    return wait_for_place(std::move(reply));
  front_.count_reply(reply.status);
  reply_ = std::move(reply);
  sent_ = 0;
  state_ = state::writing;
  arm(front_.options().request_timeout);
  write();
}

void http_session::write() {
  error_code ec;
  send_rest(socket_, tls_.get(), reply_->head, reply_->body(), sent_, ec);
  if (may_go_on(ec))
    return wait(tcp::socket::wait_write);
  if (ec)
    return finish();
  if (tls_ && !flush_encrypted())
    return;
  if (reply_->upgrade)
    return hand_over();
  if (reply_->status == 100) {
    // The deadline stays that of the request.
    reply_.reset();
    state_ = state::reading;
    return take_body();
  }
  auto close = reply_->close;
  reply_.reset();
  answered_ = true;
  close ? linger() : go_on();
}

bool http_session::flush_encrypted() {
  auto then = tls_->flush();
  if (then == tls_stream::status::blocked)
    wait(tcp::socket::wait_write);
  else if (then != tls_stream::status::done)
    finish();
  return then == tls_stream::status::done;
}

void http_session::go_on() {
  state_ = state::reading;
  arm(front_.options().request_timeout);
  if (reader_.empty())
    return wait_to_read();
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (self->state_ == state::reading)
      self->take_request();
  });
}

void http_session::linger() {
  state_ = state::lingering;
  reader_.take_rest();
  error_code ec;
  if (tls_)
    tls_->end();
  socket_.shutdown(tcp::socket::shutdown_send, ec);
  if (ec)
    return finish();
  arm(linger_timeout);
  wait(tcp::socket::wait_read);
}

void http_session::hand_over() {
  error_code ec;
  auto socket = socket_.release(ec);
  if (ec)
    return finish();
  auto upgrade = std::move(*reply_->upgrade);
  reply_.reset();
  upgrade.socket = socket;
  upgrade.tls = std::move(tls_);
  upgrade.head = reader_.take_rest();
  leave();
  front_.open(std::move(upgrade));
}

// -- leaving ------------------------------------------------------------------

void http_session::leave() {
  state_ = state::closed;
  unlink();
  error_code ignored;
  deadline_.cancel(ignored);
}

void http_session::unlink() noexcept {
  if (sessions_ == nullptr)
    return;
  (previous_ != nullptr ? previous_->next_ : sessions_->first_) = next_;
  if (next_ != nullptr)
    next_->previous_ = previous_;
  --sessions_->size_;
  sessions_ = nullptr;
  front_.close_session(address_);
}

// -- the list -----------------------------------------------------------------

http_sessions::http_sessions(size_t sessions_max) noexcept
  : sessions_max_{sessions_max} {
}

http_sessions::~http_sessions() {
  close_all();
}

void http_sessions::close_all() noexcept {
  while (first_ != nullptr)
    first_->finish();
}

void http_sessions::turn_away() {
  for (auto* x = first_; x != nullptr;)
    x = x->turn_away();
}

bool http_sessions::end_oldest_idle() noexcept {
  http_session* found = nullptr;
  for (auto* x = first_; x != nullptr; x = x->next())
    if (x->is_idle())
      found = x;
  if (found != nullptr)
    found->finish();
  return found != nullptr;
}

void serve_http(tcp::socket socket, http_front& front,
                http_sessions& sessions) {
  error_code ec;
  auto peer = socket.remote_endpoint(ec);
  if (ec || !http_session::has_place(sessions))
    return;
  socket.non_blocking(true, ec);
  if (ec)
    return;
  auto address = address_of(peer);
  if ((front.tls() != nullptr && !front.open_encrypted(address))
      || !front.open_session(address))
    return;
  std::make_shared<http_session>(std::move(socket), front, sessions,
                                 std::move(address))
    ->start();
}

} // namespace callboard::net
