#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <callboard/messages/frame_reader.hpp>
#include <callboard/net/backoff.hpp>
#include <callboard/net/client_options.hpp>
#include <callboard/net/client_session.hpp>
#include <callboard/net/client_transport.hpp>
#include <callboard/net/client_types.hpp>

namespace callboard::net {

/// A client's way to its server: connects, logs in, stays logged in, and
/// connects again, by the states of `client_state`. It knows no socket and no
/// timer: it is told the time, and makes transports by a function.
class client_link : public std::enable_shared_from_this<client_link>,
                    private client_transport::listener {
public:
  using clock = std::chrono::steady_clock;
  using time_point = clock::time_point;

  /// Makes the transport of one connection.
  using transport_factory = std::function<std::shared_ptr<client_transport>(
    const client_options&, client_transport::listener&)>;

  /// What a link has of the world.
  struct surroundings {
    std::function<time_point()> now;
    /// Returns a number that is at least 0 and below 1.
    backoff::random_source random;
    transport_factory make_transport;
    /// Hears that the link will not connect again by itself, and why; no error
    /// after `stop`.
    std::function<void(const caf::error&)> ended;
    /// Is called when a connection has told something: `next_deadline` may be
    /// another one.
    std::function<void()> changed;
  };

  client_link(client_options options, client_handlers handlers,
              surroundings world);

  client_link(const client_link&) = delete;

  client_link& operator=(const client_link&) = delete;

  ~client_link() override;

  /// Connects, or tries again at once where it waits to.
  void start();

  /// Sends what has its turn already, closes, and does not connect again.
  void stop();

  /// Lets go of the connection at once. Nobody hears of that.
  void drop();

  /// Ends at once, and fails what waits with `cancelled`.
  void kill();

  [[nodiscard]] client_state state() const noexcept {
    return state_;
  }

  [[nodiscard]] client_session& session() noexcept {
    return *session_;
  }

  /// Returns when `expire` has something to do next.
  [[nodiscard]] std::optional<time_point> next_deadline() const;

  /// Does what is due.
  void expire();

private:
  struct goaway {
    std::string reason;
    std::string reconnect = "backoff";
    uint64_t after_ms = 0;
    uint64_t spread_ms = 0;
    MSGPACK_DEFINE_MAP(reason, reconnect, MSGPACK_NVP("afterMs", after_ms),
                       MSGPACK_NVP("spreadMs", spread_ms))
  };

  void on_open() override {
    // The server speaks first.
  }

  void on_message(std::string_view message) override;

  void on_closed(close_report report) override;

  void on_drained() override;

  void read(std::string_view message);

  void over(close_report report);

  void set_state(client_state x);

  void connect();

  // Asks for a token; `on_token` hears it unless something else came first.
  void ask_token(token_reason why);

  void on_token(token_reason why, caf::expected<std::string> token);

  void open_transport();

  void on_frame(const frame_view& x);

  void on_welcome(const frame_view& x);

  void on_goaway(const frame_view& x);

  // Plans to show a fresh token before the log-in runs out.
  void plan_refresh(const welcome& x);

  void on_refreshed(const caf::error& why, const frame_view* reply);

  // Tries a refresh that failed another time, if there were not too many.
  void refresh_later(caf::timespan wait);

  // Returns whether another token may be taken where one was refused.
  bool forgives(const close_report& report);

  caf::timespan next_wait(const close_report& report);

  void end(const caf::error& why);

  client_options options_;
  client_handlers handlers_;
  surroundings world_;
  backoff backoff_;
  frame_reader reader_{codec::msgpack};
  std::shared_ptr<client_session> session_;
  std::shared_ptr<client_transport> transport_;
  // The one before, which may be in the middle of calling us.
  std::shared_ptr<client_transport> gone_;
  client_state state_ = client_state::disconnected;
  time_point connected_at_{};
  std::optional<time_point> connect_deadline_;
  std::optional<time_point> retry_at_;
  std::optional<time_point> refresh_at_;
  std::optional<goaway> goaway_;
  // To be tried before our own, the last one first; and where the last try
  // went.
  std::vector<url> elsewhere_;
  url tried_;
  // Why the server did not let us in, before it closes.
  caf::error refusal_;
  // Tells the last question for a token from those before.
  uint64_t token_questions_ = 0;
  size_t refusals_ = 0;
  size_t refresh_failures_ = 0;
  bool stopping_ = false;
  bool ended_ = false;
};

} // namespace callboard::net
