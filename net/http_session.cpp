#include <callboard/net/http_session.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <callboard/net/http_desk.hpp>
#include <callboard/net/http_reader.hpp>
#include <callboard/net/http_reply.hpp>
#include <callboard/net/http_router.hpp>
#include <callboard/net/http_stream.hpp>

namespace callboard::net {

namespace {

/// How much one turn receives.
constexpr size_t receive_bytes_max = 2 * tls_stream::record_bytes_max + 2048;

/// How long the rest of what a refused client sends is read and discarded, so
/// that the refusal arrives: closing a socket with unread bytes resets it.
constexpr auto linger_timeout = std::chrono::seconds{2};

/// Returns an IP address as people write it; v4 where v6 only wraps it.
std::string address_of(const tcp::endpoint& peer) {
  auto result = peer.address();
  if (result.is_v6() && result.to_v6().is_v4_mapped())
    result = asio::ip::make_address_v4(asio::ip::v4_mapped, result.to_v6());
  return result.to_string();
}

} // namespace

/// One connection. Asio's handlers own it: at least the deadline's is always
/// pending. The list of its `http_sessions` does not.
class http_session : public std::enable_shared_from_this<http_session> {
public:
  http_session(tcp::socket socket, http_front& front, http_sessions& sessions,
               std::string address)
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

  http_session(const http_session&) = delete;

  http_session& operator=(const http_session&) = delete;

  ~http_session() {
    unlink();
  }

  static bool has_place(const http_sessions& sessions) noexcept {
    return sessions.size_ < sessions.sessions_max_;
  }

  void start() {
    arm(front_.options().request_timeout);
    wait_to_read();
  }

  /// Closes the socket and leaves the list; later handlers do nothing.
  void finish() {
    if (state_ == state::closed)
      return;
    leave();
    error_code ignored;
    socket_.close(ignored);
    if (reply_ && reply_->upgrade)
      front_.forgo(reply_->upgrade->address);
    reply_.reset();
  }

private:
  enum class state { reading, waiting, writing, lingering, closed };

  static std::unique_ptr<tls_stream> make_tls(tcp::socket& socket,
                                              const http_front& front) {
    auto context = front.tls();
    return context ? context->accept(socket.native_handle()) : nullptr;
  }

  // -- waiting ----------------------------------------------------------------

