#pragma once

#include <string>
#include <string_view>
#include <variant>

#include <callboard/net/http_router.hpp>

#include "support/fake_http_front.hpp"

/// A client of an `http_front` on no connection at all.
struct http_client_fixture : fake_http_front {
  http_client_fixture() {
    what.echo_path = "/echo";
  }

  callboard::net::http_reply ask(std::string_view line,
                                 std::string_view fields = {}) {
    callboard::net::http_reader reader;
    reader.append(std::string{line} + " HTTP/1.1\r\nHost: a\r\n"
                  + std::string{fields} + "\r\n");
    return answer(std::get<callboard::net::http_request>(reader.take()), *this,
                  {"192.0.2.7"});
  }

  /// Returns all bytes of the answer.
  std::string bytes(std::string_view line, std::string_view fields = {}) {
    auto reply = ask(line, fields);
    return reply.head + std::string{reply.body()};
  }

  callboard::net::http_reply upgrade(std::string_view target,
                                     std::string_view fields = {}) {
    return ask("GET " + std::string{target},
               "Connection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                 + std::string{fields});
  }
};

/// Returns a refusal's status and name.
inline std::string status_and_name(const callboard::net::http_reply& reply) {
  constexpr std::string_view mark = "{\"error\": \"";
  auto body = reply.body();
  std::string_view name = "no refusal";
  if (body.starts_with(mark)) {
    body.remove_prefix(mark.size());
    name = body.substr(0, body.find('"'));
  }
  return std::to_string(reply.status) + ' ' + std::string{name};
}

/// Returns whether its head has this header line.
inline bool has_line(const callboard::net::http_reply& reply,
                     std::string_view line) {
  return reply.head.find("\r\n" + std::string{line} + "\r\n")
         != std::string::npos;
}

/// Returns all bytes of a refusal.
inline std::string refused(std::string_view status, std::string_view fields,
                           std::string_view body) {
  return "HTTP/1.1 " + std::string{status}
         + "\r\nContent-Type: application/json\r\nContent-Length: "
         + std::to_string(body.size()) + "\r\nCache-Control: no-store\r\n"
         + std::string{fields} + "X-Content-Type-Options: nosniff\r\n"
         + (status.starts_with("426") ? "Connection: Upgrade, close"
                                      : "Connection: close")
         + "\r\n\r\n" + std::string{body};
}
