#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <caf/error.hpp>
#include <caf/timespan.hpp>

#include <callboard/messages/close_code.hpp>
#include <callboard/messages/frame.hpp>
#include <callboard/net/boost/asio.hpp>
#include <callboard/net/client_options.hpp>
#include <callboard/net/url.hpp>

namespace callboard::net {

/// How a connection of a client ended, or why it did not come about.
struct close_report {
  /// The WebSocket's close code; 1006 where there was none.
  uint16_t code = 1006;
  /// What went wrong, for people and programs.
  caf::error why;
  reconnect_advice advice = reconnect_advice::backoff;
  /// How long the server wants to be left alone; 0: not said.
  caf::timespan retry_after{0};
  /// Where it says that others take clients.
  std::vector<url> elsewhere = {};
};

/// One connection of a client to a server, from the look-up of its name to its
/// last byte. Lives on one thread. Its listener hears nothing after `on_closed`
/// or `drop`.
class client_transport {
public:
  class listener {
  public:
    virtual ~listener() = default;

    /// The WebSocket is open.
    virtual void on_open() = 0;

    /// A message arrived; it is valid during the call.
    virtual void on_message(std::string_view message) = 0;

    /// The connection is over, or did not come about. Heard once.
    virtual void on_closed(close_report report) = 0;

    /// `is_full` holds no longer.
    virtual void on_drained() {
      // Only who asks `is_full` has to know.
    }
  };

  virtual ~client_transport() = default;

  /// Begins to connect; the listener hears how that ends.
  virtual void open() = 0;

  /// Takes what the server said about its bounds: largest message in bytes,
  /// and after how long without any sign of life it is gone.
  virtual void set_limits(size_t frame_bytes_max, caf::timespan idle_max) = 0;

  /// Queues a frame; frames of a turn share messages.
  /// @returns false if it is larger than the server takes.
  virtual bool send(const frame_view& x) = 0;

  /// Returns whether so much waits to be written that what can wait should not
  /// be sent now. The listener hears when that ends.
  [[nodiscard]] virtual bool is_full() const noexcept {
    return false;
  }

  /// Sends what is queued, unless the server reads no more, then a close frame,
  /// and waits up to 2 s for the server's.
  virtual void close(uint16_t code) = 0;

  /// Lets go of the listener and ends the connection at once.
  virtual void drop() = 0;
};

/// Makes the transport over Boost.Beast's WebSocket.
/// @param executor runs one thing at a time.
std::shared_ptr<client_transport>
make_client_transport(const asio::any_io_executor& executor,
                      const client_options& options,
                      client_transport::listener& listener);

} // namespace callboard::net
