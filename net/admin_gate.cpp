#include <callboard/net/admin_gate.hpp>

#include <algorithm>
#include <fstream>

#include <openssl/crypto.h>

#include <caf/sec.hpp>

#include <callboard/net/admin_options.hpp>
#include <callboard/net/http_list.hpp>
#include <callboard/net/url.hpp>

namespace callboard::net {

namespace {

constexpr size_t key_bytes_min = 16;
constexpr size_t key_bytes_max = 4096;

constexpr bool is_visible(char x) noexcept {
  return x > ' ' && x < '\x7f';
}

// Returns what is shown as `Bearer KEY`.
std::string_view bearer_of(std::string_view x) noexcept {
  constexpr std::string_view scheme = "Bearer ";
  if (!equal_ignoring_case(x.substr(0, scheme.size()), scheme))
    return {};
  x.remove_prefix(scheme.size());
  x.remove_prefix(std::min(x.find_first_not_of(' '), x.size()));
  return x;
}

// Returns whether a Host header names this machine, and cannot mean another.
bool is_local(std::string_view host) {
  auto place = parse_host_and_port(host, 80);
  return place
         && (equal_ignoring_case(place->host, "localhost")
             || is_loopback(place->host));
}

} // namespace

caf::expected<std::string> read_admin_key(const std::string& path) {
  auto fail = [&path](const char* why) {
    return caf::make_error(caf::sec::invalid_argument,
                           "the admin key file " + path + ' ' + why);
  };
  std::ifstream in{path, std::ios::binary};
  if (!in)
    return fail("cannot be read");
  // One more than may be, and a line's end.
  std::string result(key_bytes_max + 3, '\0');
  in.read(result.data(), static_cast<std::streamsize>(result.size()));
  if (in.bad())
    return fail("cannot be read");
  result.resize(static_cast<size_t>(in.gcount()));
  if (result.ends_with('\n'))
    result.pop_back();
  if (result.ends_with('\r'))
    result.pop_back();
  if (result.size() < key_bytes_min || result.size() > key_bytes_max
      || !std::ranges::all_of(result, is_visible))
    return fail("must hold one key of 16 to 4096 visible characters");
  return result;
}

std::optional<http_refusal> admin_gate::check(const http_request& x,
                                              bool secret) const {
  if (!key_.empty()) {
    if (is_key(bearer_of(x.authorization)))
      return {};
    if (secret)
      return http_refusal{401, "unauthenticated",
                          "This needs the key of the admin listener."};
    if (!on_loopback_)
      return {};
  }
  if (!x.origin.empty())
    return http_refusal{403, "forbidden_origin",
                        "Pages may not ask the admin listener."};
  if (!is_local(x.host))
    return http_refusal{403, "forbidden_host",
                        "The Host must be localhost or a loopback address."};
  return {};
}

bool admin_gate::is_key(std::string_view x) const noexcept {
  return x.size() == key_.size()
         && CRYPTO_memcmp(x.data(), key_.data(), x.size()) == 0;
}

} // namespace callboard::net
