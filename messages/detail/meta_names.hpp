#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include <callboard/messages/frame.hpp>

namespace callboard::detail {

/// The highest meta key.
inline constexpr auto meta_key_max = static_cast<uint8_t>(meta_key::origin);

/// The names of the meta keys in JSON; a number without a name is no key.
inline constexpr std::array<std::string_view, meta_key_max + 1> meta_names{
  "",        "offset",    "epoch",    "since",     "id",           "noEcho",
  "sender",  "timeoutMs", "code",     "temporary", "retryAfterMs", "pattern",
  "trace",   "presence",  "retained", "group",     "key",          "ack",
  "attempt", "origin",
};

/// Returns whether `number` is a meta key that we know.
constexpr bool is_meta_key(uint64_t number) noexcept {
  return number <= meta_key_max && !meta_names[number].empty();
}

/// The bits of all meta keys that we know, as in `meta_view::present`.
inline constexpr uint32_t meta_key_mask = [] {
  uint32_t result = 0;
  for (uint32_t i = 0; i <= meta_key_max; ++i)
    result |= uint32_t{is_meta_key(i)} << i;
  return result;
}();

/// Returns the meta key with this name.
inline std::optional<meta_key> meta_key_from(std::string_view name) noexcept {
  for (uint8_t i = 1; i <= meta_key_max; ++i)
    if (is_meta_key(i) && meta_names[i] == name)
      return static_cast<meta_key>(i);
  return std::nullopt;
}

} // namespace callboard::detail
