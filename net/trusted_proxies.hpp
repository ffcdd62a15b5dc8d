#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <callboard/net/ip_address.hpp>

namespace callboard::net {

/// Checks an entry of `server_options::trusted_proxies`: an IP address, or a
/// network like `10.0.0.0/8`.
/// @returns empty, or a sentence that says what is wrong.
std::string_view check_proxy(std::string_view x);

/// The proxies in front of a node that are believed when they say for whom they
/// ask.
class trusted_proxies {
public:
  /// @param networks as `check_proxy` takes them; others are left out.
  explicit trusted_proxies(const std::vector<std::string>& networks);

  /// Returns whether this address is that of such a proxy.
  [[nodiscard]] bool trusts(std::string_view address) const;

  /// Returns the client's IP address: the peer's, unless that is a proxy of
  /// these. Each proxy appends to the list from whom it got the request, and
  /// what stands in front of that anybody can have written; so it is the last
  /// one that is no such proxy, or the first one if all are. The peer's again
  /// if there is something else than an address on the way to it. An address
  /// may have a port.
  /// @param forwarded_for the request's `X-Forwarded-For`; empty: none.
  [[nodiscard]] std::string client_of(std::string_view peer,
                                      std::string_view forwarded_for) const;

private:
  [[nodiscard]] bool trusts(const ip_address& x) const noexcept;

  std::vector<ip_network> networks_;
};

} // namespace callboard::net
