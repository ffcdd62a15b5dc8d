#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <caf/error.hpp>
#include <caf/is_error_code_enum.hpp>

#include <callboard/messages/type_ids.hpp>

namespace callboard {

/// Why something was refused or failed. CAF stores error codes in 8 bits, so
/// these values are not the numbers on the wire: `wire_number` gives those
/// (the first digit is the hundreds). The values go to other nodes.
enum class errc : uint8_t {
  /// No error: CAF reserves 0.
  none = 0,
  malformed_frame = 10,
  unknown_type = 11,
  frame_too_large = 12,
  bad_subject = 13,
  duplicate_seq_id = 14,
  too_many_inflight = 15,
  unexpected_frame = 16,
  bad_payload = 17,
  unauthenticated = 20,
  token_expired = 21,
  forbidden = 22,
  no_responder = 30,
  timeout = 31,
  responder_failed = 32,
  cancelled = 33,
  circuit_open = 34,
  owner_down = 35,
  not_subscribed = 40,
  already_subscribed = 41,
  too_many_subscriptions = 42,
  no_presence = 43,
  rate_limited = 50,
  overloaded = 51,
  shutting_down = 52,
  storage_unavailable = 53,
  internal = 59,
};

/// The first number on the wire of a responder's own errors.
inline constexpr uint16_t application_errc_min = 1000;

/// A row of the one table of errors.
struct errc_info {
  errc code;
  /// The number on the wire, as in meta `code`.
  uint16_t number;
  /// The name on the wire, as in `frame.subject`.
  std::string_view name;
  /// Whether trying again can help.
  bool temporary;
  /// A sentence for people.
  std::string_view sentence;
};

/// Returns the table, ordered by code, without `none`.
std::span<const errc_info> errc_table() noexcept;

/// Returns the row of `x`; that of `internal` for a number without a row.
const errc_info& info(errc x) noexcept;

/// Returns the number on the wire, 100 … 599; that of `internal` for a value
/// without a row, 0 for `none`.
uint16_t wire_number(errc x) noexcept;

/// Returns the code with this number on the wire; nullopt if there is none, as
/// for a responder's own errors.
std::optional<errc> errc_from_wire(uint64_t number) noexcept;

/// Returns our code in `x`; `none` for no error and `internal` for an error of
/// another category.
errc errc_of(const caf::error& x) noexcept;

/// Returns the name on the wire; `none` for no error.
std::string to_string(errc x);

/// Sets `x` to the code with this name.
/// @returns false, leaving `x` alone, if there is none.
bool from_string(std::string_view name, errc& x) noexcept;

/// Sets `x` to the code with this value (not the number on the wire).
/// @returns false, leaving `x` alone, if there is none.
bool from_integer(uint8_t value, errc& x) noexcept;

// Not `caf::default_enum_inspect`, because that wants CAF 0.18's string_view.
template <class Inspector>
bool inspect(Inspector& f, errc& x) {
  if (f.has_human_readable_format()) {
    auto get = [&x] { return to_string(x); };
    auto set = [&x](const std::string& name) { return from_string(name, x); };
    return f.apply(get, set);
  } else {
    auto get = [&x] { return static_cast<uint8_t>(x); };
    auto set = [&x](uint8_t value) { return from_integer(value, x); };
    return f.apply(get, set);
  }
}

} // namespace callboard

CAF_ERROR_CODE_ENUM(callboard::errc)
