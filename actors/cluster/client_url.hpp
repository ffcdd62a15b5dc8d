#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

// Where clients reach a node, as the other nodes tell them.

namespace callboard {

/// URLs of a node at most.
inline constexpr size_t client_urls_max = 4;

/// Bytes of one of them at most.
inline constexpr size_t client_url_bytes_max = 255;

/// Returns whether this can be told to clients as it is: `ws://` or `wss://`
/// and something behind it, in ASCII that JSON takes between quotes.
constexpr bool valid_client_url(std::string_view x) noexcept {
  auto scheme = x.starts_with("wss://") ? 6u : x.starts_with("ws://") ? 5u : 0u;
  return scheme > 0 && x.size() > scheme && x.size() <= client_url_bytes_max
         && std::ranges::all_of(x, [](char c) {
              return c > ' ' && c < 0x7f && c != '"' && c != '\\';
            });
}

} // namespace callboard
