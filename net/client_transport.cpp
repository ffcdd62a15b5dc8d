#include <callboard/net/client_transport.hpp>

#include <deque>
#include <optional>

#include <fcntl.h>

#include <caf/sec.hpp>

#include <callboard/messages/byte_buffer.hpp>
#include <callboard/messages/frame_writer.hpp>
#include <callboard/net/boost/websocket.hpp>
#include <callboard/net/client_report.hpp>
#include <callboard/net/client_stream.hpp>
#include <callboard/net/client_tls.hpp>

namespace callboard::net {

namespace {

// Time for the server's close frame to come back.
constexpr auto close_timeout = std::chrono::seconds{2};

// Bytes that wait to be written before there should be no more.
constexpr size_t unwritten_bytes_max = 1024 * 1024;

std::string_view view(beast::string_view x) {
  return {x.data(), x.size()};
}

caf::error network_error(caf::sec what, std::string_view doing,
                         const error_code& ec) {
  return caf::make_error(what, std::string{doing} + ": " + ec.message());
}

class websocket_transport
  : public client_transport,
    public std::enable_shared_from_this<websocket_transport> {
public:
  // tls: null for none.
  websocket_transport(const asio::any_io_executor& executor,
                      const client_options& options, listener& listener,
                      ssl::context* tls)
    : options_{options},
      listener_{&listener},
      resolver_{executor},
      stream_{executor, tls} {
    websocket::permessage_deflate deflate;
    deflate.client_enable = options.compression;
    stream_.set_option(deflate);
    stream_.read_message_max(options.message_bytes_max);
    stream_.binary(true);
    stream_.set_option(websocket::stream_base::decorator{
      [name = options.name, token = options.token](auto& request) {
        request.set(http::field::user_agent, name);
        request.set(http::field::sec_websocket_protocol,
                    beast::string_view{subprotocol(codec::msgpack).data(),
                                       subprotocol(codec::msgpack).size()});
        if (!token.empty())
          request.set(http::field::authorization, "Bearer " + token);
      }});
    set_timeouts(options.connect_timeout, options.connect_timeout);
  }

  void open() override {
    auto& server = options_.server;
    resolver_.async_resolve(
      server.host, std::to_string(server.port), tcp::resolver::numeric_service,
      [self = shared_from_this()](const error_code& ec, const auto& found) {
        self->on_resolved(ec, found);
      });
  }

  void set_limits(size_t frame_bytes_max, caf::timespan idle_max) override {
    frame_bytes_max_ = frame_bytes_max;
    set_timeouts(options_.connect_timeout, idle_max);
  }

  bool send(const frame_view& x) override {
    if (listener_ == nullptr || closing_)
      return true;
    if (messages_.empty())
      messages_.emplace_back();
    auto* tail = &messages_.back();
    auto before = tail->size();
    write_frame(codec::msgpack, x, *tail);
    auto size = tail->size() - before;
    if (size > frame_bytes_max_) {
      tail->truncate(before);
      if (before == 0)
        messages_.pop_back();
      return false;
    }
    unwritten_bytes_ += size;
    if (tail->size() > frame_bytes_max_) {
      byte_buffer next;
      next.append(tail->view().substr(before));
      tail->truncate(before);
      messages_.push_back(std::move(next));
    }
    flush_later();
    return true;
  }

  [[nodiscard]] bool is_full() const noexcept override {
    return unwritten_bytes_ >= unwritten_bytes_max;
  }

  void close(uint16_t code) override {
    if (closing_)
      return;
    closing_ = code;
    if (!stream_.is_open())
      return finish_closing();
    expect_progress();
    if (!writing_)
      flush();
  }

  void drop() override {
    listener_ = nullptr;
    resolver_.cancel();
    deadline_.cancel();
    error_code ignored;
    socket().close(ignored);
  }

private:
  tcp::socket& socket() {
    return stream_.next_layer().socket();
  }

  void set_timeouts(caf::timespan handshake, caf::timespan idle) {
    using std::chrono::duration_cast;
    using duration = websocket::stream_base::duration;
    stream_.set_option(websocket::stream_base::timeout{
      duration_cast<duration>(handshake), duration_cast<duration>(idle), true});
  }

  void on_resolved(const error_code& ec,
                   const tcp::resolver::results_type& found) {
    if (listener_ == nullptr)
      return;
    if (ec)
      return finish(
        {1006,
         network_error(caf::sec::cannot_connect_to_node,
                       "cannot find the host " + options_.server.host, ec)});
    asio::async_connect(socket(), found,
                        [self = shared_from_this()](const error_code& ec,
                                                    const auto&) {
                          self->on_connected(ec);
                        });
  }

  void on_connected(const error_code& ec) {
    if (listener_ == nullptr)
      return;
    auto where = options_.server.authority();
    if (ec)
      return finish({1006, network_error(caf::sec::cannot_connect_to_node,
                                         "cannot connect to " + where, ec)});
    error_code ignored;
    socket().set_option(tcp::no_delay{true}, ignored);
    // No child process of the application's inherits it.
    ::fcntl(socket().native_handle(), F_SETFD, FD_CLOEXEC);
    if (stream_.next_layer().is_encrypted())
      encrypt();
    else
      upgrade();
  }

  // Shakes hands with a server that can show that it is the one asked for.
  void encrypt() {
    expire_in(options_.connect_timeout);
    stream_.next_layer().encrypt(options_.server.host,
                                 [self = shared_from_this()](error_code ec) {
                                   self->on_encrypted(ec);
                                 });
  }

  // Beast's timeouts begin with the WebSocket.
  void expire_in(caf::timespan timeout) {
    deadline_.expires_after(timeout);
    deadline_.async_wait([self = shared_from_this()](error_code ec) {
      error_code ignored;
      if (!ec && !self->is_encrypted_)
        self->socket().close(ignored);
    });
  }

  void on_encrypted(const error_code& ec) {
    deadline_.cancel();
    if (listener_ == nullptr)
      return;
    if (ec)
      return finish(
        {1006, network_error(caf::sec::disconnect_during_handshake,
                             "the TLS handshake with "
                               + options_.server.authority() + " failed",
                             ec)});
    is_encrypted_ = true;
    upgrade();
  }

  void upgrade() {
    stream_.async_handshake(response_, options_.server.authority(),
                            options_.server.target,
                            [self = shared_from_this()](const error_code& ec) {
                              self->on_handshake(ec);
                            });
  }

  void on_handshake(const error_code& ec) {
    if (listener_ == nullptr)
      return;
    if (ec == websocket::error::upgrade_declined)
      return finish(report_refusal(response_.result_int(),
                                   view(response_[http::field::retry_after]),
                                   response_.body(),
                                   options_.server.encrypted));
    if (ec)
      return finish(
        {1006, network_error(caf::sec::disconnect_during_handshake,
                             "the WebSocket handshake with "
                               + options_.server.authority() + " failed",
                             ec)});
    if (view(response_[http::field::sec_websocket_protocol])
        != subprotocol(codec::msgpack))
      return finish(
        {1002,
         caf::make_error(caf::sec::incompatible_versions,
                         options_.server.authority() + " does not speak "
                           + std::string{subprotocol(codec::msgpack)}),
         reconnect_advice::never});
    listener_->on_open();
    read();
  }

  void read() {
    if (listener_ == nullptr)
      return;
    stream_.async_read(
      received_, [self = shared_from_this()](const error_code& ec, size_t) {
        self->on_read(ec);
      });
  }

  void on_read(const error_code& ec) {
    if (listener_ == nullptr)
      return;
    if (ec == websocket::error::closed)
      return finish(
        report_close(stream_.reason().code, stream_.reason().reason.c_str()));
    if (ec == beast::error::timeout)
      return finish(
        {4000, caf::make_error(caf::sec::connection_timeout,
                               std::string{"nothing was heard from the server "
                                           "for too long"})});
    if (ec)
      return finish({1006, network_error(caf::sec::socket_disconnected,
                                         "the connection was lost", ec)});
    auto bytes = received_.cdata();
    listener_->on_message(
      {static_cast<const char*>(bytes.data()), bytes.size()});
    received_.consume(received_.size());
    read();
  }

  void flush_later() {
    if (writing_ || flush_posted_)
      return;
    flush_posted_ = true;
    asio::post(stream_.get_executor(), [self = shared_from_this()] {
      self->flush_posted_ = false;
      if (!self->writing_)
        self->flush();
    });
  }

  // Writes the first message, or the close frame behind the last one.
  void flush() {
    if (listener_ == nullptr || !stream_.is_open())
      return;
    if (messages_.empty()) {
      if (closing_ && !close_sent_)
        send_close();
      return;
    }
    writing_ = true;
    being_written_ = std::move(messages_.front());
    messages_.pop_front();
    stream_.async_write(
      asio::const_buffer{being_written_.data(), being_written_.size()},
      [self = shared_from_this()](const error_code& ec, size_t) {
        self->on_written(ec);
      });
  }

  void on_written(const error_code& ec) {
    writing_ = false;
    // What went wrong is for the pending read to tell.
    if (ec)
      return;
    if (closing_ && listener_ != nullptr)
      expect_progress();
    auto was_full = is_full();
    unwritten_bytes_ -= being_written_.size();
    flush();
    if (was_full && !is_full() && listener_ != nullptr)
      listener_->on_drained();
  }

  void send_close() {
    close_sent_ = true;
    set_timeouts(close_timeout, close_timeout);
    stream_.async_close(websocket::close_reason{*closing_},
                        [self = shared_from_this()](const error_code&) {
                          self->finish_closing();
                        });
  }

  void finish_closing() {
    finish({*closing_, caf::make_error(caf::sec::connection_closed,
                                       std::string{"closed by this side"})});
  }

  // Lets a server that reads no more hold up a close no longer than a try to
  // connect.
  void expect_progress() {
    deadline_.expires_after(options_.connect_timeout);
    deadline_.async_wait([self = shared_from_this()](error_code ec) {
      if (!ec)
        self->finish_closing();
    });
  }

  void finish(close_report report) {
    if (listener_ == nullptr)
      return;
    auto* listener = listener_;
    auto self = shared_from_this();
    drop();
    listener->on_closed(std::move(report));
  }

  client_options options_;
  // Null once it has heard the end.
  listener* listener_;
  tcp::resolver resolver_;
  asio::steady_timer deadline_{resolver_.get_executor()};
  websocket::stream<client_stream> stream_;
  websocket::response_type response_;
  beast::flat_buffer received_;
  // Messages that wait; the last one takes further frames.
  std::deque<byte_buffer> messages_;
  byte_buffer being_written_;
  // Of these and of the one that is being written.
  size_t unwritten_bytes_ = 0;
  size_t frame_bytes_max_ = 64 * 1024;
  bool is_encrypted_ = false;
  bool writing_ = false;
  bool flush_posted_ = false;
  // The code to close with, once that is wanted.
  std::optional<uint16_t> closing_;
  bool close_sent_ = false;
};

} // namespace

std::shared_ptr<client_transport>
make_client_transport(const asio::any_io_executor& executor,
                      const client_options& options,
                      client_transport::listener& listener) {
  if (!options.server.encrypted)
    return std::make_shared<websocket_transport>(executor, options, listener,
                                                 nullptr);
  ssl::context tls{ssl::context::tls_client};
  if (auto failed = set_up_client_tls(tls, options))
    return make_failed_transport(executor, std::move(failed), listener);
  return std::make_shared<websocket_transport>(executor, options, listener,
                                               &tls);
}

} // namespace callboard::net
