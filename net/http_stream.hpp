#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <callboard/net/boost/asio.hpp>
#include <callboard/net/tls_stream.hpp>

// A socket that HTTP is spoken on, with TLS or without.

namespace callboard::net {

/// Takes over an accepted descriptor.
/// @returns nothing if that fails; the descriptor is closed then.
std::optional<tcp::socket> adopt_socket(asio::io_context& io, int descriptor);

/// Returns an IP address as people write it; v4 where v6 only wraps it.
std::string address_of(const tcp::endpoint& peer);

/// Receives what there is on a non-blocking socket.
/// @param tls what speaks TLS on it; null: nothing does.
/// @param ec is `eof` at the end, `connection_reset` where TLS has failed.
/// @returns how many bytes; 0 with `ec` clear: none yet.
size_t receive_some(tcp::socket& socket, tls_stream* tls,
                    std::span<char> buffer, error_code& ec);

/// Sends what is left of two pieces that follow each other.
/// @param sent how many bytes have been sent, which it adds to.
/// @param ec is clear if all have, and `may_go_on` if the socket takes no more
///           for now.
void send_rest(tcp::socket& socket, tls_stream* tls, std::string_view head,
               std::string_view body, size_t& sent, error_code& ec);

/// Returns whether an error only says that nothing can be done yet.
bool may_go_on(const error_code& ec) noexcept;

/// Returns whether the other end of a socket has closed it, or it is broken.
/// Takes nothing out of it.
/// @param readable is set to whether bytes wait to be received.
bool has_ended(tcp::socket& socket, bool& readable);

} // namespace callboard::net
