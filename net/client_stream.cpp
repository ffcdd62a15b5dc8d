#include <callboard/net/client_stream.hpp>

#include <callboard/net/boost/websocket.hpp>

namespace callboard::net {

client_stream::client_stream(const executor_type& executor, ssl::context* tls)
  : socket_{executor} {
  if (tls != nullptr)
    tls_.emplace(socket_, *tls);
}

void client_stream::encrypt(const std::string& host, done_handler done) {
  error_code is_name;
  asio::ip::make_address(host, is_name);
  if (is_name)
    SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());
  tls_->set_verify_callback(ssl::host_name_verification{host});
  tls_->async_handshake(ssl::stream_base::client, std::move(done));
}

void client_stream::read(const few_buffers<asio::mutable_buffer>& xs,
                         io_handler done) {
  if (tls_)
    tls_->async_read_some(xs, std::move(done));
  else
    socket_.async_read_some(xs, std::move(done));
}

void client_stream::write(const few_buffers<asio::const_buffer>& xs,
                          io_handler done) {
  if (tls_)
    tls_->async_write_some(xs, std::move(done));
  else
    socket_.async_write_some(xs, std::move(done));
}

void client_stream::tear_down(beast::role_type role, done_handler done) {
  if (tls_)
    tls_->async_shutdown(std::move(done));
  else
    websocket::async_teardown(role, socket_, std::move(done));
}

void beast_close_socket(client_stream& x) {
  error_code ignored;
  x.socket().close(ignored);
}

} // namespace callboard::net
