#include <callboard/net/ws_session.hpp>

#include <array>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <caf/send.hpp>

#include <callboard/actors/faults.hpp>
#include <callboard/messages/close_code.hpp>
#include <callboard/net/ws_error.hpp>

namespace callboard::net {

namespace {

int64_t steady_us() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch())
    .count();
}

uint16_t number(callboard::close_code x) noexcept {
  return static_cast<uint16_t>(x);
}

} // namespace

ws_session::ws_session(ws_session_host& host, int socket,
                       std::unique_ptr<tls_stream> tls,
                       const ws_parser_options& parsing, outbox_ptr box)
  : socket_{socket},
    encrypted_{tls != nullptr},
    binary_{codec_of(box->form()) == codec::msgpack},
    host_{host},
    box_{std::move(box)},
    tls_{std::move(tls)},
    parser_{parsing} {
  box_->set_transport(this);
  last_heard_ms = host_.loop().context().steady_ms;
}

ws_session::~ws_session() {
  if (socket_ >= 0)
    ::close(socket_);
}

void ws_session::open(connection* actor, std::span<char> head) {
  actor_ = actor;
  echo_ = actor == nullptr;
  if (actor_ != nullptr)
    keep_ = caf::strong_actor_ptr{actor_->ctrl()};
  watched_events_ = EPOLLIN;
  if (!host_.loop().watch(socket_, watched_events_, *this)) {
    watched_events_ = 0;
    lost(number(callboard::close_code::internal_error),
         "no room to watch the socket");
    return;
  }
  with_actor([this] { actor_->open(); });
  if (!head.empty())
    parse(head);
}

// -- reading ------------------------------------------------------------------

void ws_session::on_ready(uint32_t events) {
  ptr keep{this};
  if ((events & EPOLLOUT) != 0) {
    box_->set_blocked(false);
    flush(*box_);
  }
  if (socket_ < 0)
    return;
  if (paused_ && (events & (EPOLLHUP | EPOLLERR)) != 0)
    // Nobody is left to read the answers that it waits for.
    lost(number(callboard::close_code::abnormal), "connection reset");
  else if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
    receive();
}

void ws_session::receive() {
  auto buffer = host_.loop().receive_buffer();
  auto n = receive_into(buffer);
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR)
      lost(number(callboard::close_code::abnormal), "connection reset");
    return;
  }
  if (n == 0) {
    lost(number(callboard::close_code::abnormal), "connection ended");
    return;
  }
  auto& ctx = host_.loop().context();
  ctx.counts.bytes_in += static_cast<uint64_t>(n);
  last_heard_ms = ctx.steady_ms;
  // After our close frame, what comes is read only to see the end.
  if (!closing_)
    parse(buffer.first(static_cast<size_t>(n)));
  // The descriptor does not tell of this end.
  if (encrypted_ && !peer_closed_ && tls_->has_ended())
    lost(number(callboard::close_code::abnormal), "connection ended");
}

void ws_session::parse(std::span<char> bytes) {
  auto status = ws_status::open;
  if (echo_)
    status = parser_.consume(bytes.data(), bytes.size(), *this);
  else
    with_actor(
      [&] { status = parser_.consume(bytes.data(), bytes.size(), *this); });
  parsed(status);
}

void ws_session::parsed(ws_status status) {
  if (status == ws_status::failed && !closing_)
    fail(close_code(parser_.error()), to_string(parser_.error()));
  // Who does not read its answers gets no more questions answered.
  if (status == ws_status::paused && !paused_) {
    paused_ = true;
    watch_for();
  }
}

bool ws_session::on_message(ws_opcode kind, std::string_view bytes) {
  if (closing_)
    return true;
  if (echo_) {
    char header[ws_header_bytes_max];
    auto end = write_ws_header(header, kind, bytes.size());
    box_->append({header, static_cast<size_t>(end - header)}, bytes);
  } else if ((kind == ws_opcode::binary) != binary_) {
    fail(number(callboard::close_code::unsupported_data),
         binary_ ? "binary messages, please" : "text messages, please");
  } else {
    actor_->receive(bytes);
  }
  return box_->queued_bytes() <= box_->bytes_max() / 2;
}

