#pragma once

#include <callboard/net/boost/asio.hpp>

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace callboard::net {

namespace beast = boost::beast;

namespace http = boost::beast::http;

} // namespace callboard::net
