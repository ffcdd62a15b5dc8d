#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace callboard::net {

/// Returns bytes in base64url without padding (RFC 7515, 2).
std::string to_base64url(std::string_view bytes);

/// Returns the bytes of a text in base64url; nothing for padding, blanks, other
/// characters, and bits at the end that stand for nothing. So each value has
/// one text only.
std::optional<std::string> from_base64url(std::string_view text);

} // namespace callboard::net
