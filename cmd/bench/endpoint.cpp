#include "endpoint.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <netdb.h>

namespace callboard::cmd::bench {

namespace {

bool is_port(std::string_view text) {
  auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 5
      || !std::all_of(text.begin(), text.end(), digit))
    return false;
  auto number = std::atoi(std::string{text}.c_str());
  return number >= 1 && number <= 65535;
}

bool is_request_target(std::string_view text) {
  auto visible = [](char c) { return c > ' ' && c < 0x7f && c != '#'; };
  return text.size() <= 4096 && std::all_of(text.begin(), text.end(), visible);
}

} // namespace

std::string endpoint::host_and_port() const {
  auto name = host.find(':') == std::string::npos ? host : '[' + host + ']';
  return name + ':' + port;
}

std::string parse_url(const std::string& url, endpoint& result) {
  std::string_view rest{url};
  result.encrypted = rest.starts_with("wss://");
  if (!result.encrypted && !rest.starts_with("ws://"))
    return "'" + url + "' is not a ws:// or wss:// address";
  rest.remove_prefix(result.encrypted ? 6 : 5);
  auto slash = std::min(rest.find('/'), rest.size());
  auto authority = rest.substr(0, slash);
  result.path = slash == rest.size() ? "/ws" : std::string{rest.substr(slash)};
  if (!is_request_target(result.path))
    return "the path of '" + url + "' has characters that a URL cannot have";
  auto port = std::string_view{result.encrypted ? "443" : "80"};
  if (!authority.empty() && authority[0] == '[') {
    auto end = authority.find(']');
    if (end == std::string_view::npos)
      return "'" + url + "' lacks the bracket after its address";
    result.host = std::string{authority.substr(1, end - 1)};
    authority.remove_prefix(end + 1);
  } else {
    auto colon = std::min(authority.find(':'), authority.size());
    result.host = std::string{authority.substr(0, colon)};
    authority.remove_prefix(colon);
  }
  if (!authority.empty())
    port = authority.substr(1);
  if (result.host.empty() || !is_request_target(result.host))
    return "'" + url + "' names no host";
  if (!is_port(port))
    return "the port of '" + url + "' is not a number from 1 to 65535";
  result.port = std::string{port};
  return {};
}

std::string resolve(endpoint& target) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  auto code = getaddrinfo(target.host.c_str(), target.port.c_str(), &hints,
                          &found);
  if (code != 0)
    return "cannot look up " + target.host + ": " + gai_strerror(code);
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  target.address_size = found->ai_addrlen;
  freeaddrinfo(found);
  return {};
}

} // namespace callboard::cmd::bench
