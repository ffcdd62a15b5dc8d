#pragma once

#include <callboard/actors/connection.hpp>
#include <callboard/actors/server_actor.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/exit_reason.hpp>
#include <caf/send.hpp>

#include "support/test.hpp"

namespace callboard {

/// Frames back to back, as a transport without headers would have them.
class plain_framing : public framing {
public:
  void append(wire_form form, const frame_view& x, byte_buffer& out) override;
};

/// A socket that takes everything, unless it is `stuck`.
class fake_socket : public transport {
public:
  explicit fake_socket(outbox_ptr source) : box{std::move(source)} {
  }

  void flush(outbox&) override;

  size_t send(std::string_view bytes) override;

  void close(uint16_t code, std::string_view reason) override;

  void expiry_changed() override {
    ++expiry_changes;
  }

  outbox_ptr box;
  std::string received;
  bool stuck = false;
  /// Whether it forgets what it takes.
  bool deaf = false;
  size_t flushes = 0;
  size_t expiry_changes = 0;
  uint16_t close_code = 0;
  std::string close_reason;
};

/// A frame that owns its bytes.
struct frame {
  explicit frame(const frame_view& x);

  /// Returns the frame in words: `response 1 {"epoch":"run.1","offset":0}`,
  /// `event news @3 "hello"`, `event 5 news @3 of group attempt 2 "hello"`,
  /// `error 7 bad_subject`. An error whose number is not that of its name says
  /// so.
  [[nodiscard]] std::string words() const;

  frame_type type;
  uint32_t seq_id;
  int64_t timestamp;
  std::string subject;
  payload content;
  /// Without texts.
  meta_view meta;
  std::string epoch;
  std::string sender;
  std::string pattern;
  std::string trace;
  std::string group;
  std::string key;
  std::string origin;
};

/// A client and its connection, without a network between them.
class client {
public:
  client(caf::actor_system& sys, loop_context& ctx, connection_setup setup,
         wire_form form);

  // -- sending ----------------------------------------------------------------

  /// Lets the connection handle a message, within the loop's turn.
  void say_bytes(std::string_view bytes);

  void say(const frame_view& x);

  void say(frame_type type, uint32_t seq_id, std::string_view subject = {},
           const payload& content = {});

  /// Publishes text, within the turn.
  void publish(std::string_view topic, std::string_view text,
               uint32_t seq_id = 0, bool no_echo = false,
               std::string_view id = {});

  /// Returns the bytes that `say` gives to the connection.
  std::string encode(const frame_view& x) const;

  // -- receiving --------------------------------------------------------------

  /// Returns what came since the last call.
  std::vector<frame> take();

  /// Returns what came since the last call in words, joined by "; ".
  std::string heard();

  // -- state ------------------------------------------------------------------

  connection* operator->() const noexcept {
    return actor;
  }

  [[nodiscard]] uint16_t close_code() const noexcept {
    return socket.close_code;
  }

  [[nodiscard]] bool alive() const noexcept;

  loop_context& ctx;
  outbox_ptr box;
  fake_socket socket;
  connection_actor handle;
  connection* actor;
};

/// A node of any number of loops on the test coordinator. Its time is virtual.
struct node_fixture : test_coordinator_fixture<>, shard_host {
  node_fixture();

  ~node_fixture() override;

  /// Makes the loops and their actors; `node.options` and `node.rights` are
  /// set before.
  void start(uint32_t loops = 1);

  /// The same without shards, which the caller installs.
  void start_bare(uint32_t loops);

  /// The same with shards that the server's head makes. Returns the head, which
  /// the caller kills.
  server_handle start_server(uint32_t n = 2) {
    start_bare(n);
    auto result = sys.spawn<server_actor>(static_cast<shard_host&>(*this), node,
                                          pool);
    turn();
    node.next_epoch = 1;
    return result;
  }

  // -- clients ----------------------------------------------------------------

  /// Opens a connection on loop `loop`; its welcome is left to be heard.
  client& open(uint32_t loop = 0, std::string user = {},
               bool must_authenticate = false,
               wire_form form = wire_form::msgpack);

  /// The same, with the welcome heard.
  client& connect(uint32_t loop = 0, std::string user = {});

  /// Lets `x` say a frame and returns what it then hears.
  template <class... Ts>
  std::string say(client& x, Ts&&... xs) {
    x.say(std::forward<Ts>(xs)...);
    turn();
    return x.heard();
  }

  // -- time -------------------------------------------------------------------

  /// Runs all actors and ends the turn of every loop.
  void turn();

  /// One turn of each loop, whether or not something is left to do.
  void step();

  /// Lets time pass from one timer to the next.
  void pass(caf::timespan x);

  [[nodiscard]] int64_t now_ms() const;

  // -- actors -----------------------------------------------------------------

  template <class Handle>
  void kill(const Handle& x) {
    caf::anon_send_exit(x, caf::exit_reason::kill);
    turn();
  }

  /// Sends a request as an embedded actor and runs it. Its answer, or its
  /// error, is in words.
  template <class Handle, class... Ts>
  auto ask(const Handle& to, Ts&&... xs) {
    auto result = self->request(to, caf::infinite, std::forward<Ts>(xs)...);
    turn();
    return result;
  }

  // -- shard_host -------------------------------------------------------------

  broker_ref make_broker(uint32_t index) override;
  router_ref make_router(uint32_t index) override;
  heartbeat_actor make_heartbeat_monitor(uint32_t index) override;
  void install(uint32_t index, const broker_ref& shard) override;
  void install(uint32_t index, const router_ref& shard) override;
  void install(uint32_t index, const heartbeat_actor& monitor) override;
  void log_restart(const char* what, uint32_t index,
                   const caf::error& reason) override;

  /// What `install` does on every loop. In a node they do it at different
  /// moments.
  void install_on(loop_context& ctx, uint32_t index, const broker_ref& shard);

  plain_framing wire;
  node_context node;
  std::vector<std::unique_ptr<loop_context>> loops;
  std::vector<std::unique_ptr<client>> clients;
  pool_actor pool;
  /// What `log_restart` was told: "broker 0".
  std::vector<std::string> restarts;
};

/// Returns a topic, `prefix` and a number, that shard `shard` owns.
std::string name_on(uint32_t shard, uint32_t shards,
                    const std::string& prefix = "t");

/// Returns a string as a payload.
payload text(const std::string& x);

/// Returns the string in a payload.
std::string text_of(const payload& x);

/// Returns `errc`'s name for an error, or how CAF writes it.
std::string words_of(const caf::error& x);

} // namespace callboard
