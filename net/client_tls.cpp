#include <callboard/net/client_tls.hpp>

#include <string>
#include <string_view>
#include <utility>

#include <caf/sec.hpp>

namespace callboard::net {

namespace {

class failed_transport : public client_transport,
                         public std::enable_shared_from_this<failed_transport> {
public:
  failed_transport(asio::any_io_executor executor, caf::error why,
                   listener& listener)
    : executor_{std::move(executor)},
      why_{std::move(why)},
      listener_{&listener} {
  }

  void open() override {
    asio::post(executor_, [self = shared_from_this()] {
      if (auto* listener = std::exchange(self->listener_, nullptr))
        listener->on_closed({1006, self->why_, reconnect_advice::never});
    });
  }

  void set_limits(size_t, caf::timespan) override {
    // Nothing is connected.
  }

  bool send(const frame_view&) override {
    return true;
  }

  void close(uint16_t) override {
    // `open` tells the end.
  }

  void drop() override {
    listener_ = nullptr;
  }

private:
  asio::any_io_executor executor_;
  caf::error why_;
  listener* listener_;
};

} // namespace

caf::error set_up_client_tls(ssl::context& tls, const client_options& options) {
  error_code failed;
  auto wrong = [&](std::string_view what, const std::string& file) {
    return caf::make_error(caf::sec::invalid_argument,
                           "cannot use the " + std::string{what} + " in '"
                             + file + "': " + failed.message());
  };
  SSL_CTX_set_min_proto_version(tls.native_handle(), TLS1_2_VERSION);
  tls.set_verify_mode(ssl::verify_peer, failed);
  if (options.ca_file.empty())
    tls.set_default_verify_paths(failed);
  else
    tls.load_verify_file(options.ca_file, failed);
  if (failed)
    return wrong("certificates", options.ca_file);
  if (options.certificate_file.empty())
    return {};
  tls.use_certificate_chain_file(options.certificate_file, failed);
  if (failed)
    return wrong("certificate", options.certificate_file);
  tls.use_private_key_file(options.key_file, ssl::context::pem, failed);
  if (failed)
    return wrong("key", options.key_file);
  return {};
}

std::shared_ptr<client_transport>
make_failed_transport(const asio::any_io_executor& executor, caf::error why,
                      client_transport::listener& listener) {
  return std::make_shared<failed_transport>(executor, std::move(why), listener);
}

} // namespace callboard::net
