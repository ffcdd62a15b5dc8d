#include <callboard/net/listener.hpp>

#include <cerrno>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <caf/sec.hpp>

#include <callboard/net/log.hpp>

namespace callboard::net {

namespace {

// Connections that one turn accepts.
constexpr int accepted_max = 64;

} // namespace

caf::expected<int> listener::bind(const std::string& address, uint16_t port) {
  auto fail = [&](const std::string& why) {
    return caf::make_error(caf::sec::cannot_open_port,
                           "cannot listen on " + address + " port "
                             + std::to_string(port) + ": " + why);
  };
  error_code failed;
  auto ip = asio::ip::make_address(address, failed);
  if (failed)
    return fail("this is no IP address");
  tcp::endpoint where{ip, port};
  auto descriptor = ::socket(where.protocol().family(),
                             SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return fail(boost::system::system_category().message(errno));
  auto on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  if (::bind(descriptor, where.data(), static_cast<socklen_t>(where.size()))
        != 0
      || ::listen(descriptor, backlog) != 0) {
    auto number = errno;
    ::close(descriptor);
    return fail(number == EADDRINUSE
                  ? "another program uses this port"
                  : boost::system::system_category().message(number));
  }
  return descriptor;
}

uint16_t listener::port_of(int descriptor) {
  tcp::endpoint where;
  auto size = static_cast<socklen_t>(where.capacity());
  ::getsockname(descriptor, where.data(), &size);
  return where.port();
}

listener::listener(io_loop& loop, int descriptor,
                   std::function<void(int)> accepted)
  : loop_{loop},
    descriptor_{descriptor},
    accepted_{std::move(accepted)},
    pause_{loop.io()} {
}

listener::~listener() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

void listener::start() {
  loop_.watch(descriptor_, EPOLLIN, *this);
}

void listener::stop() {
  if (descriptor_ < 0)
    return;
  pause_.cancel();
  loop_.unwatch(descriptor_, *this);
  ::close(std::exchange(descriptor_, -1));
}

void listener::on_ready(uint32_t) {
  slice_.begin();
  for (auto i = 0; i < accepted_max && !(i > 0 && slice_.over()); ++i) {
    auto socket = ::accept4(descriptor_, nullptr, nullptr,
                            SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (socket < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM
          || errno == ENOBUFS)
        pause();
      return;
    }
    auto on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    accepted_(socket);
  }
}

void listener::pause() {
  // Trying again at once would only burn the processor.
  logger("net")->warn("accept_paused reason=\"no descriptors or memory\" "
                      "pause_ms=100");
  loop_.rewatch(descriptor_, 0, *this);
  pause_.expires_after(std::chrono::milliseconds{100});
  pause_.async_wait([this](error_code cancelled) {
    if (!cancelled && descriptor_ >= 0)
      loop_.rewatch(descriptor_, EPOLLIN, *this);
  });
}

} // namespace callboard::net
