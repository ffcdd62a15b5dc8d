#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace callboard {

/// WebSocket close codes: the standard ones that we send, and our own.
/// 4000 … 4499: reconnect with backoff. 4500 … 4999: do not reconnect.
enum class close_code : uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  /// Never on the wire: the peer's close frame had no code.
  no_status = 1005,
  /// Never on the wire: the connection ended without a close frame.
  abnormal = 1006,
  invalid_payload = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  internal_error = 1011,
  heartbeat_timeout = 4000,
  idle_timeout = 4001,
  slow_consumer = 4002,
  overloaded = 4003,
  draining = 4004,
  connect_timeout = 4005,
  unauthenticated = 4500,
  forbidden = 4501,
  protocol_violation = 4502,
  kicked = 4503,
  limit_exceeded = 4504,
};

/// What a client should do after a close.
enum class reconnect_advice {
  /// Connect again after a backoff with jitter.
  backoff,
  /// Do not connect again without a change.
  never,
};

/// A row of the one table of close codes.
struct close_code_info {
  close_code code;
  std::string_view name;
  std::string_view sentence;
};

/// Returns the table, ordered by code.
std::span<const close_code_info> close_code_table() noexcept;

/// Returns the name of `x`, or `unknown`.
std::string_view to_string(close_code x) noexcept;

/// Sets `x` to the code with this name.
/// @returns false, leaving `x` alone, if there is none.
bool from_string(std::string_view name, close_code& x) noexcept;

/// Sets `x` to the code with this number.
/// @returns false, leaving `x` alone, if the table has none.
bool from_integer(uint16_t number, close_code& x) noexcept;

template <class Inspector>
bool inspect(Inspector& f, close_code& x) {
  if (f.has_human_readable_format()) {
    auto get = [&x] { return std::string{to_string(x)}; };
    auto set = [&x](const std::string& name) { return from_string(name, x); };
    return f.apply(get, set);
  } else {
    auto get = [&x] { return static_cast<uint16_t>(x); };
    auto set = [&x](uint16_t number) { return from_integer(number, x); };
    return f.apply(get, set);
  }
}

/// Returns what a client should do after a close with this code: `never` for
/// 4500 … 4999, 1002, 1003, 1007, 1008 and 1009, else `backoff`.
reconnect_advice advice(uint16_t code) noexcept;

} // namespace callboard
