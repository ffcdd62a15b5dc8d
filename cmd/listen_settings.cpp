#include "listen_settings.hpp"

#include <cstdint>
#include <string_view>

#include <arpa/inet.h>

#include <callboard/net/client_error.hpp>
#include <callboard/net/url.hpp>

namespace callboard::cmd {

namespace {

bool is_ip_address(const std::string& x) {
  in6_addr scratch;
  return inet_pton(AF_INET, x.c_str(), &scratch) == 1
         || inet_pton(AF_INET6, x.c_str(), &scratch) == 1;
}

// Reads `HOST:PORT` of this machine.
// @returns empty, or what is wrong.
std::string parse_place(std::string_view text, std::string& address,
                        uint16_t& port) {
  auto place = net::parse_host_and_port(text);
  if (!place)
    return net::details(place.error()).sentence;
  if (place->host == "localhost")
    place->host = "127.0.0.1";
  if (!is_ip_address(place->host))
    return '\'' + place->host + "' is not an IP address of this machine";
  address = place->host;
  port = place->port;
  return {};
}

std::string show_admin(const net::admin_options& x) {
  return x.enabled ? net::url{x.address, x.port}.authority() : "none";
}

setting admin_setting(net::admin_options& x) {
  auto set = [&x](std::string_view text) -> std::string {
    if (text == "none") {
      x.enabled = false;
      return {};
    }
    auto wrong = parse_place(text, x.address, x.port);
    // Who names a place means it.
    if (wrong.empty()) {
      x.enabled = true;
      x.optional = false;
    }
    return wrong;
  };
  return {"admin",
          "HOST:PORT",
          "IP address and port for operators: /api and /metrics, and what "
          "`callboard top`\nshows; none: nobody listens. Beyond loopback it "
          "takes admin-key-file",
          "port 0 to 65535, or none",
          show_admin(x),
          set,
          [&x] { return show_admin(x); }};
}

} // namespace

setting listen_setting(net::server_options& x) {
  auto set = [&x](std::string_view text) {
    return parse_place(text, x.address, x.port);
  };
  return {"listen",
          "HOST:PORT",
          "IP address and port to listen on; [::1]:8080 for IPv6",
          "port 0 to 65535, where 0 lets the system choose",
          net::url{x.address, x.port}.authority(),
          set,
          [&x] {
            return net::url{x.address, x.port}.authority();
          }};
}

std::vector<setting> admin_settings(net::admin_options& x) {
  return {
    admin_setting(x),
    text_setting("admin-key-file", "FILE",
                 "Ask operators for the key in this file, 16 to 4096 "
                 "characters; read again at SIGHUP",
                 x.key_file),
  };
}

std::string check_admin(const net::admin_options& x) {
  if (net::check(x).empty())
    return {};
  return "admin (" + show_admin(x)
         + ") is not on loopback: it needs admin-key-file, or 127.0.0.1 in "
           "place of the address";
}

} // namespace callboard::cmd
