#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <callboard/net/boost/asio.hpp>
#include <callboard/net/client_options.hpp>
#include <callboard/net/client_types.hpp>

namespace callboard::net {

/// Takes a request to one of this client's actions. What comes of it is told by
/// `client_port::answer` with this number.
using serving_function
  = std::function<void(uint64_t number, const incoming_request& x)>;

/// Takes an event of a group. Whether it is confirmed is told by
/// `client_port::confirm` with this number.
using giving_function
  = std::function<void(uint64_t number, const event_view& x)>;

/// What the actor face needs of a client: functions that can be called from any
/// thread, and whose callbacks come on the client's thread. After the
/// destructor has returned none comes any more.
class client_port {
public:
  virtual ~client_port() = default;

  virtual void start() = 0;

  /// Sends what has its turn already, and closes; `ended` tells when that is
  /// done.
  virtual void stop() = 0;

  virtual void subscribe(std::string subject, subscribe_options options,
                         event_handler on_event, presence_handler on_presence,
                         result_handler<subscribed> done)
    = 0;

  virtual void unsubscribe(std::string subject) = 0;

  /// @param on_lost see `member_handlers`.
  virtual void join(std::string topic, member_options options,
                    giving_function give,
                    std::function<void(const caf::error&)> on_lost,
                    result_handler<subscribed> done)
    = 0;

  virtual void leave(std::string topic, std::string group) = 0;

  /// Confirms the event with this number, or gives it to another member; does
  /// nothing where it is over.
  virtual void confirm(uint64_t number, bool confirmed) = 0;

  virtual void publish(std::string topic, payload x, publish_options options,
                       result_handler<position> done)
    = 0;

  virtual void request(std::string action, payload x, request_options options,
                       result_handler<payload> done)
    = 0;

  virtual void
  respond(std::string action, serving_function serve, result_handler<void> done)
    = 0;

  virtual void stop_responding(std::string action) = 0;

  /// Answers the request with this number; does nothing where it is over.
  virtual void answer(uint64_t number, caf::expected<payload> x) = 0;
};

/// Makes a port by the handlers of a client.
/// @param ended hears that the client has given up, and why.
using port_factory = std::function<std::unique_ptr<client_port>(
  client_handlers handlers, std::function<void(const caf::error&)> ended)>;

/// Returns what makes ports of clients that have a thread of their own each.
port_factory own_threads(client_options options);

} // namespace callboard::net
