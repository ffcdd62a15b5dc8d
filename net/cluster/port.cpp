#include <callboard/net/cluster/port.hpp>

#include <set>
#include <utility>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/io/middleman.hpp>
#include <caf/openssl/manager.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/sec.hpp>

#include <callboard/net/boost/asio.hpp>
#include <callboard/net/bound_socket.hpp>
#include <callboard/net/listener.hpp>
#include <callboard/net/tls_context.hpp>
#include <callboard/net/url.hpp>

namespace callboard::net {

namespace {

// For CAF to open or close a port.
constexpr auto port_timeout = std::chrono::seconds{10};

caf::error cluster_error(std::string sentence) {
  return caf::make_error(caf::sec::invalid_argument, std::move(sentence));
}

// Checks what CAF reads anew for every connection, and takes exception to.
caf::error check_files(const cluster_settings& x) {
  tls_options files;
  files.certificate_file = x.certificate_file;
  files.key_file = x.key_file;
  files.client_ca_file = x.ca_file;
  files.client_required = true;
  auto made = tls_context::make(files);
  return made ? caf::error{} : std::move(made.error());
}

// Checks that CAF's own settings are ours, because it goes by them.
caf::error check_modules(caf::actor_system& sys, const cluster_settings& x) {
  if (!sys.has_middleman())
    return cluster_error(
      "a cluster needs CAF's middleman: call "
      "caf::io::middleman::init_global_meta_objects() beside "
      "callboard::net::init(), and load<caf::io::middleman>() of the "
      "actor_system_config");
  if (!x.encrypted())
    return {};
  if (!sys.has_openssl_manager())
    return cluster_error("certificates of a cluster need CAF's OpenSSL module: "
                         "load<caf::openssl::manager>() of the "
                         "actor_system_config");
  auto& config = sys.config();
  if (config.openssl_certificate != x.certificate_file
      || config.openssl_key != x.key_file || config.openssl_cafile != x.ca_file)
    return cluster_error("the cluster's certificate, key and CA must be those "
                         "of the actor_system_config, which CAF uses: set its "
                         "openssl_certificate, openssl_key and openssl_cafile");
  return check_files(x);
}

// Returns what a name of this machine stands for; empty: nothing.
std::string first_address(const std::string& host) {
  asio::io_context io;
  tcp::resolver resolver{io};
  error_code failed;
  auto found = resolver.resolve(host, "", failed);
  return failed || found.empty()
           ? std::string{}
           : found.begin()->endpoint().address().to_string();
}

} // namespace

cluster_port::cluster_port(caf::actor_system& sys,
                           caf::io::middleman_actor transport,
                           std::string address, std::string ip, uint16_t port)
  : system_{&sys},
    transport_{std::move(transport)},
    address_{std::move(address)},
    ip_{std::move(ip)},
    port_{port} {
}

caf::expected<cluster_port>
cluster_port::make(caf::actor_system& sys, const cluster_settings& settings) {
  if (auto failed = check_modules(sys, settings))
    return failed;
  auto place = parse_host_and_port(settings.listen);
  if (!place)
    return std::move(place.error());
  auto ip = first_address(place->host);
  if (ip.empty())
    return cluster_error("cannot listen on " + settings.listen
                         + ": nobody knows this name");
  if (auto wrong = check_cluster_reach(settings, ip); !wrong.empty())
    return cluster_error(std::move(wrong));
  // CAF would not say what is wrong with it, and takes the port that is free
  // now: the actor that it publishes has to know which one that is.
  auto descriptor = listener::bind(ip, place->port);
  if (!descriptor)
    return std::move(descriptor.error());
  bound_socket socket{*descriptor};
  auto port = listener::port_of(socket.get());
  return cluster_port{sys,
                      settings.encrypted()
                        ? sys.openssl_manager().actor_handle()
                        : sys.middleman().actor_handle(),
                      url{place->host, port}.authority(), std::move(ip), port};
}

caf::error cluster_port::publish(const caf::actor& x) {
  caf::error result;
  caf::scoped_actor self{*system_};
  self
    ->request(transport_, port_timeout, caf::publish_atom_v, port_,
              caf::actor_cast<caf::strong_actor_ptr>(x),
              std::set<std::string>{}, ip_, true)
    .receive([&](uint16_t) { published_ = x; },
             [&](const caf::error& why) {
               result = caf::make_error(caf::sec::cannot_open_port,
                                        "cannot listen on " + address_ + ": "
                                          + to_string(why));
             });
  return result;
}

void cluster_port::close() {
  if (auto x = std::exchange(published_, nullptr)) {
    caf::scoped_actor self{*system_};
    self
      ->request(transport_, port_timeout, caf::unpublish_atom_v, x.address(),
                port_)
      .receive([] {}, [](const caf::error&) {});
  }
}

} // namespace callboard::net
