#pragma once

#include <string>
#include <string_view>

#include "endpoint.hpp"

namespace callboard::cmd::bench {

/// Returns the HTTP request that asks for a WebSocket. Every connection sends
/// the same key, so the answer can be checked without hashing.
/// @param path is asked for in place of the target's.
/// @param subprotocol is offered; empty: none is.
/// @param token is shown as `Authorization: Bearer`; empty: none is.
std::string upgrade_request(const endpoint& target, std::string_view path,
                            std::string_view subprotocol,
                            std::string_view token = {});

/// Checks a whole response header against `upgrade_request`.
/// @returns an empty string, or a sentence that says what the server refused.
std::string check_upgrade(std::string_view response,
                          std::string_view subprotocol);

} // namespace callboard::cmd::bench
