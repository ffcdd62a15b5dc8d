#include <callboard/net/server.hpp>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <callboard/net/client_init.hpp>
#include <callboard/net/descriptors.hpp>
#include <callboard/net/server_impl_parts.hpp>

namespace callboard::net {

void init() {
  init_client();
}

server::server(std::unique_ptr<impl> x) : impl_{std::move(x)} {
}

server::~server() {
  stop();
}

caf::expected<std::unique_ptr<server>> server::start(caf::actor_system& sys,
                                                     server_options options) {
  if (auto wrong = check(options); !wrong.empty())
    return caf::make_error(caf::sec::invalid_argument, std::move(wrong));
  auto loops = options.loops != 0
                 ? options.loops
                 : std::max<size_t>(std::thread::hardware_concurrency(), 1);
  auto tls = std::make_unique<tls_source>(options.tls);
  if (auto failed = tls->load())
    return failed;
  auto descriptor = listener::bind(options.address, options.port);
  if (!descriptor)
    return descriptor.error();
  bound_socket socket{*descriptor};
  auto entrance = admin_entrance::open(options.admin);
  if (!entrance)
    return std::move(entrance.error());
  std::unique_ptr<cluster_node> cluster;
  if (options.cluster.enabled()) {
    auto node = cluster_node::make(sys, options.cluster);
    if (!node)
      return std::move(node.error());
    cluster = std::move(*node);
  }
  if (options.on_bound)
    if (auto failed = options.on_bound())
      return failed;
  reserve_descriptors(impl::descriptors_of(options, loops));
  auto made = std::make_unique<impl>(sys, std::move(options), std::move(tls),
                                     static_cast<uint32_t>(loops));
  made->cluster = std::move(cluster);
  caf::error failed;
  try {
    failed = made->start(socket, std::move(*entrance));
  } catch (const boost::system::system_error& e) {
    return caf::make_error(caf::sec::runtime_error, std::string{e.what()});
  }
  std::unique_ptr<server> result{new server{std::move(made)}};
  if (failed)
    return failed;
  return result;
}

const server_handle& server::handle() const noexcept {
  return impl_->head;
}

uint16_t server::port() const noexcept {
  return impl_->port;
}

std::string server::url() const {
  auto& address = impl_->shared.options.address;
  auto v6 = address.find(':') != std::string::npos;
  auto scheme = impl_->shared.options.tls.enabled() ? "https://" : "http://";
  return scheme + (v6 ? '[' + address + ']' : address) + ':'
         + std::to_string(impl_->port) + '/';
}

std::string server::admin_url() const {
  return impl_->admin ? impl_->admin->url() : std::string{};
}

std::string server::cluster_address() const {
  return impl_->cluster ? impl_->cluster->address() : std::string{};
}

caf::actor server::cluster() const {
  return impl_->cluster ? impl_->cluster->gate() : caf::actor{};
}

caf::error server::join(std::vector<std::string> addresses) {
  if (impl_->cluster)
    return impl_->cluster->join(std::move(addresses));
  return caf::make_error(caf::sec::invalid_argument,
                         "this node is in no cluster");
}

caf::error server::reload(reload_options x) {
  auto failed = impl_->reload(std::move(x));
  count_reload(impl_->shared.system, !failed);
  return failed;
}

void server::drain() {
  impl_->drain();
}

void server::stop() {
  impl_->stop();
}

} // namespace callboard::net
