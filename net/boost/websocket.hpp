#pragma once

#include <callboard/net/boost/beast.hpp>

#include <boost/beast/websocket.hpp>

namespace callboard::net {

namespace websocket = boost::beast::websocket;

} // namespace callboard::net
