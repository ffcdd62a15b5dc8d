#pragma once

/// For applications and tests: the completion tokens that `asio.hpp` has not.
/// Where the compiler cannot do coroutines, BOOST_ASIO_HAS_CO_AWAIT is not
/// defined, and `use_awaitable` is missing.

#include <callboard/net/boost/asio.hpp>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>
