#include <callboard/net/url.hpp>

#include <algorithm>
#include <charconv>

#include <caf/error.hpp>
#include <caf/sec.hpp>

namespace callboard::net {

namespace {

caf::error invalid(std::string sentence) {
  return caf::make_error(caf::sec::invalid_argument, std::move(sentence));
}

std::string in_quotes(std::string_view text) {
  return '\'' + std::string{text} + '\'';
}

bool is_host_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
         || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

bool is_ipv6_char(char c) {
  return (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')
         || (c >= '0' && c <= '9') || c == ':' || c == '.' || c == '%';
}

// Only what may stand in a request line as it is.
bool is_target_char(char c) {
  return c > ' ' && c < 0x7f;
}

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z')
      c += 'a' - 'A';
  return result;
}

} // namespace

std::string url::authority() const {
  auto is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? '[' + host + ']' : host) + ':' + std::to_string(port);
}

caf::expected<url> parse_url(std::string_view text) {
  auto scheme_end = text.find("://");
  if (scheme_end == std::string_view::npos)
    return invalid(in_quotes(text)
                   + " is not a URL: it needs a scheme, like "
                     "http://127.0.0.1:8080/");
  auto scheme = lower(text.substr(0, scheme_end));
  auto encrypted = scheme == "https" || scheme == "wss";
  if (!encrypted && scheme != "http" && scheme != "ws")
    return invalid(in_quotes(text) + " has the scheme " + in_quotes(scheme)
                   + "; use http, https, ws or wss");
  auto rest = text.substr(scheme_end + 3);
  auto host_end = std::min(rest.find_first_of("/?#"), rest.size());
  auto host_text = rest.substr(0, host_end);
  auto target = rest.substr(host_end);
  if (host_text.find('@') != std::string_view::npos)
    return invalid("a URL with a user in it is not supported; show a token "
                   "instead");
  auto place = parse_host_and_port(host_text, encrypted ? 443 : 80);
  if (!place)
    return std::move(place.error());
  if (place->port == 0)
    return invalid(in_quotes(text) + " has port 0; use 1 to 65535");
  target = target.substr(0, target.find('#'));
  if (!std::all_of(target.begin(), target.end(), is_target_char))
    return invalid(in_quotes(text)
                   + " has a space, a control character or a "
                     "letter outside ASCII in its path; percent-encode it");
  url result{std::move(place->host), place->port, std::string{target},
             encrypted};
  auto query = std::min(target.find('?'), target.size());
  if (query == 0 || target.substr(0, query) == "/")
    result.target = "/ws" + std::string{target.substr(query)};
  return result;
}

caf::expected<host_and_port> parse_host_and_port(std::string_view text,
                                                 int port_default) {
  std::string_view host, port;
  bool has_port = false;
  if (!text.empty() && text.front() == '[') {
    auto end = text.find(']');
    if (end == std::string_view::npos)
      return invalid(in_quotes(text) + " has no ']' behind its IPv6 address");
    host = text.substr(1, end - 1);
    auto behind = text.substr(end + 1);
    if (host.find(':') == std::string_view::npos
        || !std::all_of(host.begin(), host.end(), is_ipv6_char))
      return invalid(in_quotes(host) + " is not an IPv6 address");
    if (!behind.empty() && behind.front() != ':')
      return invalid(in_quotes(text)
                     + " has something else than ':PORT' behind "
                       "']'");
    has_port = !behind.empty();
    port = behind.substr(has_port ? 1 : 0);
  } else {
    auto colon = text.find(':');
    has_port = colon != std::string_view::npos;
    host = text.substr(0, colon);
    if (has_port)
      port = text.substr(colon + 1);
    if (port.find(':') != std::string_view::npos)
      return invalid(in_quotes(text)
                     + " looks like an IPv6 address; put it in "
                       "brackets, like [::1]:8080");
    if (host.empty())
      return invalid(in_quotes(text) + " has no host");
    if (!std::all_of(host.begin(), host.end(), is_host_name_char))
      return invalid(in_quotes(host) + " is not the name of a host");
  }
  if (!has_port && port_default < 0)
    return invalid(in_quotes(text)
                   + " has no port; write HOST:PORT, like "
                     "127.0.0.1:8080");
  host_and_port result{std::string{host}, uint16_t(std::max(port_default, 0))};
  if (has_port) {
    auto end = port.data() + port.size();
    auto [stop, ec] = std::from_chars(port.data(), end, result.port);
    if (ec != std::errc{} || stop != end)
      return invalid(in_quotes(port) + " is not a port; use 0 to 65535");
  }
  return result;
}

} // namespace callboard::net
