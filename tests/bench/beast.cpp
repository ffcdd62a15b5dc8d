// A broadcaster and echo on Boost.Beast as its examples show it: a session for
// each connection, one async_read a message, a queue and one async_write each.
//
//   beast [--port N] [--echo PATH] [--tls CERTIFICATE KEY]

#include <utility>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast.hpp>
#include <boost/beast/ssl.hpp>
#include <boost/beast/websocket/ssl.hpp>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <vector>

#include <sys/resource.h>
#include <unistd.h>

#include "frames.hpp"

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;

using boost::beast::error_code;
using boost::beast::flat_buffer;
using boost::beast::ssl_stream;
using boost::beast::tcp_stream;
using tcp = asio::ip::tcp;
using shared_text = std::shared_ptr<const std::string>;

constexpr size_t message_bytes_max = 1 << 20;
constexpr size_t queue_length_max = 4096;

/// A session, whatever its stream.
class member {
public:
  virtual void send(shared_text message) = 0;

protected:
  ~member() = default;
};

struct room {
  std::vector<member*> members;
  uint64_t offset = 0;
};

/// What all sessions share.
struct hub {
  std::string echo_path;
  std::unordered_map<std::string, room> rooms;
  uint64_t accepted = 0;
  /// With TLS.
  std::optional<asio::ssl::context> tls;
};

// Stream: tcp_stream or ssl_stream<tcp_stream>.
template <class Stream>
class session final : public member,
                      public std::enable_shared_from_this<session<Stream>> {
public:
  // args: what the stream is made of.
  template <class... Ts>
  explicit session(hub& shared, Ts&&... args)
    : stream_(std::forward<Ts>(args)...),
      hub_(shared),
      name_("c" + std::to_string(++shared.accepted)) {
  }

  ~session() {
    for (auto where : rooms_)
      std::erase(where->members, static_cast<member*>(this));
  }

  void run() {
    if constexpr (std::is_same_v<Stream, tcp_stream>)
      read_request();
    else
      stream_.next_layer().async_handshake(asio::ssl::stream_base::server,
                                           [self = this->shared_from_this()](
                                             error_code code) {
                                             if (!code)
                                               self->read_request();
                                           });
  }

  void send(shared_text message) override {
    if (queue_.size() >= queue_length_max) {
      boost::beast::get_lowest_layer(stream_).close();
      return;
    }
    queue_.push_back(std::move(message));
    if (queue_.size() == 1)
      write();
  }

private:
  void read_request() {
    request_ = std::make_unique<http::request<http::string_body>>();
    http::async_read(stream_.next_layer(), buffer_, *request_,
                     [self = this->shared_from_this()](error_code code,
                                                       size_t) {
                       if (!code)
                         self->accept();
                     });
  }

  void accept() {
    std::string path{request_->target()};
    echoes_ = path == hub_.echo_path;
    auto protocol
      = std::string{(*request_)[http::field::sec_websocket_protocol]};
    stream_.set_option(websocket::stream_base::decorator(
      [protocol](websocket::response_type& response) {
        if (!protocol.empty())
          response.set(http::field::sec_websocket_protocol, protocol);
      }));
    stream_.binary(true);
    stream_.read_message_max(message_bytes_max);
    stream_.async_accept(*request_,
                         [self = this->shared_from_this()](error_code e) {
                           if (!e)
                             self->greet();
                         });
  }

  void greet() {
    request_.reset();
    buffer_.consume(buffer_.size());
    if (!echoes_) {
      std::string welcome;
      baseline::append_welcome(welcome, hub_.accepted);
      send(std::make_shared<const std::string>(std::move(welcome)));
    }
    read();
  }

  void read() {
    stream_.async_read(
      buffer_, [self = this->shared_from_this()](error_code code, size_t) {
        if (code)
          return;
        self->take();
        self->buffer_.consume(self->buffer_.size());
        self->read();
      });
  }

  void write() {
    stream_.async_write(asio::buffer(*queue_.front()),
                        [self = this->shared_from_this()](error_code code,
                                                          size_t) {
                          if (code)
                            return;
                          self->queue_.pop_front();
                          if (!self->queue_.empty())
                            self->write();
                        });
  }

  void take() {
    auto bytes = buffer_.data();
    std::string_view rest{static_cast<const char*>(bytes.data()), bytes.size()};
    if (echoes_)
      return send(std::make_shared<const std::string>(rest));
    while (!rest.empty()) {
      auto what = baseline::take_frame(rest);
      std::string out;
      if (!what)
        baseline::append_error(out, 0, 100, "malformed_frame");
      else if (what->type == 10)
        publish(*what, out);
      else if (what->type == 3 && what->subject == "callboard.echo")
        baseline::append_response(out, what->seq_id, what->payload);
      else if (what->type == 8)
        subscribe(*what, out);
      else
        baseline::append_error(out, what->seq_id, 101, "unknown_type");
      if (!out.empty())
        send(std::make_shared<const std::string>(std::move(out)));
    }
  }

  void subscribe(const baseline::frame& what, std::string& out) {
    auto& where = hub_.rooms[std::string{what.subject}];
    where.members.push_back(this);
    rooms_.push_back(&where);
    baseline::append_position(out, what.seq_id, where.offset);
  }

  void publish(const baseline::frame& what, std::string& out) {
    auto found = hub_.rooms.find(std::string{what.subject});
    if (found == hub_.rooms.end())
      return;
    auto& where = found->second;
    std::string event;
    baseline::append_event(event, what.subject, what.payload, ++where.offset,
                           name_);
    auto shared = std::make_shared<const std::string>(std::move(event));
    for (auto each : where.members)
      each->send(shared);
    if (what.seq_id != 0)
      baseline::append_position(out, what.seq_id, where.offset);
  }

  websocket::stream<Stream> stream_;
  hub& hub_;
  std::string name_;
  std::unique_ptr<http::request<http::string_body>> request_;
  flat_buffer buffer_;
  std::deque<shared_text> queue_;
  std::vector<room*> rooms_;
  bool echoes_ = false;
};

