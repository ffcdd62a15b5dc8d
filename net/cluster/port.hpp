#pragma once

#include <cstdint>
#include <string>

#include <caf/actor.hpp>
#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/fwd.hpp>
#include <caf/io/middleman_actor.hpp>

#include <callboard/net/cluster/options.hpp>

namespace callboard::net {

/// Where a node takes other nodes' connections: CAF's remoting, with TLS where
/// there are certificates. Used by the thread that starts and ends the server.
class cluster_port {
public:
  /// Checks that the actor system has what it takes, and that the address may
  /// be listened on.
  /// @param sys outlives this.
  /// @returns a sentence that says what is wrong.
  static caf::expected<cluster_port> make(caf::actor_system& sys,
                                          const cluster_settings& settings);

  /// Lets other nodes reach an actor.
  /// @returns a sentence where the port cannot be had.
  caf::error publish(const caf::actor& x);

  /// Takes no further connections. A second call does nothing.
  void close();

  /// Returns what other nodes reach it by: `HOST:PORT`.
  [[nodiscard]] const std::string& address() const noexcept {
    return address_;
  }

  /// Returns CAF's actor that makes connections.
  [[nodiscard]] const caf::io::middleman_actor& transport() const noexcept {
    return transport_;
  }

private:
  cluster_port(caf::actor_system& sys, caf::io::middleman_actor transport,
               std::string address, std::string ip, uint16_t port);

  caf::actor_system* system_;
  caf::io::middleman_actor transport_;
  std::string address_;
  // What its host stands for.
  std::string ip_;
  uint16_t port_;
  caf::actor published_;
};

} // namespace callboard::net
