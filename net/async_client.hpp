#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include <callboard/messages/payload.hpp>
#include <callboard/net/async_result.hpp>
#include <callboard/net/async_subscription.hpp>
#include <callboard/net/client_calls.hpp>
#include <callboard/net/client_options.hpp>
#include <callboard/net/client_types.hpp>

namespace callboard::net {

/// The client in Asio's style: on an executor of the application's, with
/// completion tokens. What an operation comes to is a `caf::expected<T>`, whose
/// error `details` (client_error.hpp) takes apart: callbacks take one,
/// `use_future` and `use_awaitable` give one. It does not throw for what the
/// server or the network did.
///
/// Everything but the constructor may be called from any thread. Operations
/// complete on the executor of their handler, or else on `get_executor`, and
/// never within the function that begins them. Each completes once: when the
/// client is closed or gone, with `cancelled`.
/// @pre `caf::core::init_global_meta_objects` and `net::init_client` (or
///      `net::init`) were called.
class async_client {
public:
  using executor_type = asio::any_io_executor;

  /// @param executor of any kind; the client runs on a strand of it, and must
  ///                 not outlive what it belongs to.
  /// @param handlers are called on the strand.
  async_client(const asio::any_io_executor& executor, client_options options,
               client_handlers handlers = {});

  async_client(const async_client&) = delete;

  async_client& operator=(const async_client&) = delete;

  /// Ends the connection at once.
  ~async_client();

  /// Returns the strand on which handlers are called.
  [[nodiscard]] executor_type get_executor() const noexcept;

  /// Begins to connect, or tries again at once where it waits to.
  void start();

  /// Begins to connect, and completes with the `welcome` of the connection that
  /// is there or comes, over as many tries as it takes.
  template <class Token>
  auto async_connect(call_options bounds, Token&& token) {
    return run<welcome>(
      [bounds = std::move(bounds)](impl& x, result_handler<welcome> done) {
        connect(x, bounds, std::move(done));
      },
      std::forward<Token>(token));
  }

  template <class Token>
  auto async_connect(Token&& token) {
    return async_connect(call_options{}, std::forward<Token>(token));
  }

  /// Publishes; completes with the position that the server gave.
  template <class Token>
  auto async_publish(std::string topic, payload x, publish_options options,
                     call_options bounds, Token&& token) {
    return run<position>(
      [topic = std::move(topic), x = std::move(x), options = std::move(options),
       bounds = std::move(bounds)](impl& self, result_handler<position> done) {
        publish(self, topic, x, options, bounds, std::move(done));
      },
      std::forward<Token>(token));
  }

  template <class Token>
  auto async_publish(std::string topic, payload x, Token&& token) {
    return async_publish(std::move(topic), std::move(x), publish_options{},
                         call_options{}, std::forward<Token>(token));
  }

  /// Asks; completes with the answer.
  template <class Token>
  auto async_request(std::string action, payload x, request_options options,
                     call_options bounds, Token&& token) {
    return run<payload>(
      [action = std::move(action), x = std::move(x),
       options = std::move(options),
       bounds = std::move(bounds)](impl& self, result_handler<payload> done) {
        request(self, action, x, options, bounds, std::move(done));
      },
      std::forward<Token>(token));
  }

  template <class Token>
  auto async_request(std::string action, payload x, Token&& token) {
    return async_request(std::move(action), std::move(x), request_options{},
                         call_options{}, std::forward<Token>(token));
  }

  /// Tells whoever serves an action; completes when it was sent.
  template <class Token>
  auto async_notify(std::string action, payload x, call_options bounds,
                    Token&& token) {
    return run<void>(
      [action = std::move(action), x = std::move(x),
       bounds = std::move(bounds)](impl& self, result_handler<void> done) {
        notify(self, action, x, bounds, std::move(done));
      },
      std::forward<Token>(token));
  }

  template <class Token>
  auto async_notify(std::string action, payload x, Token&& token) {
    return async_notify(std::move(action), std::move(x), call_options{},
                        std::forward<Token>(token));
  }

  /// Subscribes to a topic or a pattern; there is one subscription to each.
  template <class Token>
  auto async_subscribe(std::string subject, async_subscribe_options options,
                       call_options bounds, Token&& token) {
    return run<async_subscription>(
      [subject = std::move(subject), options = std::move(options),
       bounds = std::move(bounds)](impl& self,
                                   result_handler<async_subscription> done) {
        subscribe(self, subject, options, bounds, std::move(done));
      },
      std::forward<Token>(token));
  }

