#pragma once

// Boost 1.74's awaitable.hpp uses std::exchange without including <utility>,
// which fails under C++20; so <utility> comes first, here and only here.
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/system/error_code.hpp>

namespace callboard::net {

namespace asio = boost::asio;

using boost::system::error_code;

using tcp = boost::asio::ip::tcp;

} // namespace callboard::net
