#pragma once

/// Includes what callboard uses of Boost. Boost is included through these
/// headers and nowhere else, because of what boost/asio.hpp says about order.
/// Take the smallest that does: boost/asio.hpp for sockets and timers,
/// boost/beast.hpp for HTTP, boost/websocket.hpp for Beast's WebSocket (the
/// heaviest by far), boost/ssl.hpp for TLS.

#include <callboard/net/boost/asio.hpp>
#include <callboard/net/boost/beast.hpp>
#include <callboard/net/boost/ssl.hpp>
#include <callboard/net/boost/websocket.hpp>
