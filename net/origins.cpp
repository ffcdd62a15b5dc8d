#include <callboard/net/origins.hpp>

#include <algorithm>

#include <callboard/net/http_list.hpp>

namespace callboard::net {

namespace {

constexpr std::string_view any_name = "*.";

struct parts {
  std::string_view scheme;
  std::string_view host;
};

// Cuts an origin behind its scheme; empty if it has none.
parts split(std::string_view x) noexcept {
  auto mark = x.find("://");
  if (mark == std::string_view::npos)
    return {};
  return {x.substr(0, mark), x.substr(mark + 3)};
}

// Removes the scheme's own port, which browsers leave out.
std::string_view without_port(std::string_view scheme,
                              std::string_view host) noexcept {
  auto port = equal_ignoring_case(scheme, "https")  ? std::string_view{":443"}
              : equal_ignoring_case(scheme, "http") ? std::string_view{":80"}
                                                    : std::string_view{};
  if (!port.empty() && host.ends_with(port))
    host.remove_suffix(port.size());
  return host;
}

bool matches_rule(std::string_view rule, const parts& origin) noexcept {
  if (rule == "*")
    return true;
  auto [scheme, host] = split(rule);
  if (!equal_ignoring_case(scheme, origin.scheme))
    return false;
  host = without_port(scheme, host);
  auto have = without_port(origin.scheme, origin.host);
  if (!host.starts_with(any_name))
    return equal_ignoring_case(host, have);
  // With the dot, and at least one character in front of it.
  host.remove_prefix(1);
  return have.size() > host.size()
         && equal_ignoring_case(have.substr(have.size() - host.size()), host);
}

} // namespace

std::string_view check_origin_rule(std::string_view x) noexcept {
  if (x == "*")
    return {};
  auto [scheme, host] = split(x);
  if (scheme.empty() || host.empty())
    return "It takes *, or SCHEME://HOST[:PORT] like https://example.com.";
  if (host.find_first_of("/?#@ ") != std::string_view::npos)
    return "An origin ends behind its host and port.";
  if (host.starts_with(any_name))
    host.remove_prefix(any_name.size());
  if (host.empty() || host.find('*') != std::string_view::npos)
    return "A * stands for all, or as the first name of a host, in *.HOST.";
  return {};
}

bool is_origin_allowed(std::string_view origin, std::string_view host,
                       const std::vector<std::string>& allowed) noexcept {
  if (origin.empty())
    return true;
  auto asked = split(origin);
  // Several of them, or more than a host: no browser sends that.
  if (asked.host.find_first_of(",/?#@ \t") != std::string_view::npos)
    return false;
  if (!allowed.empty())
    return std::ranges::any_of(allowed, [&](const std::string& x) {
      return matches_rule(x, asked);
    });
  // What has no scheme is `null`, or nothing that a browser sends.
  return !asked.host.empty()
         && equal_ignoring_case(without_port(asked.scheme, asked.host),
                                without_port(asked.scheme, host));
}

} // namespace callboard::net
