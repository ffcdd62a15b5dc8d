#include <callboard/messages/close_code.hpp>

#include <algorithm>
#include <array>

namespace callboard {

namespace {

constexpr std::array close_codes{
  close_code_info{close_code::normal, "normal", "Done."},
  close_code_info{close_code::going_away, "going_away", "This end goes away."},
  close_code_info{close_code::protocol_error, "protocol_error",
                  "The WebSocket protocol was broken."},
  close_code_info{close_code::unsupported_data, "unsupported_data",
                  "This kind of message is not taken here."},
  close_code_info{close_code::no_status, "no_status",
                  "The close frame had no code."},
  close_code_info{close_code::abnormal, "abnormal",
                  "The connection ended without a close frame."},
  close_code_info{close_code::invalid_payload, "invalid_payload",
                  "A text message was not UTF-8."},
  close_code_info{close_code::policy_violation, "policy_violation",
                  "A rule of the server was broken."},
  close_code_info{close_code::message_too_big, "message_too_big",
                  "The message is larger than the server takes."},
  close_code_info{close_code::internal_error, "internal_error",
                  "Something failed inside the server."},
  close_code_info{close_code::heartbeat_timeout, "heartbeat_timeout",
                  "Nothing was heard for too long."},
  close_code_info{close_code::idle_timeout, "idle_timeout",
                  "Nothing but heartbeats came for too long."},
  close_code_info{close_code::slow_consumer, "slow_consumer",
                  "The client reads too slowly."},
  close_code_info{close_code::overloaded, "overloaded",
                  "The server is overloaded."},
  close_code_info{close_code::draining, "draining",
                  "The server is shutting down."},
  close_code_info{close_code::connect_timeout, "connect_timeout",
                  "The connect frame did not come in time."},
  close_code_info{close_code::unauthenticated, "unauthenticated",
                  "This needs a valid login."},
  close_code_info{close_code::forbidden, "forbidden",
                  "This user may not connect."},
  close_code_info{close_code::protocol_violation, "protocol_violation",
                  "Too many frames were malformed."},
  close_code_info{close_code::kicked, "kicked",
                  "An operator closed the connection."},
  close_code_info{close_code::limit_exceeded, "limit_exceeded",
                  "This user or tenant has too many connections."},
};

} // namespace

std::span<const close_code_info> close_code_table() noexcept {
  return close_codes;
}

std::string_view to_string(close_code x) noexcept {
  auto i = std::find_if(close_codes.begin(), close_codes.end(),
                        [x](const auto& row) { return row.code == x; });
  return i != close_codes.end() ? i->name : "unknown";
}

bool from_string(std::string_view name, close_code& x) noexcept {
  auto i = std::find_if(close_codes.begin(), close_codes.end(),
                        [name](const auto& row) { return row.name == name; });
  if (i == close_codes.end())
    return false;
  x = i->code;
  return true;
}

bool from_integer(uint16_t number, close_code& x) noexcept {
  auto code = static_cast<close_code>(number);
  auto known = std::any_of(close_codes.begin(), close_codes.end(),
                           [=](const auto& row) { return row.code == code; });
  if (known)
    x = code;
  return known;
}

reconnect_advice advice(uint16_t code) noexcept {
  switch (static_cast<close_code>(code)) {
    case close_code::protocol_error:
    case close_code::unsupported_data:
    case close_code::invalid_payload:
    case close_code::policy_violation:
    case close_code::message_too_big:
      return reconnect_advice::never;
    default:
      return code >= 4500 && code <= 4999 ? reconnect_advice::never
                                          : reconnect_advice::backoff;
  }
}

} // namespace callboard
