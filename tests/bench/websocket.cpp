#include "websocket.hpp"

#include <cstring>

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <strings.h>

namespace baseline {

namespace {

constexpr size_t request_bytes_max = 16 << 10;

std::string_view header(std::string_view request, std::string_view name) {
  for (size_t at = 0; (at = request.find("\r\n", at)) < request.size();) {
    at += 2;
    auto line = request.substr(at, request.find("\r\n", at) - at);
    if (line.size() <= name.size() || line[name.size()] != ':'
        || strncasecmp(line.data(), name.data(), name.size()) != 0)
      continue;
    line.remove_prefix(name.size() + 1);
    while (!line.empty() && line.front() == ' ')
      line.remove_prefix(1);
    return line;
  }
  return {};
}

std::string accept_for(std::string_view key) {
  auto text = std::string{key} + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  unsigned char digest[SHA_DIGEST_LENGTH];
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       digest);
  unsigned char result[32];
  auto size = EVP_EncodeBlock(result, digest, sizeof(digest));
  return {reinterpret_cast<char*>(result), static_cast<size_t>(size)};
}

} // namespace

upgrade answer_upgrade(std::string_view input) {
  auto end = input.find("\r\n\r\n");
  upgrade result;
  if (end == std::string_view::npos && input.size() < request_bytes_max)
    return result;
  auto request = input.substr(0, end + 2);
  auto key = header(request, "Sec-WebSocket-Key");
  if (end == std::string_view::npos || request.substr(0, 4) != "GET "
      || key.empty()) {
    result.answer = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n"
                    "Connection: close\r\n\r\n";
    return result;
  }
  result.used = end + 4;
  result.path = request.substr(4, request.find(' ', 4) - 4);
  result.answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                  "Connection: Upgrade\r\nSec-WebSocket-Accept: "
                  + accept_for(key);
  if (header(request, "Sec-WebSocket-Protocol") == "callboard.v1.msgpack")
    result.answer += "\r\nSec-WebSocket-Protocol: callboard.v1.msgpack";
  result.answer += "\r\n\r\n";
  return result;
}

arrival next_message(uint8_t* first, size_t have, size_t size_max,
                     client_message& result) {
  if (have < 2)
    return arrival::part;
  if ((first[0] & 0xf0) != 0x80 || (first[1] & 0x80) == 0)
    return arrival::wrong;
  auto small = first[1] & 0x7fu;
  size_t at = small == 127 ? 10 : small == 126 ? 4 : 2;
  if (have < at + 4)
    return arrival::part;
  uint64_t size = small;
  if (small >= 126) {
    size = 0;
    for (size_t i = 2; i < at; ++i)
      size = size << 8 | first[i];
  }
  if (size > size_max)
    return arrival::wrong;
  result.opcode = first[0] & 0x0f;
  std::memcpy(result.key, first + at, 4);
  result.body = first + at + 4;
  result.size = size;
  result.whole = at + 4 + size;
  return have < result.whole ? arrival::part : arrival::whole;
}

void unmask(const client_message& message, uint8_t* to) {
  uint64_t key;
  std::memcpy(&key, message.key, 4);
  std::memcpy(reinterpret_cast<char*>(&key) + 4, message.key, 4);
  size_t i = 0;
  for (; i + 8 <= message.size; i += 8) {
    uint64_t block;
    std::memcpy(&block, message.body + i, 8);
    block ^= key;
    std::memcpy(to + i, &block, 8);
  }
  for (; i < message.size; ++i)
    to[i] = message.body[i] ^ message.key[i & 3];
}

void append_header(std::string& out, uint8_t opcode, size_t size) {
  out += static_cast<char>(0x80 | opcode);
  if (size < 126) {
    out += static_cast<char>(size);
    return;
  }
  auto wide = size > 0xffff;
  out += static_cast<char>(wide ? 127 : 126);
  for (int shift = wide ? 56 : 8; shift >= 0; shift -= 8)
    out += static_cast<char>(uint64_t{size} >> shift & 0xff);
}

} // namespace baseline
