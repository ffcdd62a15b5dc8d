#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <callboard/messages/frame.hpp>
#include <callboard/messages/payload.hpp>
#include <callboard/net/client_transport.hpp>
#include <callboard/net/client_types.hpp>
#include <callboard/net/url.hpp>

namespace callboard::net {

/// Says what it means that a server has refused a WebSocket.
/// @param status the HTTP status.
/// @param wait what `Retry-After` says; empty: nothing.
/// @param content the answer's body.
/// @param encrypted as in `addresses_of`.
close_report report_refusal(unsigned status, std::string_view wait,
                            std::string_view content, bool encrypted);

/// Says what it means that a server has closed the WebSocket.
close_report report_close(uint16_t number, std::string_view reason);

/// Returns what a `welcome` frame says.
welcome to_welcome(const frame_view& x);

/// Returns where else to go, by the payload of a `goaway`, or by the body of a
/// refusal: the first 8 of the addresses in it that can be used.
/// @param encrypted whether TLS has to be spoken there: a token that was never
///                  sent in the clear is not to be.
std::vector<url> addresses_of(const payload& said, bool encrypted);

} // namespace callboard::net
