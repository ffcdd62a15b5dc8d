#include <callboard/net/http_stream.hpp>

#include <algorithm>
#include <array>

#include <sys/socket.h>
#include <unistd.h>

namespace callboard::net {

namespace {

// Sends some of two pieces that follow each other.
// @returns how many bytes were taken.
size_t send_some(tcp::socket& socket, tls_stream* tls, std::string_view head,
                 std::string_view body, error_code& ec) {
  if (tls == nullptr) {
    std::array<asio::const_buffer, 2> pieces{asio::buffer(head),
                                             asio::buffer(body)};
    return socket.write_some(pieces, ec);
  }
  std::array<std::string_view, 2> pieces{head, body};
  auto [n, then] = tls->write(pieces);
  if (then == tls_stream::status::failed)
    ec = asio::error::connection_reset;
  else if (n == 0)
    ec = asio::error::would_block;
  return n;
}

} // namespace

std::optional<tcp::socket> adopt_socket(asio::io_context& io, int descriptor) {
  sockaddr_storage name{};
  socklen_t size = sizeof(name);
  auto v6 = ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size)
              == 0
            && name.ss_family == AF_INET6;
  tcp::socket result{io};
  error_code failed;
  result.assign(v6 ? tcp::v6() : tcp::v4(), descriptor, failed);
  if (!failed)
    return result;
  ::close(descriptor);
  return std::nullopt;
}

std::string address_of(const tcp::endpoint& peer) {
  auto result = peer.address();
  if (result.is_v6() && result.to_v6().is_v4_mapped())
    result = asio::ip::make_address_v4(asio::ip::v4_mapped, result.to_v6());
  return result.to_string();
}

size_t receive_some(tcp::socket& socket, tls_stream* tls,
                    std::span<char> buffer, error_code& ec) {
  if (tls == nullptr) {
    auto n = socket.read_some(asio::buffer(buffer.data(), buffer.size()), ec);
    if (may_go_on(ec))
      ec.clear();
    return n;
  }
  auto [n, then] = tls->read(buffer);
  if (n == 0 && then == tls_stream::status::ended)
    ec = asio::error::eof;
  else if (then == tls_stream::status::failed)
    ec = asio::error::connection_reset;
  return n;
}

void send_rest(tcp::socket& socket, tls_stream* tls, std::string_view head,
               std::string_view body, size_t& sent, error_code& ec) {
  ec.clear();
  while (!ec && sent < head.size() + body.size()) {
    auto skipped = std::min(sent, head.size());
    sent += send_some(socket, tls, head.substr(skipped),
                      body.substr(sent - skipped), ec);
  }
}

bool may_go_on(const error_code& ec) noexcept {
  return ec == asio::error::would_block || ec == asio::error::interrupted;
}

bool has_ended(tcp::socket& socket, bool& readable) {
  char next = 0;
  error_code ec;
  auto n = socket.receive(asio::buffer(&next, 1), tcp::socket::message_peek,
                          ec);
  readable = n > 0;
  return ec && !may_go_on(ec);
}

} // namespace callboard::net
