#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <callboard/actors/authority.hpp>
#include <callboard/messages/codec.hpp>
#include <callboard/net/server_options.hpp>
#include <callboard/net/ws_extensions.hpp>

namespace callboard::net {

/// A WebSocket that was accepted and whose 101 has been sent.
struct ws_upgrade {
  /// The TCP descriptor, non-blocking and known to no reactor. Whoever gets
  /// this closes it.
  int socket = -1;
  /// The bytes received behind the request: a client need not wait for the 101
  /// before it sends frames. Less than 32 KiB.
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
  /// The peer's IP address.
  std::string address;
};

/// What the HTTP side of a loop needs from its server. Called on the loop's
/// thread.
class http_front {
public:
  virtual ~http_front() = default;

  virtual const server_options& options() const = 0;

  /// Returns the pages that may open a WebSocket, as `server_options::origins`
  /// has them.
  virtual const std::vector<std::string>& origins() const {
    return options().origins;
  }

  /// Reserves a place for a WebSocket connection.
  /// @returns false if there is none, which is answered 503 `overloaded`.
  virtual bool admit() = 0;

  /// Gives a reserved place back, because the 101 could not be sent.
  virtual void forgo() = 0;

  /// Returns whether connections are taken; if not, `/ready` and upgrades are
  /// answered 503 `shutting_down`.
  virtual bool ready() const = 0;

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
};

} // namespace callboard::net
