#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <callboard/actors/messages.hpp>
#include <callboard/net/async_result.hpp>
#include <callboard/net/client_types.hpp>

namespace callboard::net {

/// Bounds of one operation.
struct call_options {
  /// It fails with `timeout` then; 0: at the client's own time for it, and a
  /// receive never.
  caf::timespan timeout{0};
  /// It fails with `cancelled` where this is asked to stop, from any thread.
  std::stop_token stop = {};
};

/// How `async_client` subscribes.
struct async_subscribe_options {
  /// See `subscribe_options`.
  position since = {};
  bool presence = false;
  /// Events that may wait to be received, and likewise sets of presence notes,
  /// at least 1. Beyond them the oldest is dropped, which the next one tells.
  size_t size_max = 1024;
};

/// An event, and whether something is missing before it.
struct delivery {
  callboard::event what;
  /// Why events are missing between the one before and this one, for people and
  /// logs: `not_recovered`, `buffer full`, or what the server said. Empty: none
  /// is.
  std::string gap;
};

/// What an `async_client` has subscribed to, over reconnects. Copies stand for
/// the same subscription, which ends with the last of them and of the receives
/// that wait. May be used from any thread.
class async_subscription {
public:
  class state;

  explicit async_subscription(std::shared_ptr<state> x) noexcept;

  /// Returns the topic or pattern.
  [[nodiscard]] const std::string& subject() const noexcept;

  /// Returns the first answer of the server.
  [[nodiscard]] const subscribed& begin() const noexcept;

  /// Receives the next event. Several receives get one each, in their order.
  /// After the end what has arrived comes first, then why it ended:
  /// `cancelled` by this side, or the server's error.
  template <class Token>
  auto async_receive(call_options options, Token&& token) {
    return initiate<delivery>(
      executor(),
      [self = *this,
       options = std::move(options)](result_handler<delivery> done) mutable {
        self.receive(std::move(options), std::move(done));
      },
      std::forward<Token>(token));
  }

  template <class Token>
  auto async_receive(Token&& token) {
    return async_receive(call_options{}, std::forward<Token>(token));
  }

  /// Receives who came to the topic and who went, in the same way. A note
  /// `reset` stands where notes were dropped.
  template <class Token>
  auto async_receive_presence(call_options options, Token&& token) {
    return initiate<std::vector<presence_note>>(
      executor(),
      [self = *this, options = std::move(options)](
        result_handler<std::vector<presence_note>> done) mutable {
        self.receive_presence(std::move(options), std::move(done));
      },
      std::forward<Token>(token));
  }

  template <class Token>
  auto async_receive_presence(Token&& token) {
    return async_receive_presence(call_options{}, std::forward<Token>(token));
  }

  /// Ends the subscription; receives that wait fail with `cancelled`.
  void cancel();

private:
  [[nodiscard]] asio::any_io_executor executor() const;

  void receive(call_options options, result_handler<delivery> done);

  void receive_presence(call_options options,
                        result_handler<std::vector<presence_note>> done);

  std::shared_ptr<state> state_;
};

} // namespace callboard::net
