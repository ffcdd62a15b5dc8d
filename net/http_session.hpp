#pragma once

#include <cstddef>

#include <callboard/net/boost/asio.hpp>
#include <callboard/net/http_front.hpp>

namespace callboard::net {

class http_session;

/// The HTTP sessions that a loop serves, so that they can be bounded and ended.
/// A session that becomes a WebSocket leaves it. Belongs to the loop's thread.
class http_sessions {
public:
  /// @param sessions_max most sessions at a time; further sockets are closed
  ///                     at once.
  explicit http_sessions(size_t sessions_max) noexcept;

  http_sessions(const http_sessions&) = delete;

  http_sessions& operator=(const http_sessions&) = delete;

  /// Ends all sessions.
  ~http_sessions();

  /// Returns how many sessions there are.
  [[nodiscard]] size_t size() const noexcept {
    return size_;
  }

  /// The node ends: refuses the handshakes that wait for a place.
  void turn_away();

  /// Ends the oldest session that waits for a request's head, or was refused.
  /// @returns false if there is none.
  bool end_oldest_idle() noexcept;

  /// Ends all sessions: closes their sockets, whatever is under way. They call
  /// their `http_front` no more, except that their own places and reserved
  /// ones are given back now.
  void close_all() noexcept;

private:
  friend class http_session;

  http_session* first_ = nullptr;
  size_t size_ = 0;
  size_t sessions_max_;
};

/// Serves HTTP/1.1 on an accepted socket until that is closed or becomes a
/// WebSocket. For each request there is `server_options::request_timeout`.
/// @param socket its executor's context is run by the calling thread only.
/// @param front lives until `sessions` is empty.
void serve_http(tcp::socket socket, http_front& front, http_sessions& sessions);

} // namespace callboard::net
