#pragma once

#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <utility>

#include <sys/socket.h>
#include <unistd.h>

#include <callboard/net/http_session.hpp>

#include "support/fake_http_front.hpp"
#include "support/test.hpp"

// HTTP sessions on one end of a pair of sockets, a client at the other.

namespace callboard::net {

/// The client's end of a pair of connected sockets.
class peer {
public:
  explicit peer(int fd) noexcept : fd_{fd} {
  }

  peer(peer&& other) noexcept : fd_{std::exchange(other.fd_, -1)} {
  }

  ~peer() {
    close();
  }

  void send(std::string_view bytes) {
    CHECK_EQ(::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL),
             static_cast<ssize_t>(bytes.size()));
  }

  void shut_down() {
    ::shutdown(fd_, SHUT_WR);
  }

  void close() {
    if (fd_ != -1)
      ::close(std::exchange(fd_, -1));
  }

  /// Returns what has come since the last time, and "<end>" behind it if
  /// nothing more will.
  std::string take() {
    std::string result;
    std::array<char, 4096> buffer;
    for (;;) {
      auto n = ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (n < 0)
        return result + (errno == EAGAIN ? "" : "<reset>");
      if (n == 0)
        return result + "<end>";
      result.append(buffer.data(), static_cast<size_t>(n));
    }
  }

private:
  int fd_;
};

/// Serves sessions, three at a time.
struct http_session_fixture : fake_http_front {
  ~http_session_fixture() override {
    for (auto& x : opened)
      ::close(x.socket);
  }

  /// Begins a session.
  peer connect() {
    int fds[2];
    CAF_REQUIRE_EQUAL(
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    tcp::socket socket{loop};
    socket.assign(tcp::v4(), fds[0]);
    serve_http(std::move(socket), *this, sessions);
    run();
    return peer{fds[1]};
  }

  /// Does what can be done without waiting.
  void run() {
    loop.restart();
    loop.poll();
  }

  /// Returns what comes back for these bytes.
  std::string talk(peer& client, std::string_view bytes) {
    client.send(bytes);
    run();
    return client.take();
  }

  asio::io_context loop{1};
  http_sessions sessions{3};
};

inline constexpr std::string_view get_ws
  = "GET /ws HTTP/1.1\r\nHost: a\r\n"
    "Connection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

inline constexpr std::string_view switching
  = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

inline std::string status_of(std::string_view bytes) {
  return std::string{bytes.substr(0, bytes.find('\r'))};
}

} // namespace callboard::net