bool ws_session::on_ping(std::string_view bytes) {
  if (actor_ != nullptr)
    actor_->receive_control(bytes.size());
  append_control(ws_opcode::pong, bytes);
  return box_->queued_bytes() <= box_->bytes_max() / 2;
}

bool ws_session::on_pong(std::string_view bytes) {
  if (actor_ != nullptr)
    actor_->receive_control(bytes.size());
  if (pinged_us_ != 0) {
    std::chrono::duration<double> round_trip
      = std::chrono::microseconds{steady_us() - std::exchange(pinged_us_, 0)};
    host_.loop().context().metrics.heartbeat_seconds->observe(
      round_trip.count());
  }
  return true;
}

bool ws_session::on_close(uint16_t code, std::string_view reason) {
  peer_closed_ = true;
  // The answer carries the peer's code (RFC 6455, 5.5.1).
  close(code, {});
  if (actor_ != nullptr)
    actor_->lost(code, reason);
  return true;
}

void ws_session::fail(uint16_t code, std::string_view reason) {
  if (actor_ != nullptr)
    with_actor([&] { actor_->close(code, reason); });
  close(code, reason);
}

// -- writing ------------------------------------------------------------------

void ws_session::append_control(ws_opcode kind, std::string_view body) {
  char message[2 + ws_control_bytes_max];
  auto at = write_ws_header(message, kind, body.size());
  body.copy(at, body.size());
  box_->append({message, static_cast<size_t>(at - message) + body.size()});
}

void ws_session::flush(outbox& box) {
  if (socket_ < 0 || broken_)
    return;
  if (box.overflowed()) {
    cut_slow_consumer();
    return;
  }
  std::array<std::string_view, pieces_max> pieces;
  while (auto n = box.gather(pieces)) {
    auto sent = send_pieces({pieces.data(), n});
    if (sent < 0) {
      if (errno == EINTR)
        continue;
      if (errno == EAGAIN) {
        box.set_blocked(true);
        watch_for();
        return;
      }
      broken_ = true;
      box.close();
      box.drop_all();
      host_.loop().defer([self = ptr{this}] {
        self->lost(number(callboard::close_code::abnormal), "connection reset");
      });
      return;
    }
    box.consume(static_cast<size_t>(sent));
  }
  after_flush();
}

void ws_session::after_flush() {
  if (encrypted_ && tls_->flush() != tls_stream::status::done) {
    // What is encrypted already goes first, when the socket can be written.
    watch_for();
    return;
  }
  if ((watched_events_ & EPOLLOUT) != 0)
    watch_for();
  if (closing_) {
    if (!std::exchange(shut_down_, true)) {
      if (encrypted_)
        tls_->end();
      ::shutdown(socket_, SHUT_WR);
    }
    if (peer_closed_ && !std::exchange(deferred_, true))
      host_.loop().defer([self = ptr{this}] { self->end(); });
  } else if (paused_ && !std::exchange(deferred_, true)) {
    host_.loop().defer([self = ptr{this}] { self->go_on(); });
  }
}

void ws_session::go_on() {
  deferred_ = false;
  if (socket_ < 0 || closing_)
    return;
  paused_ = false;
  auto status = ws_status::open;
  if (echo_)
    status = parser_.resume(*this);
  else
    with_actor([&] { status = parser_.resume(*this); });
  parsed(status);
  watch_for();
}

void ws_session::watch_for() {
  if (socket_ < 0)
    return;
  auto events = paused_ && !closing_ ? 0u : unsigned{EPOLLIN};
  if (has_unsent())
    events |= EPOLLOUT;
  if (events != watched_events_) {
    watched_events_ = static_cast<uint8_t>(events);
    host_.loop().rewatch(socket_, events, *this);
  }
}

