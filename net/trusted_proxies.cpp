#include <callboard/net/trusted_proxies.hpp>

#include <algorithm>
#include <optional>
#include <utility>

namespace callboard::net {

namespace {

std::string_view without_blanks(std::string_view x) noexcept {
  constexpr std::string_view blanks = " \t";
  x.remove_prefix(std::min(x.find_first_not_of(blanks), x.size()));
  return x.substr(0, x.find_last_not_of(blanks) + 1);
}

// Takes the last element off a list.
std::string_view take_last(std::string_view& list) noexcept {
  auto comma = list.rfind(',');
  if (comma == std::string_view::npos)
    return without_blanks(std::exchange(list, {}));
  auto result = list.substr(comma + 1);
  list = list.substr(0, comma);
  return without_blanks(result);
}

// Removes the port that some proxies write: `192.0.2.1:80`, `[2001:db8::1]:80`.
std::string_view without_port(std::string_view x) noexcept {
  if (x.starts_with('[')) {
    auto end = x.find(']');
    return end == std::string_view::npos ? x : x.substr(1, end - 1);
  }
  auto colon = x.find(':');
  return colon == x.rfind(':') ? x.substr(0, colon) : x;
}

} // namespace

std::string_view check_proxy(std::string_view x) {
  if (!ip_network::parse(x))
    return "It takes an IP address, or a network like 10.0.0.0/8.";
  return {};
}

trusted_proxies::trusted_proxies(const std::vector<std::string>& networks) {
  for (auto& x : networks)
    if (auto network = ip_network::parse(x))
      networks_.push_back(*network);
}

bool trusted_proxies::trusts(std::string_view address) const {
  if (networks_.empty())
    return false;
  auto x = ip_address::parse(address);
  return x && trusts(*x);
}

bool trusted_proxies::trusts(const ip_address& x) const noexcept {
  return std::ranges::any_of(networks_, [&x](const ip_network& network) {
    return network.contains(x);
  });
}

std::string trusted_proxies::client_of(std::string_view peer,
                                       std::string_view forwarded_for) const {
  std::string own{peer};
  if (forwarded_for.empty() || !trusts(peer))
    return own;
  std::optional<ip_address> client;
  do {
    client = ip_address::parse(without_port(take_last(forwarded_for)));
    if (!client)
      return own;
  } while (!forwarded_for.empty() && trusts(*client));
  return client->to_string();
}

} // namespace callboard::net
