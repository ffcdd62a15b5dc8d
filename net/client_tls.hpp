#pragma once

#include <memory>

#include <caf/error.hpp>

#include <callboard/net/boost/ssl.hpp>
#include <callboard/net/client_options.hpp>
#include <callboard/net/client_transport.hpp>

namespace callboard::net {

/// Makes a client's TLS 1.2 and 1.3 of the files that its options name.
/// @returns what is wrong with one.
caf::error set_up_client_tls(ssl::context& tls, const client_options& options);

/// Makes a transport whose `open` comes to nothing: for what is wrong before
/// there is anything to connect with. It advises never to try again.
std::shared_ptr<client_transport>
make_failed_transport(const asio::any_io_executor& executor, caf::error why,
                      client_transport::listener& listener);

} // namespace callboard::net
