#include "handshake.hpp"

#include <algorithm>

#include <strings.h>

namespace callboard::cmd::bench {

namespace {

// The example of RFC 6455, section 1.3.
constexpr auto key = std::string_view{"dGhlIHNhbXBsZSBub25jZQ=="};
constexpr auto accept = std::string_view{"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t'))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t'))
    text.remove_suffix(1);
  return text;
}

std::string_view header(std::string_view response, std::string_view name) {
  while (!response.empty()) {
    auto end = std::min(response.find("\r\n"), response.size());
    auto line = response.substr(0, end);
    response.remove_prefix(std::min(end + 2, response.size()));
    auto colon = line.find(':');
    if (colon == name.size()
        && strncasecmp(line.data(), name.data(), colon) == 0)
      return trimmed(line.substr(colon + 1));
  }
  return {};
}

} // namespace

std::string upgrade_request(const endpoint& target, std::string_view path,
                            std::string_view subprotocol,
                            std::string_view token) {
  std::string result = "GET ";
  result += path;
  result += " HTTP/1.1\r\nHost: " + target.host_and_port()
            + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ";
  result += key;
  if (!subprotocol.empty()) {
    result += "\r\nSec-WebSocket-Protocol: ";
    result += subprotocol;
  }
  if (!token.empty()) {
    result += "\r\nAuthorization: Bearer ";
    result += token;
  }
  result += "\r\n\r\n";
  return result;
}

std::string check_upgrade(std::string_view response,
                          std::string_view subprotocol) {
  auto status
    = response.substr(0, std::min(response.find("\r\n"), response.size()));
  if (status.substr(0, 12) != "HTTP/1.1 101")
    return "the server refused the WebSocket: " + std::string{status};
  if (header(response, "Sec-WebSocket-Accept") != accept)
    return "the server's Sec-WebSocket-Accept does not answer the key";
  auto chosen = header(response, "Sec-WebSocket-Protocol");
  if (!chosen.empty() && chosen != subprotocol)
    return "the server chose the subprotocol '" + std::string{chosen}
           + "', which was not offered";
  return {};
}

} // namespace callboard::cmd::bench
