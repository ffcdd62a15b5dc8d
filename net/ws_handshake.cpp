#include <callboard/net/ws_handshake.hpp>

#include <algorithm>
#include <new>
#include <utility>

#include <openssl/evp.h>

#include <callboard/net/http_list.hpp>

namespace callboard::net {

namespace {

// RFC 6455, 1.3.
constexpr std::string_view accept_guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

ws_handshake refuse(unsigned status, std::string_view error,
                    std::string message) {
  ws_handshake result;
  result.status = status;
  result.error = error;
  result.message = std::move(message);
  return result;
}

ws_handshake refuse_upgrade(std::string message) {
  return refuse(400, "bad_upgrade", std::move(message));
}

/// Takes the first offer, i.e. the client's favorite, that is spoken here.
/// @returns false if the list is malformed.
bool choose_subprotocol(std::string_view offers, const ws_endpoint& endpoint,
                        ws_handshake& result) {
  http_list_reader reader{offers};
  auto any = false;
  while (!reader.at_end()) {
    if (reader.take(','))
      continue;
    auto offer = reader.take_token();
    if (offer.empty() || (!reader.at_end() && !reader.take(',')))
      return false;
    any = true;
    auto& ours = endpoint.subprotocols;
    auto i = std::find(ours.begin(), ours.end(), offer);
    if (i != ours.end() && !result.subprotocol_offered) {
      result.subprotocol = *i;
      result.subprotocol_offered = true;
    }
  }
  if (!any && !endpoint.subprotocols.empty())
    result.subprotocol = endpoint.subprotocols.front();
  return true;
}

std::string unknown_subprotocol_message(const ws_endpoint& endpoint) {
  std::string result = "None of the offered subprotocols is spoken here; offer";
  std::string_view separator = " ";
  for (auto name : endpoint.subprotocols) {
    result += separator;
    result += name;
    separator = " or ";
  }
  return result += '.';
}

} // namespace

ws_handshake decide_ws_handshake(const ws_request& request,
                                 const ws_endpoint& endpoint) {
  if (!has_element(request.upgrade, "websocket"))
    return refuse_upgrade("The Upgrade header must name websocket.");
  if (!has_element(request.connection, "upgrade"))
    return refuse_upgrade("The Connection header must name Upgrade.");
  if (request.version != "13")
    return refuse(426, "unsupported_version",
                  "Sec-WebSocket-Version must be 13.");
  if (!is_ws_key(request.key))
    return refuse_upgrade("Sec-WebSocket-Key must be 16 bytes in base64.");
  ws_handshake result;
  if (!choose_subprotocol(request.subprotocols, endpoint, result))
    return refuse_upgrade("Sec-WebSocket-Protocol is not a list of names.");
  if (result.subprotocol.empty() && !endpoint.subprotocols.empty())
    return refuse(400, "unknown_subprotocol",
                  unknown_subprotocol_message(endpoint));
  auto extensions = parse_ws_extensions(request.extensions);
  if (!extensions)
    return refuse_upgrade("Sec-WebSocket-Extensions is malformed.");
  if (endpoint.deflate)
    result.deflate = choose_deflate(*extensions);
  result.accept = ws_accept_key(request.key);
  return result;
}

std::string to_http(const ws_handshake& handshake) {
  std::string result = "HTTP/1.1 101 Switching Protocols\r\n"
                       "Upgrade: websocket\r\n"
                       "Connection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: ";
  result += handshake.accept;
  if (handshake.subprotocol_offered) {
    result += "\r\nSec-WebSocket-Protocol: ";
    result += handshake.subprotocol;
  }
  if (handshake.deflate) {
    result += "\r\nSec-WebSocket-Extensions: ";
    result += to_header(*handshake.deflate);
  }
  return result += "\r\n\r\n";
}

std::string ws_accept_key(std::string_view key) {
  std::string text{key};
  text += accept_guid;
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr)
      != 1)
    throw std::bad_alloc();
  unsigned char base64[4 * (EVP_MAX_MD_SIZE / 3 + 1) + 1];
  auto n = EVP_EncodeBlock(base64, digest, static_cast<int>(size));
  return {reinterpret_cast<char*>(base64), static_cast<size_t>(n)};
}

bool is_ws_key(std::string_view key) noexcept {
  // 22 digits hold the 16 bytes and four bits more.
  return key.size() == 24 && key.ends_with("==")
         && std::all_of(key.begin(), key.begin() + 22, [](char c) {
              return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
                     || (c >= 'a' && c <= 'z') || c == '+' || c == '/';
            });
}

} // namespace callboard::net
