#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/actors/authority.hpp>
#include <callboard/actors/limits.hpp>
#include <callboard/messages/codec.hpp>
#include <callboard/net/server_options.hpp>
#include <callboard/net/tls_context.hpp>
#include <callboard/net/tls_stream.hpp>
#include <callboard/net/ws_extensions.hpp>

namespace callboard::net {

class http_desk;

/// A WebSocket that was accepted and whose 101 has been sent.
struct ws_upgrade {
  /// The TCP descriptor, non-blocking and known to no reactor. Whoever gets
  /// this closes it.
  int socket = -1;
  /// What speaks TLS on it; null: nothing does.
  std::unique_ptr<tls_stream> tls;
  /// The bytes received behind the request: a client need not wait for the 101
  /// before it sends frames. Less than 64 KiB.
  std::string head;
  /// Whether the path was `server_options::echo_path`.
  bool echo = false;
  /// The subprotocol that was chosen.
  codec encoding = codec::msgpack;
  /// How messages may be compressed; nothing if they may not.
  std::optional<ws_deflate_params> deflate;
  /// Who is at the other end, as `authority::authenticate` returned it.
  identity who;
  /// Whether it is known who that is. Where `authority::authenticate` is set
  /// and it is not, the client has yet to send `connect`.
  bool authenticated = false;
  /// The client's IP address.
  std::string address;
};

/// Who is at the other end of an HTTP session.
struct http_peer {
  /// The IP address of the socket's other end.
  std::string_view address;
  /// The common name in a verified client's certificate; empty: none.
  std::string_view certificate = {};
  /// Until when that is good, in Unix milliseconds.
  int64_t certificate_expires_ms = 0;
  /// Whether it speaks TLS.
  bool encrypted = false;
};

/// A handshake's stand in the queue for a place.
struct queue_entry {
  /// Its number.
  uint64_t ticket = 0;
  /// The limit that it would break; nothing: it waits.
  std::optional<limit_hit> refused;
};

/// What the HTTP side of a loop needs from its server. Called on the loop's
/// thread.
class http_front {
public:
  virtual ~http_front() = default;

  virtual const server_options& options() const = 0;

  /// Returns what answers the requests of operators; null: there are none.
  /// Where there is one, nobody opens a WebSocket.
  virtual http_desk* desk() {
    return nullptr;
  }

  /// Returns what new connections speak TLS with; null: they speak none.
  virtual std::shared_ptr<const tls_context> tls() const {
    return nullptr;
  }

  /// Returns the pages that may open a WebSocket, as `server_options::origins`
  /// has them.
  virtual const std::vector<std::string>& origins() const {
    return options().origins;
  }

  /// Returns whether an HTTP session with this peer may begin, which
  /// `close_session` ends.
  virtual bool open_session(std::string_view peer) {
    static_cast<void>(peer);
    return true;
  }

  virtual void close_session(std::string_view peer) {
    static_cast<void>(peer);
  }

  /// Takes the handshake that a TLS connection with this peer begins with,
  /// unless there is far too much to do for one.
  /// @returns false if it may not begin now.
  virtual bool open_encrypted(std::string_view peer) {
    static_cast<void>(peer);
    return true;
  }

  /// Returns the client's IP address.
  /// @param peer that of the other end of the socket.
  /// @param forwarded_for the request's `X-Forwarded-For`, which anybody may
  ///                      send; empty: none.
  virtual std::string client_address(std::string_view peer,
                                     std::string_view forwarded_for) const {
    static_cast<void>(forwarded_for);
    return std::string{peer};
  }

  /// Returns the limit that a WebSocket of anybody would break because of the
  /// loop's load; nothing: none.
  virtual std::optional<limit_hit> check_load() {
    return {};
  }

  /// Takes one of the handshakes that this address may begin now.
  /// @returns the limit that it would break; nothing: it may go on.
  virtual std::optional<limit_hit> take_handshake(std::string_view address) {
    static_cast<void>(address);
    return {};
  }

  /// Reserves a place for a WebSocket connection of this address.
  /// @returns the limit that it would break; nothing: it has its place.
  virtual std::optional<limit_hit> admit(std::string_view address) = 0;

  /// Lets a handshake of this address wait until a place is reserved for it,
  /// which `admit` could not do: the node is full.
  /// @param called is called on the loop's thread when it is, and not by this
  ///               call.
  virtual queue_entry enter_queue(std::string_view address,
                                  std::function<void()> called) {
    static_cast<void>(address);
    static_cast<void>(called);
    return {0, limit_hit{limit_kind::connections}};
  }

  /// Lets it wait no longer.
  /// @param met the limit that it has met so, which counts; nothing: none.
  /// @returns false if it has its place by now, which is reserved from then on.
  virtual bool leave_queue(std::string_view address, uint64_t ticket,
                           const std::optional<limit_hit>& met) {
    static_cast<void>(address);
    static_cast<void>(ticket);
    static_cast<void>(met);
    return true;
  }

  /// Gives a reserved place back, because the 101 could not be sent.
  virtual void forgo(std::string_view address) = 0;

  /// Returns whether the server goes on; if not, `/ready` and upgrades are
  /// answered 503 `shutting_down`, and connections end behind every answer.
  virtual bool ready() const = 0;

  /// Returns whether the node has yet to join its cluster: until then `/ready`
  /// and upgrades are answered 503 `joining`, and all else as ever.
  virtual bool joining() const {
    return false;
  }

  /// Returns where a client is sent that is refused because of the node, and
  /// counts it: URLs that can stand between JSON's quotes; none: nowhere.
  virtual std::vector<std::string> elsewhere() {
    return {};
  }

  /// Returns what is wrong with the store in a word; empty: nothing.
  virtual std::string_view store_state() const {
    return {};
  }

  /// Returns all metrics in Prometheus' text format.
  virtual std::string metrics_text() = 0;

  /// Takes over a WebSocket, and with it the reserved place.
  virtual void open(ws_upgrade&& upgrade) = 0;

  /// Counts an answer by its status, 101 … 599. The zero value ignores it.
  virtual void count_reply(unsigned status) {
    static_cast<void>(status);
  }

  /// Counts a TLS handshake that came to nothing. The zero value ignores it.
  virtual void tls_failed(std::string_view address, std::string_view reason) {
    static_cast<void>(address);
    static_cast<void>(reason);
  }
};

} // namespace callboard::net
