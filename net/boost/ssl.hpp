#pragma once

#include <callboard/net/boost/asio.hpp>

#include <boost/asio/ssl.hpp>

namespace callboard::net {

namespace ssl = boost::asio::ssl;

} // namespace callboard::net
