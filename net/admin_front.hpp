#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <caf/actor.hpp>
#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/fwd.hpp>
#include <caf/telemetry/counter.hpp>

#include <callboard/net/admin_caller.hpp>
#include <callboard/net/admin_gate.hpp>
#include <callboard/net/admin_node.hpp>
#include <callboard/net/bound_socket.hpp>
#include <callboard/net/http_desk.hpp>
#include <callboard/net/http_session.hpp>
#include <callboard/net/listener.hpp>
#include <callboard/net/loop_service.hpp>

namespace callboard::net {

/// What became of a request to the admin listener, as
/// `callboard_admin_requests_total` counts it.
enum class admin_result : uint8_t {
  answered,
  /// 401: without the key.
  unauthenticated,
  /// 403: it may come from a page.
  forbidden,
  /// Every other 4xx.
  refused,
  /// 5xx.
  failed,
  /// A socket that was closed: there are too many.
  sessions,
};

inline constexpr size_t admin_result_count = 6;

using admin_counters
  = std::array<caf::telemetry::int_counter*, admin_result_count>;

/// Returns the counters, made on first use.
admin_counters make_admin_counters(caf::telemetry::metric_registry& registry);

/// The port and the key of an admin listener.
struct admin_entrance {
  /// Null: there is no listener.
  std::unique_ptr<bound_socket> socket;
  /// Empty: none is asked for.
  std::string key;

  /// Reads the key and binds the port.
  /// @returns a sentence if one of them cannot be had.
  static caf::expected<admin_entrance> open(const admin_options& options);
};

/// Serves operators on a loop: a listener and HTTP sessions of its own, which
/// nothing of the clients' can use up. On the loop's thread, but for what says
/// otherwise.
class admin_front final : public http_front, public http_desk {
public:
  /// Sessions at once; for a further one the oldest that waits for a request
  /// is closed, or the new one if there is none.
  static constexpr size_t sessions_max = 64;

  /// Bytes of a body beside its payload.
  static constexpr size_t body_bytes_beside = 4096;

  /// @param home the loop; outlives this.
  /// @param gate the cluster actor, or an invalid handle.
  /// @param entrance has a socket.
  admin_front(server_context& shared, loop_service& home,
              const server_handle& head, caf::actor gate,
              admin_entrance entrance);

  ~admin_front() override;

  /// Begins to accept.
  void start();

  /// Ends everything. A second call does nothing.
  void stop();

  /// Reads the key anew. Any thread.
  /// @returns what makes it count, or a sentence that says what is wrong.
  caf::expected<std::function<void()>> reload();

  /// Returns `http://127.0.0.1:8081/`. Any thread.
  [[nodiscard]] const std::string& url() const noexcept {
    return url_;
  }

  // -- http_front -------------------------------------------------------------

  const server_options& options() const override {
    return options_;
  }

  http_desk* desk() override {
    return this;
  }

  bool open_session(std::string_view peer) override;

  void close_session(std::string_view peer) override;

  std::optional<limit_hit> admit(std::string_view address) override;

  void forgo(std::string_view) override {
    // Nobody opens a WebSocket.
  }

  void open(ws_upgrade&&) override {
    // The same.
  }

  bool ready() const override {
    return home_.ready();
  }

  bool joining() const override {
    return home_.joining();
  }

  std::string_view store_state() const override {
    return home_.store_state();
  }

  std::string metrics_text() override {
    return home_.metrics_text();
  }

  void count_reply(unsigned status) override;

  // -- http_desk --------------------------------------------------------------

  std::optional<http_content> check(const http_request& x) override;

  bool takes(const http_request& x) override;

  void serve(http_request x, reply f) override;

private:
  void accept(int descriptor);

  void count(admin_result x);

  loop_service& home_;
  server_options options_;
  std::string url_;
  admin_gate gate_;
  admin_node node_;
  admin_counters counters_;
  // Of the node, see `server_context`.
  std::shared_ptr<std::atomic<int64_t>> sockets_;
  http_sessions sessions_;
  listener listener_;
  caf::actor caller_;
  admin_caller* caller_object_;
  bool stopped_ = false;
};

} // namespace callboard::net