  void arm(caf::timespan timeout) {
    deadline_.expires_after(timeout);
    deadline_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec && self->deadline_.expiry() <= std::chrono::steady_clock::now())
        self->on_deadline();
    });
  }

  void wait(tcp::socket::wait_type what) {
    socket_.async_wait(what, [self = shared_from_this(), state = state_](
                               error_code ec) { self->resume(state, ec); });
  }

  void wait_to_read() {
    // A handshake may have something to say first.
    wait(tls_ && tls_->has_unsent() ? tcp::socket::wait_write
                                    : tcp::socket::wait_read);
  }

  /// Goes on unless the state is another one since this was asked for.
  void resume(state then, error_code ec) {
    if (state_ == state::closed || state_ != then)
      return;
    if (ec)
      return finish();
    switch (then) {
      case state::reading:
        return read();
      case state::writing:
        return write();
      default:
        return discard();
    }
  }

  void on_deadline() {
    if (state_ == state::waiting)
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
    send(to_reply(http_refusal{408, "request_timeout",
                               "The request did not come in time."}));
  }

  // -- reading ----------------------------------------------------------------

  void read() {
    if (tls_ && tls_->has_unsent() && !flush_encrypted())
      return;
    std::array<char, receive_bytes_max> buffer;
    error_code ec;
    auto bytes = receive_some(socket_, tls_.get(), buffer, ec);
    if (ec == asio::error::connection_reset && tls_ && !tls_->is_open())
      front_.tls_failed(address_, tls_->error());
    if (ec)
      return finish();
    reader_.append(bytes);
    asked_ ? take_body() : take_request();
  }

  void take_request() {
    auto result = reader_.take();
    if (auto* request = std::get_if<http_request>(&result))
      take(std::move(*request));
    else if (auto* refusal = std::get_if<http_refusal>(&result))
      send(to_reply(*refusal));
    else
      wait_to_read();
  }

  void take(http_request request) {
    auto* desk = front_.desk();
    if (desk == nullptr)
      return send(answer_to(request));
    if (auto refusal = desk->check(request))
      return send(
        to_reply(std::move(*refusal), request.method == "HEAD", true));
    if (!desk->takes(request))
      return send(answer_to(request));
    asked_ = std::make_unique<http_request>(std::move(request));
    take_body();
  }

  void take_body() {
    auto body = reader_.take_body(asked_->content_length);
    if (!body)
      return wait_to_read();
    asked_->body = std::move(*body);
    ask(std::move(*std::exchange(asked_, nullptr)));
  }

  /// Waits for the desk's answer, for as long as for a request.
  void ask(http_request request) {
    state_ = state::waiting;
    arm(front_.options().request_timeout);
    auto end = !request.keep_alive || request.http_1_0;
    auto answer = [self = weak_from_this(), end](http_content content) {
      auto session = self.lock();
      if (!session || session->state_ != state::waiting)
        return;
      auto close = end || content.status >= 400 || !session->front_.ready();
      session->send(to_reply(std::move(content), false, close));
    };
    front_.desk()->serve(std::move(request), answer);
  }

  http_reply answer_to(const http_request& request) {
    if (!tls_)
      return answer(request, front_, {address_});
    auto name = tls_->peer_name();
    return answer(request, front_,
                  {address_, name, tls_->peer_expires_ms(), true});
  }

  void discard() {
    std::array<char, receive_bytes_max> buffer;
    error_code ec;
    // Of no interest, so not decrypted either.
    socket_.read_some(asio::buffer(buffer), ec);
    if (ec && ec != asio::error::would_block && ec != asio::error::interrupted)
      return finish();
    wait(tcp::socket::wait_read);
  }

  // -- writing ----------------------------------------------------------------

  void send(http_reply reply) {
    front_.count_reply(reply.status);
    reply_ = std::move(reply);
    sent_ = 0;
    state_ = state::writing;
    arm(front_.options().request_timeout);
    write();
  }

  void write() {
    auto head = std::string_view{reply_->head};
    auto body = reply_->body();
    while (sent_ < head.size() + body.size()) {
      auto skipped = std::min(sent_, head.size());
      error_code ec;
      sent_ += send_some(socket_, tls_.get(), head.substr(skipped),
                         body.substr(sent_ - skipped), ec);
      if (ec == asio::error::would_block || ec == asio::error::interrupted)
        return wait(tcp::socket::wait_write);
      if (ec)
        return finish();
    }
    if (tls_ && !flush_encrypted())
      return;
    if (reply_->upgrade)
      return hand_over();
    auto close = reply_->close;
    reply_.reset();
    answered_ = true;
    close ? linger() : go_on();
  }

  /// Sends what is encrypted already.
  /// @returns false if it waits for the socket, or the session has ended.
  bool flush_encrypted() {
    switch (tls_->flush()) {
      case tls_stream::status::done:
        return true;
      case tls_stream::status::blocked:
        wait(tcp::socket::wait_write);
        return false;
      default:
        finish();
        return false;
    }
  }

  /// Goes on with the next request. One that is here already waits for the
  /// loop's next turn, so that nobody has the loop for himself.
  void go_on() {
    state_ = state::reading;
    arm(front_.options().request_timeout);
    if (reader_.empty())
      return wait_to_read();
    asio::post(socket_.get_executor(), [self = shared_from_this()] {
      if (self->state_ == state::reading)
        self->take_request();
    });
  }

  void linger() {
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

  void hand_over() {
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

  // -- leaving ----------------------------------------------------------------

  void leave() {
    state_ = state::closed;
    unlink();
    error_code ignored;
    deadline_.cancel(ignored);
  }

  void unlink() noexcept {
    if (sessions_ == nullptr)
      return;
    (previous_ != nullptr ? previous_->next_ : sessions_->first_) = next_;
    if (next_ != nullptr)
      next_->previous_ = previous_;
    --sessions_->size_;
    sessions_ = nullptr;
    front_.close_session(address_);
  }

  tcp::socket socket_;
  asio::steady_timer deadline_;
  http_front& front_;
  http_sessions* sessions_;
  http_session* previous_ = nullptr;
  http_session* next_;
  std::unique_ptr<tls_stream> tls_;
  std::string address_;
  http_reader reader_;
  /// For the desk, without its body.
  std::unique_ptr<http_request> asked_;
  /// What is being written, and how many of its bytes were.
  std::optional<http_reply> reply_;
  size_t sent_ = 0;
  state state_ = state::reading;
  /// Whether a request was answered already.
  bool answered_ = false;
};

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
  if (front.tls() != nullptr && !front.open_encrypted(address))
    return;
  if (!front.open_session(address))
    return;
  std::make_shared<http_session>(std::move(socket), front, sessions,
                                 std::move(address))
    ->start();
}

} // namespace callboard::net
