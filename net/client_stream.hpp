#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>

#include <callboard/net/boost/beast.hpp>
#include <callboard/net/boost/ssl.hpp>

namespace callboard::net {

/// A handler of any type that is called once. Only moves.
template <class... Ts>
class once_handler {
public:
  template <class Handler, class = std::enable_if_t<!std::is_same_v<
                             std::decay_t<Handler>, once_handler>>>
  once_handler(Handler&& x)
    : impl_{std::make_unique<model<std::decay_t<Handler>>>(
      std::forward<Handler>(x))} {
  }

  void operator()(Ts... xs) {
    auto impl = std::move(impl_);
    impl->call(xs...);
  }

private:
  struct base {
    virtual ~base() = default;

    virtual void call(Ts... xs) = 0;
  };

  template <class Handler>
  struct model final : base {
    explicit model(Handler&& x) : handler{std::move(x)} {
    }

    explicit model(const Handler& x) : handler{x} {
    }

    void call(Ts... xs) override {
      handler(xs...);
    }

    Handler handler;
  };

  std::unique_ptr<base> impl_;
};

/// The first buffers of a sequence, without empty ones.
template <class Buffer>
class few_buffers {
public:
  using value_type = Buffer;
  using const_iterator = const Buffer*;

  few_buffers() = default;

  template <class Sequence>
  explicit few_buffers(const Sequence& xs) {
    auto last = asio::buffer_sequence_end(xs);
    for (auto i = asio::buffer_sequence_begin(xs); i != last; ++i) {
      Buffer x{*i};
      if (x.size() > 0 && size_ < items_.size())
        items_[size_++] = x;
    }
  }

  [[nodiscard]] const Buffer* begin() const noexcept {
    return items_.data();
  }

  [[nodiscard]] const Buffer* end() const noexcept {
    return items_.data() + size_;
  }

private:
  std::array<Buffer, 8> items_;
  size_t size_ = 0;
};

/// A TCP socket, with TLS or without: what Beast's WebSocket of a client runs
/// on. There is one type for both, whose reads and writes are compiled apart,
/// because each type of stream is instantiated in some hundred functions.
class client_stream {
public:
  using executor_type = tcp::socket::executor_type;
  using io_handler = once_handler<error_code, size_t>;
  using done_handler = once_handler<error_code>;

  /// @param tls null for none; need not outlive this.
  client_stream(const executor_type& executor, ssl::context* tls);

  // The TLS part refers to the socket.
  client_stream(const client_stream&) = delete;

  client_stream& operator=(const client_stream&) = delete;

  executor_type get_executor() {
    return socket_.get_executor();
  }

  [[nodiscard]] bool is_encrypted() const noexcept {
    return tls_.has_value();
  }

  tcp::socket& socket() noexcept {
    return socket_;
  }

  /// Shakes hands with a server that can show that it is `host`, a name or an
  /// IP address.
  /// @pre is_encrypted()
  void encrypt(const std::string& host, done_handler done);

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& xs, Handler&& done) {
    read(few_buffers<asio::mutable_buffer>{xs},
         io_handler{std::forward<Handler>(done)});
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& xs, Handler&& done) {
    write(few_buffers<asio::const_buffer>{xs},
          io_handler{std::forward<Handler>(done)});
  }

  /// Ends it in order, behind the WebSocket's close frames.
  void tear_down(beast::role_type role, done_handler done);

private:
  void read(const few_buffers<asio::mutable_buffer>& xs, io_handler done);

  void write(const few_buffers<asio::const_buffer>& xs, io_handler done);

  tcp::socket socket_;
  std::optional<ssl::stream<tcp::socket&>> tls_;
};

// What Beast asks of a stream, found by its argument.

template <class Handler>
void async_teardown(beast::role_type role, client_stream& x, Handler&& done) {
  x.tear_down(role, client_stream::done_handler{std::forward<Handler>(done)});
}

void beast_close_socket(client_stream& x);

} // namespace callboard::net