void accept_next(tcp::acceptor& acceptor, hub& shared) {
  acceptor.async_accept([&](error_code code, tcp::socket socket) {
    if (!code) {
      error_code ignored;
      socket.set_option(tcp::no_delay{true}, ignored);
      if (shared.tls)
        std::make_shared<session<ssl_stream<tcp_stream>>>(shared,
                                                          std::move(socket),
                                                          *shared.tls)
          ->run();
      else
        std::make_shared<session<tcp_stream>>(shared, std::move(socket))->run();
    }
    accept_next(acceptor, shared);
  });
}

} // namespace

int main(int argc, char** argv) {
  uint16_t port = 0;
  hub shared;
  shared.echo_path = "/echo";
  for (int i = 1; i < argc; ++i) {
    std::string_view word{argv[i]};
    if (word == "--port" && i + 1 < argc) {
      port = static_cast<uint16_t>(atoi(argv[++i]));
    } else if (word == "--echo" && i + 1 < argc) {
      shared.echo_path = argv[++i];
    } else if (word == "--tls" && i + 2 < argc) {
      shared.tls.emplace(asio::ssl::context::tls_server);
      shared.tls->use_certificate_chain_file(argv[++i]);
      shared.tls->use_private_key_file(argv[++i], asio::ssl::context::pem);
    } else {
      fprintf(stderr, "usage: beast [--port N] [--echo PATH] "
                      "[--tls CERTIFICATE KEY]\n");
      return 2;
    }
  }
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGTERM, [](int) { _exit(0); });
  signal(SIGINT, [](int) { _exit(0); });
  try {
    asio::io_context context{1};
    tcp::acceptor acceptor{context};
    tcp::endpoint address{asio::ip::address_v4::loopback(), port};
    acceptor.open(address.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address{true});
    acceptor.bind(address);
    acceptor.listen(4096);
    printf("listening on 127.0.0.1:%d\n", acceptor.local_endpoint().port());
    fflush(stdout);
    accept_next(acceptor, shared);
    context.run();
  } catch (const std::exception& what) {
    fprintf(stderr, "beast: %s\n", what.what());
    return 1;
  }
}
