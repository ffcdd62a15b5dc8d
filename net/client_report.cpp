#include <callboard/net/client_report.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <caf/sec.hpp>

#include <callboard/messages/close_code.hpp>
#include <callboard/messages/errc.hpp>
#include <callboard/messages/payload.hpp>
#include <callboard/net/client_error.hpp>

namespace callboard::net {

namespace {

// Longest wait that a Retry-After may ask for.
constexpr unsigned retry_after_s_max = 86'400;

// Addresses that are tried.
constexpr size_t addresses_max = 8;

// Read by themselves: what is wrong in them changes nothing of the rest.
struct other_addresses {
  std::vector<std::string> urls;
  MSGPACK_DEFINE_MAP(urls)
};

// The body of a refusal before the WebSocket exists.
struct refusal {
  std::string error;
  std::string message;
  MSGPACK_DEFINE_MAP(error, message)
};

struct welcome_payload {
  std::string connection;
  std::string node;
  std::optional<std::string> user;
  uint64_t ping_timeout_ms = 90'000;
  uint64_t ping_interval_ms = 30'000;
  uint64_t frame_bytes_max = 64 * 1024;
  uint64_t inflight_max = 256;
  int64_t time = 0;
  std::optional<int64_t> expires;
  MSGPACK_DEFINE_MAP(connection, node, user,
                     MSGPACK_NVP("pingTimeoutMs", ping_timeout_ms),
                     MSGPACK_NVP("pingIntervalMs", ping_interval_ms),
                     MSGPACK_NVP("frameBytesMax", frame_bytes_max),
                     MSGPACK_NVP("inflightMax", inflight_max), time, expires)
};

caf::timespan retry_after(std::string_view text) {
  unsigned seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::seconds{std::min(seconds, retry_after_s_max)};
}

} // namespace

close_report report_refusal(unsigned status, std::string_view wait,
                            std::string_view content, bool encrypted) {
  close_report result;
  result.retry_after = retry_after(wait);
  result.advice = status >= 500 || status == 408 || status == 429
                    ? reconnect_advice::backoff
                    : reconnect_advice::never;
  auto body = payload::from_json(content);
  auto said = body ? body->get_as<refusal>() : std::nullopt;
  if (body && status == 503)
    result.elsewhere = addresses_of(*body, encrypted);
  auto sentence = "the server refused the connection with HTTP "
                  + std::to_string(status);
  if (said && !said->message.empty())
    sentence += ": " + said->message;
  auto known = errc::internal;
  if (said && from_string(said->error, known))
    result.why = to_error(said->error, sentence, result.retry_after);
  else if (status == 401)
    result.why = to_error("unauthenticated", sentence, result.retry_after);
  else if (status == 403)
    result.why = to_error("forbidden", sentence, result.retry_after);
  else
    result.why = caf::make_error(caf::sec::disconnect_during_handshake,
                                 sentence);
  return result;
}

close_report report_close(uint16_t number, std::string_view reason) {
  close_report result;
  result.code = number;
  result.advice = advice(number);
  auto code = static_cast<close_code>(number);
  auto sentence = "the server closed the connection: " + std::to_string(number)
                  + ' ' + std::string{to_string(code)};
  if (!reason.empty())
    sentence += ": " + std::string{reason};
  result.why = caf::make_error(caf::sec::connection_closed, sentence);
  return result;
}

welcome to_welcome(const frame_view& x) {
  auto said
    = payload{x.payload}.get_as<welcome_payload>().value_or(welcome_payload{});
  return {std::move(said.connection),
          std::move(said.node),
          std::move(said.user).value_or(""),
          said.ping_interval_ms,
          said.ping_timeout_ms,
          said.frame_bytes_max,
          said.inflight_max,
          said.time,
          said.expires.value_or(0)};
}

std::vector<url> addresses_of(const payload& said, bool encrypted) {
  std::vector<url> result;
  auto found = said.get_as<other_addresses>();
  if (!found)
    return result;
  for (auto& text : found->urls)
    if (auto x = parse_url(text);
        x && (x->encrypted || !encrypted) && result.size() < addresses_max)
      result.push_back(std::move(*x));
  return result;
}

} // namespace callboard::net
