#pragma once

#include <functional>
#include <memory>
#include <utility>

#include <caf/expected.hpp>

#include <callboard/net/boost/asio.hpp>
#include <callboard/net/client_types.hpp>

namespace callboard::net {

/// Makes a function of any completion handler, even of one that only moves,
/// that calls it once, on its executor, and never at once. Until then that
/// executor has work.
/// @param home where handlers without an executor of their own are called.
template <class T, class Handler>
result_handler<T>
completion_of(const asio::any_io_executor& home, Handler&& handler) {
  using handler_type = std::decay_t<Handler>;
  auto executor = asio::get_associated_executor(handler, home);
  using executor_type = decltype(executor);
  struct state {
    handler_type handler;
    asio::executor_work_guard<executor_type> work;
  };
  auto shared = std::make_shared<state>(
    state{std::forward<Handler>(handler),
          asio::executor_work_guard<executor_type>{executor}});
  return [shared = std::move(shared)](caf::expected<T> x) {
    auto executor = shared->work.get_executor();
    asio::post(executor, [shared, x = std::move(x)]() mutable {
      auto f = std::move(shared->handler);
      shared->work.reset();
      std::move(f)(std::move(x));
    });
  };
}

/// Starts an operation whose completion token may be a callback that takes a
/// `caf::expected<T>`, `asio::use_future`, `asio::use_awaitable` or any other.
/// @param start takes the operation's `result_handler<T>`.
template <class T, class Start, class Token>
auto initiate(asio::any_io_executor home, Start start, Token&& token) {
  return asio::async_initiate<Token, void(caf::expected<T>)>(
    [home = std::move(home)](auto&& handler, Start begin) {
      begin(completion_of<T>(home, std::forward<decltype(handler)>(handler)));
    },
    token, std::move(start));
}

} // namespace callboard::net
