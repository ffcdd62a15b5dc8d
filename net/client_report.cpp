#include <callboard/net/client_report.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include <caf/sec.hpp>

#include <callboard/messages/close_code.hpp>
#include <callboard/messages/errc.hpp>
#include <callboard/messages/payload.hpp>
#include <callboard/net/client_error.hpp>

namespace callboard::net {

namespace {

// Longest wait that a Retry-After may ask for.
constexpr unsigned retry_after_s_max = 86'400;

// The body of a refusal before the WebSocket exists.
struct refusal {
  std::string error;
  std::string message;
  MSGPACK_DEFINE_MAP(error, message)
};

caf::timespan retry_after(std::string_view text) {
  unsigned seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::seconds{std::min(seconds, retry_after_s_max)};
}

} // namespace

close_report report_refusal(unsigned status, std::string_view wait,
                            std::string_view content) {
  close_report result;
  result.retry_after = retry_after(wait);
  result.advice = status >= 500 || status == 408 || status == 429
                    ? reconnect_advice::backoff
                    : reconnect_advice::never;
  auto body = payload::from_json(content);
  auto said = body ? body->get_as<refusal>() : std::nullopt;
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

} // namespace callboard::net
