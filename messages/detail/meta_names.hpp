#pragma once

#include <array>
#include <optional>
#include <string_view>

#include <callboard/messages/frame.hpp>

namespace callboard::detail {

/// The highest meta key.
inline constexpr auto meta_key_max = static_cast<uint8_t>(meta_key::trace);

/// The names of the meta keys in JSON; the first one has no name.
inline constexpr std::array<std::string_view, meta_key_max + 1> meta_names{
  "",       "offset",    "epoch", "since",     "id",           "noEcho",
  "sender", "timeoutMs", "code",  "temporary", "retryAfterMs", "pattern",
  "trace",
};

/// Returns the meta key with this name.
inline std::optional<meta_key> meta_key_from(std::string_view name) noexcept {
  for (uint8_t i = 1; i <= meta_key_max; ++i)
    if (meta_names[i] == name)
      return static_cast<meta_key>(i);
  return std::nullopt;
}

} // namespace callboard::detail
