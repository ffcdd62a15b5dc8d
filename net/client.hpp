#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <callboard/messages/frame.hpp>
#include <callboard/messages/payload.hpp>
#include <callboard/net/boost/asio.hpp>
#include <callboard/net/client_calls.hpp>
#include <callboard/net/client_options.hpp>
#include <callboard/net/client_types.hpp>

namespace callboard::net {

/// A client of one server: publishes, subscribes, asks and answers over one
/// WebSocket, and connects again after it was lost, with its subscriptions and
/// actions. It runs on the thread that runs its io_context, which is its own;
/// callbacks come there, and every function but `post` and `stop` belongs
/// there (or before `run`). Errors are told by `details` (client_error.hpp).
///
/// What is asked for while there is no connection waits for one. An operation
/// that was sent when a connection was lost fails with
/// `caf::sec::socket_disconnected`, because nobody knows whether it was done;
/// publications with an `id` and idempotent requests are sent again instead.
/// `async_client` is the same on an executor of the application's.
/// @pre `caf::core::init_global_meta_objects` and `net::init` were called.
class client {
public:
  explicit client(client_options options, client_handlers handlers = {});

  client(const client&) = delete;

  client& operator=(const client&) = delete;

  /// Ends the connection at once; callbacks that still wait are not called.
  ~client();

  /// Begins to connect.
  void start();

  /// Runs the client until it is stopped or gives up for good.
  /// @returns why it gave up; none after `stop`.
  caf::error run();

  /// Sends what has its turn already, closes the connection and does not
  /// connect again; what waits fails with `cancelled`. May be called from any
  /// thread.
  void stop();

  /// Calls `f` on the client's thread. May be called from any thread.
  void post(std::function<void()> f);

  /// Returns what the client runs on, for timers and signals beside it.
  asio::io_context& context() noexcept;

  [[nodiscard]] client_state state() const noexcept;

  /// Returns the operations that are not answered yet. Beyond `inflightMax` of
  /// the server they wait here, up to `client_options::queue_max`.
  [[nodiscard]] size_t pending() const noexcept;

  /// Returns whether there is a connection and what is asked for now has to
  /// wait, because as much is in flight as the server takes.
  [[nodiscard]] bool is_busy() const;

  /// Subscribes to a topic or a pattern. After a reconnect it does so again,
  /// from the last position where that is known.
  /// @param on_event is called for each event.
  /// @param done hears the topic's position; a pattern's has no epoch.
  void subscribe(std::string subject, event_handler on_event,
                 result_handler<position> done = {});

  /// The same with more to say.
  /// @param on_presence is called for who comes and goes, with
  ///                    `subscribe_options::presence`.
  void subscribe(std::string subject, subscribe_options options,
                 event_handler on_event, presence_handler on_presence = {},
                 result_handler<subscribed> done = {});

  /// Ends a subscription.
  void unsubscribe(const std::string& subject, result_handler<void> done = {});

  /// Becomes a member of a group, which shares a topic's events among its
  /// members. After a reconnect it does so again.
  /// @param done hears the position behind which the group goes on.
  void join(std::string topic, member_options options, member_handler on_event,
            result_handler<position> done = {});

  /// Is a member of a group no longer.
  void leave(const std::string& topic, const std::string& group,
             result_handler<void> done = {});

  /// Publishes; `done` hears the position that the server gave.
  operation_id publish(std::string topic, payload x, publish_options options,
                       result_handler<position> done);

  /// Asks, and hears the answer or why there is none.
  /// @param timeout 1 ms … 300 s; waiting for a connection is included.
  operation_id request(std::string action, payload x, caf::timespan timeout,
                       result_handler<payload> done);

  /// The same with more to say.
  operation_id request(std::string action, payload x, request_options options,
                       result_handler<payload> done);

  /// Tells whoever serves an action; there is no answer.
  /// @param done hears when it was sent, or that it was not.
  operation_id notify(std::string action, payload x,
                      result_handler<void> done = {});

  /// Fails a publication, request or notification with `cancelled` at once, and
  /// tells the server that the answer to a request is not wanted. What was
  /// sent may have been done.
  /// @returns false if it is over already.
  bool cancel(operation_id id);

  /// Returns what the functions of client_calls.hpp ask by:
  /// `ask_history(x.asking(), "news", {}, …)`. Not to be kept longer than the
  /// client.
  asking_function asking();

  /// Answers requests for an action from now on, after reconnects too.
  void respond(std::string action, request_handler on_request,
               result_handler<void> done = {});

  /// Answers requests for an action no more.
  void stop_responding(const std::string& action,
                       result_handler<void> done = {});

private:
  class impl;

  std::unique_ptr<impl> impl_;
};

} // namespace callboard::net
