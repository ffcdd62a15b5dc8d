#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <callboard/net/http_desk.hpp>
#include <callboard/net/http_reader.hpp>
#include <callboard/net/http_reply.hpp>
#include <callboard/net/http_session.hpp>
#include <callboard/net/tls_stream.hpp>

// What the sources of HTTP sessions share. Not installed.

namespace callboard::net {

/// One connection. Asio's handlers own it: at least the deadline's is always
/// pending. The list of its `http_sessions` does not.
class http_session : public std::enable_shared_from_this<http_session> {
public:
  http_session(tcp::socket socket, http_front& front, http_sessions& sessions,
               std::string address);

  ~http_session();

  static bool has_place(const http_sessions& sessions) noexcept {
    return sessions.size_ < sessions.sessions_max_;
  }

  void start();

  /// Closes the socket and leaves the list; later handlers do nothing.
  void finish();

  /// The node ends: refuses a handshake that waits for a place.
  /// @returns who follows in the list.
  http_session* turn_away();

  /// Returns whether it has nothing that anybody waits for.
  [[nodiscard]] bool is_idle() const noexcept {
    return (state_ == state::reading && asked_ == nullptr)
           || state_ == state::lingering;
  }

  /// Returns who follows in the list.
  [[nodiscard]] http_session* next() const noexcept {
    return next_;
  }

private:
  enum class state { reading, queued, asking, writing, lingering, closed };

  static std::unique_ptr<tls_stream> make_tls(tcp::socket& socket,
                                              const http_front& front);

  // -- waiting ----------------------------------------------------------------

  void arm(caf::timespan timeout);

  void wait(tcp::socket::wait_type what);

  void wait_to_read();

  /// Goes on unless the state is another one since this was asked for.
  void resume(state then, error_code ec);

  void on_deadline();

  // -- reading ----------------------------------------------------------------

  void read();

  void take_request();

  void take(http_request request);

  void take_body();

  /// Tells a client that its body is wanted (RFC 9110, 10.1.1).
  void invite_body();

  /// Waits for the desk's answer, for as long as for a request.
  void ask(http_request request);

  http_reply answer_to(const http_request& request);

  void discard();

  // -- waiting for a place ----------------------------------------------------

  void wait_for_place(http_reply reply);

  /// A client may send frames already. Then nothing tells that it goes away,
  /// until its turn has come.
  void look_for_end();

  /// It has its place.
  void take_place();

  /// @param met the limit that is to blame; nothing: the node ends.
  void stop_waiting(const std::optional<limit_hit>& met);

  /// @returns false unless it has waited and got no place.
  bool leave_queue(const std::optional<limit_hit>& met);

  // -- writing ----------------------------------------------------------------

  void send(http_reply reply);

  void write();

  /// Sends what is encrypted already.
  /// @returns false if it waits for the socket, or the session has ended.
  bool flush_encrypted();

  /// Goes on with the next request. One that is here already waits for the
  /// loop's next turn, so that nobody has the loop for himself.
  void go_on();

  void linger();

  void hand_over();

  // -- leaving ----------------------------------------------------------------

  void leave();

  void unlink() noexcept;

  tcp::socket socket_;
  asio::steady_timer deadline_;
  http_front& front_;
  http_sessions* sessions_;
  http_session* previous_ = nullptr;
  http_session* next_;
  std::unique_ptr<tls_stream> tls_;
  std::string address_;
  http_reader reader_;
  /// For the desk, without its body.
  std::unique_ptr<http_request> asked_;
  /// What is being written, and how many of its bytes were.
  std::optional<http_reply> reply_;
  size_t sent_ = 0;
  /// Its number while it waits for a place.
  uint64_t ticket_ = 0;
  state state_ = state::reading;
  /// Whether a request was answered already.
  bool answered_ = false;
};

} // namespace callboard::net
