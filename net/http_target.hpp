#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace callboard::net {

/// The parts of a request's target that matter here, as they were sent.
struct http_target {
  std::string_view path;
  /// Without the question mark; empty if there is none.
  std::string_view query;
};

/// Splits the target of a request line (RFC 7230, 5.3), whose scheme and
/// authority are skipped if it has them. The result has views into it.
http_target split_http_target(std::string_view target) noexcept;

/// Returns the value of the first parameter with this name in a query, as it
/// was sent; empty if there is none.
std::string_view query_value(std::string_view query,
                             std::string_view name) noexcept;

/// Returns the value of the first cookie with this name in the value of a
/// Cookie header (RFC 6265, 4.2), without quotes; empty if there is none.
std::string_view cookie_value(std::string_view cookies,
                              std::string_view name) noexcept;

/// Decodes `%XX`; everything else stands for itself, `+` too.
/// @returns nothing if two hexadecimal digits do not follow every percent sign.
std::optional<std::string> percent_decode(std::string_view text);

} // namespace callboard::net
