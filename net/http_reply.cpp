#include <callboard/net/http_reply.hpp>

#include <utility>

namespace callboard::net {

namespace {

// It takes no longer, as a rule.
constexpr unsigned joining_retry_s = 1;

/// Returns the header lines that a refusal must have by its status.
std::string_view fields_of(unsigned status) noexcept {
  switch (status) {
    case 401: // RFC 6750, 3
      return "WWW-Authenticate: Bearer error=\"invalid_token\"\r\n";
    case 426: // RFC 6455, 4.4, and RFC 7231, 6.5.15
      return "Sec-WebSocket-Version: 13\r\nUpgrade: websocket\r\n";
    default:
      return {};
  }
}

} // namespace

http_refusal make_refusal(errc code, unsigned status) {
  auto& row = info(code);
  return {status, row.name, std::string{row.sentence}};
}

http_refusal make_refusal(const limit_hit& x) {
  http_refusal result;
  switch (x.what) {
    case limit_kind::address_connections:
      result = {429, "limit_exceeded",
                "This address has too many connections."};
      break;
    case limit_kind::address_handshakes:
      result = {429, "rate_limited",
                "This address connects too often; try again later."};
      break;
    default:
      result = make_refusal(errc::overloaded, 503);
  }
  // Rounded up, so that who waits so long does not come too early.
  if (x.wait_ms > 0)
    result.retry_after_s = static_cast<unsigned>((x.wait_ms + 999) / 1000);
  return result;
}

std::optional<http_refusal> check_ready(const http_front& front) {
  if (!front.ready())
    return make_refusal(errc::shutting_down, 503);
  if (front.joining())
    return http_refusal{503, "joining", "The node has yet to join its cluster.",
                        joining_retry_s};
  return {};
}

http_content to_content(const http_refusal& refusal) {
  http_content result;
  result.status = refusal.status;
  result.type = "application/json";
  result.fields = "Cache-Control: no-store\r\n";
  result.fields += fields_of(refusal.status);
  if (refusal.status == 429 || refusal.status == 503)
    result.fields += "Retry-After: " + std::to_string(refusal.retry_after_s)
                     + "\r\n";
  result.text = "{\"error\": \"";
  result.text += refusal.error;
  result.text += "\", \"message\": \"";
  result.text += refusal.message;
  result.text += '"';
  auto* before = ", \"urls\": [\"";
  for (auto& x : refusal.urls) {
    result.text += std::exchange(before, ", \"");
    result.text += x + '"';
  }
  result.text += refusal.urls.empty() ? "}\n" : "]}\n";
  return result;
}

http_reply to_reply(http_content content, bool without_body, bool close) {
  http_reply result;
  result.status = content.status;
  result.close = close;
  auto& head = result.head;
  head = "HTTP/1.1 " + std::to_string(content.status) + ' ';
  head += http_reason(content.status);
  head += "\r\n";
  if (!content.type.empty()) {
    auto size = content.text.empty() ? content.file.size()
                                     : content.text.size();
    head += "Content-Type: ";
    head += content.type;
    head += "\r\nContent-Length: " + std::to_string(size) + "\r\n";
  }
  head += content.fields;
  head += "X-Content-Type-Options: nosniff\r\n";
  if (content.status == 426)
    head += close ? "Connection: Upgrade, close\r\n"
                  : "Connection: Upgrade\r\n";
  else if (close)
    head += "Connection: close\r\n";
  head += "\r\n";
  if (!without_body) {
    result.text = std::move(content.text);
    result.file = content.file;
  }
  return result;
}

http_reply to_reply(const http_refusal& refusal) {
  return to_reply(to_content(refusal), false, true);
}

std::string_view http_reason(unsigned status) noexcept {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 304:
      return "Not Modified";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 408:
      return "Request Timeout";
    case 411:
      return "Length Required";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return {};
  }
}

} // namespace callboard::net
