#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <sys/types.h>

#include <caf/intrusive_ptr.hpp>

#include <callboard/actors/connection.hpp>
#include <callboard/actors/heartbeat.hpp>
#include <callboard/actors/outbox.hpp>
#include <callboard/net/io_loop.hpp>
#include <callboard/net/tls_stream.hpp>
#include <callboard/net/ws_handler.hpp>
#include <callboard/net/ws_parser.hpp>

namespace callboard::net {

class ws_session;

/// What a session needs from the part of its loop that keeps the sessions.
class ws_session_host {
public:
  virtual ~ws_session_host() = default;

  virtual io_loop& loop() = 0;

  /// The session is closing: call its `on_deadline` in two seconds.
  virtual void closing(ws_session& x) = 0;

  /// The session has ended and may go.
  virtual void ended(ws_session& x) = 0;
};

/// One WebSocket after its handshake: bytes to and from the socket, on one
/// loop's thread. It reads for its connection's actor, or answers each message
/// with itself where it has none (`--echo`).
///
/// What sending touches comes first, in one cache line (see `outbox`).
class alignas(cache_line_bytes) ws_session final : public transport,
                                                   public io_handler,
                                                   private ws_handler,
                                                   public heartbeat {
public:
  using ptr = caf::intrusive_ptr<ws_session>;

  /// @param socket a connected, non-blocking descriptor, which is now ours.
  /// @param tls what speaks TLS on it, after its handshake; null: nothing does.
  ws_session(ws_session_host& host, int socket, std::unique_ptr<tls_stream> tls,
             const ws_parser_options& parsing, outbox_ptr box);

  ~ws_session() override;

  /// Begins to serve.
  /// @param actor the connection's actor; null for an echo.
  /// @param head bytes that were received with the handshake; written to.
  void open(connection* actor, std::span<char> head);

  // -- transport --------------------------------------------------------------

  void flush(outbox& box) override;

  size_t send(std::string_view bytes) override;

  void close(uint16_t code, std::string_view reason) override;

  void expiry_changed() override;

  // -- heartbeat --------------------------------------------------------------

  void ping() override;

  void timed_out() override;

  [[nodiscard]] int64_t expires_ms() const override;

  void expired() override;

  // -- from the loop ----------------------------------------------------------

  void on_ready(uint32_t events) override;

  /// Ends a session whose close has taken too long.
  void on_deadline();

  /// Ends it at once, without a close frame.
  void end();

  /// Closes a session whose client did not say in time who it is.
  void authentication_due();

  /// The load is too high for who is not logged in: closes such a session.
  void shed_login();

  /// The node ends: closes a session that the pool does not know, because it
  /// has no actor or its client is not logged in.
  void turn_away();

  [[nodiscard]] connection* actor() const noexcept {
    return actor_;
  }

  /// Whether it never has an actor.
  [[nodiscard]] bool is_echo() const noexcept {
    return echo_;
  }

  /// Returns its connection's number, whether or not that lives; 0: an echo.
  [[nodiscard]] connection_id connection_number() const noexcept {
    return box_->connection;
  }

  /// Its place in the host's list.
  size_t slot = 0;

private:
  // Pieces that one system call sends.
  static constexpr size_t pieces_max = 64;

  // -- ws_handler -------------------------------------------------------------

  bool on_message(ws_opcode kind, std::string_view bytes) override;

  bool on_ping(std::string_view bytes) override;

  bool on_pong(std::string_view bytes) override;

  bool on_close(uint16_t code, std::string_view reason) override;

  // -- reading ----------------------------------------------------------------

  void receive();

  // Receives once.
  // @returns what `recv` does.
  ssize_t receive_into(std::span<char> buffer);

  void parse(std::span<char> bytes);

  void parsed(ws_status status);

  void fail(uint16_t code, std::string_view reason);

  // -- writing ----------------------------------------------------------------

  void append_control(ws_opcode kind, std::string_view body);

  // Sends the pieces that an outbox has next.
  // @returns what `send` does.
  ssize_t send_pieces(std::span<const std::string_view> pieces);

  ssize_t send_encrypted(std::span<const std::string_view> pieces);

  // Whether bytes wait that the socket did not take.
  [[nodiscard]] bool has_unsent() const noexcept;

  void after_flush();

  // Reads on after the answers have been sent.
  void go_on();

  void watch_for();

  void cut_slow_consumer();

  // -- ending -----------------------------------------------------------------

  void lost(uint16_t code, std::string_view reason);

  // Calls `f` in the actor's context, if it still lives.
  template <class F>
  void with_actor(F&& f);

  int socket_;
  // Events that the loop watches the socket for.
  uint8_t watched_events_ = 0;
  // The close frame has been queued.
  bool closing_ = false;
  // Everything was sent and the peer was told that no more comes.
  bool shut_down_ = false;
  // The peer's close frame has come.
  bool peer_closed_ = false;
  // The socket failed; `lost` follows at the turn's end.
  bool broken_ = false;
  // `tls_` is there; nearer than that.
  bool encrypted_;
  bool paused_ = false;
  bool deferred_ = false;
  bool echo_ = false;
  bool binary_;
  ws_session_host& host_;
  outbox_ptr box_;
  // Kept alive by the strong reference behind it.
  connection* actor_ = nullptr;
  caf::strong_actor_ptr keep_;
  std::unique_ptr<tls_stream> tls_;
  ws_parser parser_;
  int64_t pinged_us_ = 0;
};

} // namespace callboard::net