void ws_session::cut_slow_consumer() {
  box_->drop_unsent();
  host_.loop().context().metrics.drops_by(overflow_policy::disconnect)->inc();
  auto code = number(callboard::close_code::slow_consumer);
  // The actor may be in the middle of a call.
  host_.loop().defer([self = ptr{this}, code] {
    self->with_actor([&] {
      self->actor_->close(code,
                          to_string(callboard::close_code::slow_consumer));
    });
  });
  close(code, to_string(callboard::close_code::slow_consumer));
}

// -- heartbeat ----------------------------------------------------------------

void ws_session::ping() {
  if (closing_)
    return;
  pinged_us_ = steady_us();
  append_control(ws_opcode::ping, {});
}

void ws_session::timed_out() {
  host_.loop().context().metrics.heartbeat_timeouts->inc();
  fail(number(callboard::close_code::heartbeat_timeout),
       to_string(callboard::close_code::heartbeat_timeout));
}

int64_t ws_session::expires_ms() const {
  return actor_ == nullptr ? 0 : actor_->expires_ms();
}

void ws_session::expired() {
  if (actor_ != nullptr)
    with_actor([this] { actor_->expire(); });
}

void ws_session::expiry_changed() {
  caf::anon_send(host_.loop().context().heartbeats, watch_atom_v,
                 heartbeat_ptr{this});
}

// -- ending -------------------------------------------------------------------

void ws_session::close(uint16_t code, std::string_view reason) {
  if (std::exchange(closing_, true) || socket_ < 0)
    return;
  parser_.shut();
  if (box_->overflowed())
    box_->drop_unsent();
  // An application may name a code that must not be on the wire.
  if (code != ws_close::no_status && !is_sendable_close_code(code))
    code = ws_close::internal_error;
  char body[ws_control_bytes_max];
  auto end = write_ws_close_body(body, code, reason);
  append_control(ws_opcode::close, {body, static_cast<size_t>(end - body)});
  box_->close();
  box_->mark_dirty();
  paused_ = false;
  host_.closing(*this);
  watch_for();
}

void ws_session::on_deadline() {
  lost(number(callboard::close_code::abnormal), "close timed out");
}

void ws_session::authentication_due() {
  if (actor_ != nullptr && actor_->state() == connection_state::connecting)
    fail(number(callboard::close_code::connect_timeout),
         to_string(callboard::close_code::connect_timeout));
}

void ws_session::shed_login() {
  if (actor_ != nullptr && actor_->state() == connection_state::connecting)
    with_actor([this] { actor_->shed_login(); });
}

void ws_session::turn_away() {
  if (echo_)
    close(number(callboard::close_code::going_away),
          to_string(callboard::close_code::going_away));
  else if (actor_ != nullptr && actor_->state() == connection_state::connecting)
    with_actor([this] { actor_->drain(); });
}

void ws_session::lost(uint16_t code, std::string_view reason) {
  if (socket_ < 0)
    return;
  // There is nobody to send a close frame to.
  closing_ = true;
  if (actor_ != nullptr && !injected(fault::keep_actor))
    with_actor([&] { actor_->lost(code, reason); });
  end();
}

void ws_session::end() {
  if (socket_ < 0)
    return;
  ptr keep{this};
  if (!echo_)
    caf::anon_send(host_.loop().context().heartbeats, unwatch_atom_v,
                   heartbeat_ptr{this});
  if (watched_events_ != 0 || closing_)
    host_.loop().unwatch(socket_, *this);
  if (injected(fault::keep_descriptor)) {
    [[maybe_unused]] auto left = ::dup(socket_);
  }
  leave_behind(fault::keep_actor, keep_);
  ::close(std::exchange(socket_, -1));
  box_->set_transport(nullptr);
  box_->close();
  box_->drop_all();
  actor_ = nullptr;
  keep_ = nullptr;
  host_.ended(*this);
}

template <class F>
void ws_session::with_actor(F&& f) {
  if (actor_ == nullptr)
    return;
  auto keep = keep_;
  auto* actor = actor_;
  if (!actor->enter(std::forward<F>(f)) && actor_ == actor) {
    // It has ended; the socket goes on until its close is through.
    actor_ = nullptr;
    keep_ = nullptr;
  }
}

} // namespace callboard::net
