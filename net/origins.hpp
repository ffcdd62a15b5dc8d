#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace callboard::net {

/// Checks an entry of `server_options::origins`: `SCHEME://HOST[:PORT]`, whose
/// host may begin with `*.` for any name below a domain; or `*` for all.
/// @returns empty, or a sentence that says what is wrong.
std::string_view check_origin_rule(std::string_view x) noexcept;

/// Returns whether a page may open a WebSocket (RFC 6454; RFC 6455, 10.2).
/// @param origin the request's `Origin`. Empty: it is no browser's, and fine.
/// @param host the request's `Host`.
/// @param allowed the rules, as `check_origin_rule` takes them. Empty: only
///                pages of the same host and port.
bool is_origin_allowed(std::string_view origin, std::string_view host,
                       const std::vector<std::string>& allowed) noexcept;

} // namespace callboard::net
