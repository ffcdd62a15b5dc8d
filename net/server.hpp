#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <caf/actor.hpp>
#include <caf/error.hpp>
#include <caf/expected.hpp>
#include <caf/fwd.hpp>

#include <callboard/actors/server_actor.hpp>
#include <callboard/net/server_options.hpp>

namespace callboard::net {

/// Makes callboard's types known to CAF. Call it once, before the first
/// `actor_system` is made, beside `caf::core::init_global_meta_objects`, and
/// for a cluster `caf::io::middleman::init_global_meta_objects`.
void init();

/// Counts a reload in `callboard_reloads_total` that came to nothing before
/// `server::reload` was called, which counts for itself. Any thread.
/// @param done whether the new options count.
void count_reload(caf::actor_system& sys, bool done);

/// A callboard node within an application: listens on a port, and serves its
/// clients on threads of its own. Actors talk to it through `handle`.
class server {
public:
  /// Starts a server.
  /// @param sys must outlive the server.
  /// @returns an error with a sentence where an option is out of its bounds or
  ///          the port cannot be had.
  static caf::expected<std::unique_ptr<server>> start(caf::actor_system& sys,
                                                      server_options options);

  /// Ends the server at once, as `stop` does.
  ~server();

  /// Returns the actor that applications talk to.
  [[nodiscard]] const server_handle& handle() const noexcept;

  /// Returns the TCP port that the server listens on.
  [[nodiscard]] uint16_t port() const noexcept;

  /// Returns where it listens, as browsers have it: `http://127.0.0.1:8080/`,
  /// or `https://…`.
  [[nodiscard]] std::string url() const;

  /// Returns where operators talk to it: `http://127.0.0.1:8081/`; empty:
  /// nowhere.
  [[nodiscard]] std::string admin_url() const;

  /// Returns where other nodes reach this one: `127.0.0.1:8180`; empty: it is
  /// in no cluster.
  [[nodiscard]] std::string cluster_address() const;

  /// Returns the actor that tells of other nodes (`cluster_actor.hpp`): to
  /// `(watch_atom, caf::actor)` a `node_event` for each that comes and goes. An
  /// invalid handle if the node is in no cluster. Any thread.
  [[nodiscard]] caf::actor cluster() const;

  /// Lets the node find others by these as well, as `HOST:PORT`. Any thread.
  /// @returns a sentence if the node is in no cluster, or one of them is wrong.
  caf::error join(std::vector<std::string> addresses);

  /// Takes other options while it serves, and reads anew what it has from files
  /// (`authority::reload`). Either all of it counts or nothing does. Topics
  /// that live keep their durability (see `callboard::revised`), circuits their
  /// state, connections what they have; none is closed for it. Returns when
  /// everything goes by the new options. Any thread but a loop's or an actor's;
  /// several take turns. Counted in `callboard_reloads_total`.
  /// @returns a sentence that says what is wrong.
  caf::error reload(reload_options x);

  /// Leaves the cluster, stops accepting, says `goaway` to everybody, a few at
  /// a time (see `drain_plan`), sends them the answers that they wait for and
  /// closes with 4004. Returns when the last connection is gone, or when
  /// `drain_timeout` is over. What topics of durability `memory` have kept is
  /// left to the store then. Any thread but a loop's or an actor's.
  void drain();

  /// Ends at once: connections are cut without a close frame. Any thread but a
  /// loop's or an actor's. A second call does nothing.
  void stop();

private:
  struct impl;

  explicit server(std::unique_ptr<impl> x);

  std::unique_ptr<impl> impl_;
};

} // namespace callboard::net
