#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <callboard/net/boost/asio.hpp>
#include <callboard/net/tls_stream.hpp>

// A socket that HTTP is spoken on, with TLS or without.

namespace callboard::net {

/// Takes over an accepted descriptor.
/// @returns nothing if that fails; the descriptor is closed then.
std::optional<tcp::socket> adopt_socket(asio::io_context& io, int descriptor);

/// Receives what there is.
/// @param tls what speaks TLS on the socket; null: nothing does.
/// @param ec asio's `eof` where the peer has ended, `connection_reset` where
///           TLS has failed.
/// @returns a view into `buffer`; an empty one with `ec` clear if there is
///          nothing yet.
std::string_view receive_some(tcp::socket& socket, tls_stream* tls,
                              std::span<char> buffer, error_code& ec);

/// Sends some of two pieces that follow each other.
/// @param ec `would_block` where the socket takes nothing now.
/// @returns how many bytes were taken.
size_t send_some(tcp::socket& socket, tls_stream* tls, std::string_view head,
                 std::string_view body, error_code& ec);

} // namespace callboard::net
