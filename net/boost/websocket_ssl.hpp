#pragma once

#include <callboard/net/boost/ssl.hpp>
#include <callboard/net/boost/websocket.hpp>

#include <boost/beast/websocket/ssl.hpp>