  template <class Token>
  auto async_subscribe(std::string subject, Token&& token) {
    return async_subscribe(std::move(subject), async_subscribe_options{},
                           call_options{}, std::forward<Token>(token));
  }

  /// Answers requests for an action from now on, over reconnects; completes
  /// when the server sends some.
  /// @param on_request is called on the strand, where the answer must be given
  ///                   too, now or later.
  template <class Token>
  auto
  async_respond(std::string action, request_handler on_request, Token&& token) {
    return run<void>(
      [action = std::move(action), on_request = std::move(on_request)](
        impl& self, result_handler<void> done) {
        respond(self, action, on_request, std::move(done));
      },
      std::forward<Token>(token));
  }

  /// Answers requests for an action no more.
  void stop_responding(std::string action);

  /// Becomes a member of a group; see `client::join`.
  /// @param on_event is called on the strand.
  template <class Token>
  auto async_join(std::string topic, member_options options,
                  member_handler on_event, Token&& token) {
    return run<position>(
      [topic = std::move(topic), options = std::move(options),
       on_event = std::move(on_event)](impl& self,
                                       result_handler<position> done) {
        join(self, topic, options, on_event, std::move(done));
      },
      std::forward<Token>(token));
  }

  /// Is a member of a group no longer.
  void leave(std::string topic, std::string group);

  /// Reads events that a topic keeps.
  template <class Token>
  auto async_history(std::string topic, history_options options,
                     call_options bounds, Token&& token) {
    return run<history_page>(
      [topic = std::move(topic), options = std::move(options),
       bounds = std::move(bounds)](impl& self,
                                   result_handler<history_page> done) {
        ask_history(asking(self, bounds), topic, options, std::move(done));
      },
      std::forward<Token>(token));
  }

  /// Asks where a topic stands.
  template <class Token>
  auto async_position(std::string topic, call_options bounds, Token&& token) {
    return run<position>(
      [topic = std::move(topic),
       bounds = std::move(bounds)](impl& self, result_handler<position> done) {
        ask_position(asking(self, bounds), topic, std::move(done));
      },
      std::forward<Token>(token));
  }

  /// Asks who is in a topic; see `ask_presence`.
  template <class Token>
  auto async_presence(std::string topic, uint32_t limit, std::string after,
                      call_options bounds, Token&& token) {
    return run<member_page>(
      [topic = std::move(topic), limit, after = std::move(after),
       bounds = std::move(bounds)](impl& self,
                                   result_handler<member_page> done) {
        ask_presence(asking(self, bounds), topic, limit, after,
                     std::move(done));
      },
      std::forward<Token>(token));
  }

  /// Sends what has its turn already, closes, and does not connect again;
  /// completes when that is done. Everything else fails with `cancelled`.
  template <class Token>
  auto async_close(Token&& token) {
    return run<void>(
      [](impl& self, result_handler<void> done) {
        close(self, std::move(done));
      },
      std::forward<Token>(token));
  }

private:
  friend class async_subscription;

  class impl;

  template <class T, class Start, class Token>
  auto run(Start start, Token&& token) {
    return initiate<T>(
      get_executor(),
      [shared = impl_, start = std::move(start)](result_handler<T> done) {
        post(shared, [start, done = std::move(done)](impl& self) {
          start(self, done);
        });
      },
      std::forward<Token>(token));
  }

  // Calls `f` on the strand, later.
  static void post(const std::shared_ptr<impl>& self,
                   std::function<void(impl&)> f);

  static void connect(impl& self, call_options bounds,
                      result_handler<welcome> done);

  static void publish(impl& self, std::string topic, payload x,
                      publish_options options, call_options bounds,
                      result_handler<position> done);

  static void request(impl& self, std::string action, payload x,
                      request_options options, call_options bounds,
                      result_handler<payload> done);

  static void notify(impl& self, std::string action, payload x,
                     call_options bounds, result_handler<void> done);

  static void subscribe(impl& self, std::string subject,
                        async_subscribe_options options, call_options bounds,
                        result_handler<async_subscription> done);

  static void respond(impl& self, std::string action,
                      request_handler on_request, result_handler<void> done);

  static void join(impl& self, std::string topic, member_options options,
                   member_handler on_event, result_handler<position> done);

  static void close(impl& self, result_handler<void> done);

  // To be used before it returns to the strand.
  static asking_function asking(impl& self, call_options bounds);

  std::shared_ptr<impl> impl_;
};

} // namespace callboard::net
