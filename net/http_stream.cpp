#include <callboard/net/http_stream.hpp>

#include <array>

#include <sys/socket.h>
#include <unistd.h>

namespace callboard::net {

namespace {

std::string_view receive_encrypted(tls_stream& tls, std::span<char> buffer,
                                   error_code& ec) {
  auto [n, then] = tls.read(buffer);
  if (n == 0 && then == tls_stream::status::ended)
    ec = asio::error::eof;
  else if (then == tls_stream::status::failed)
    ec = asio::error::connection_reset;
  return {buffer.data(), n};
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

std::string_view receive_some(tcp::socket& socket, tls_stream* tls,
                              std::span<char> buffer, error_code& ec) {
  if (tls != nullptr)
    return receive_encrypted(*tls, buffer, ec);
  auto n = socket.read_some(asio::buffer(buffer.data(), buffer.size()), ec);
  if (ec == asio::error::would_block || ec == asio::error::interrupted)
    ec.clear();
  return {buffer.data(), n};
}

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

} // namespace callboard::net
