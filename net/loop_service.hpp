#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <caf/telemetry/counter.hpp>
#include <caf/telemetry/gauge.hpp>

#include <callboard/actors/admission.hpp>
#include <callboard/actors/loop_audit.hpp>
#include <callboard/net/accept_queue.hpp>
#include <callboard/net/address_limits.hpp>
#include <callboard/net/http_front.hpp>
#include <callboard/net/http_session.hpp>
#include <callboard/net/io_loop.hpp>
#include <callboard/net/leak_log.hpp>
#include <callboard/net/node_store.hpp>
#include <callboard/net/trusted_proxies.hpp>
#include <callboard/net/user_limits.hpp>
#include <callboard/net/ws_deflate.hpp>
#include <callboard/net/ws_framing.hpp>
#include <callboard/net/ws_session.hpp>

namespace callboard::net {

/// What the loops of a server share.
struct server_context {
  server_context(caf::actor_system& sys, server_options opts,
                 std::unique_ptr<tls_source> certificates, uint32_t loops)
    : system{sys},
      options{std::move(opts)},
      admitted{loops, options.node.connections_max},
      queue{admitted,
            options.accept_wait.count() > 0 ? options.accept_queue_max : 0},
      tls{std::move(certificates)},
      addresses{options},
      proxies{options.trusted_proxies},
      store{sys, options} {
    node.loops = loops;
    node.log_leak = log_leak;
    node.users = make_user_register(options.node);
    node.store = store.get();
    set_load_low(options.node.load);
  }

  /// Lets what the loops share go by other limits. Nobody loses a place.
  void set_limits(const client_limits& clients, const front_limits& front) {
    addresses.set_limits(front);
    node.users->set_limits(clients);
    set_load_low(clients.load);
    admitted.set_connections_max(clients.connections_max);
    queue.look_again();
  }

  void set_load_low(const load_options& x) {
    node.load_low = x.high > 0 ? x.low : 0;
  }

  caf::actor_system& system;
  server_options options;
  node_context node;
  admission admitted;
  accept_queue queue;
  std::unique_ptr<tls_source> tls;
  address_limits addresses;
  trusted_proxies proxies;
  node_store store;
  /// Sockets that no loop counts: those of operators, and those on their way to
  /// their loop. Outlives this with who counts descriptors.
  std::shared_ptr<std::atomic<int64_t>> other_sockets
    = std::make_shared<std::atomic<int64_t>>(0);
};

/// One loop with all that is served on it: HTTP sessions, WebSockets and their
/// connections. Used on the loop's thread, but for `take`.
class loop_service : public http_front,
                     public ws_session_host,
                     private audited_sockets {
public:
  /// HTTP sessions of a loop beside its WebSockets.
  static constexpr size_t http_sessions_max = 4096;

  // Who waits for a place has one of them, and leaves as many to others.
  static_assert(accept_queue::loop_waiting_max * 2 <= http_sessions_max);

  /// For the other end to close after us, in milliseconds.
  static constexpr int64_t close_ms = 2'000;

  loop_service(server_context& shared, uint32_t index);

  ~loop_service() override;

  /// Serves an accepted socket from now on. Any thread.
  void take(int socket);

  io_loop& loop() override {
    return loop_;
  }

  /// Calls `f(connection&)` for every connection that lives.
  template <class F>
  void for_each_connection(F&& f) {
    for (auto& x : sessions_)
      if (auto* actor = x->actor())
        f(*actor);
  }

  /// Lets these pages open WebSockets from now on, and holds clients to other
  /// limits.
  void change(std::vector<std::string> origins,
              std::shared_ptr<const client_limits> limits) {
    origins_ = std::move(origins);
    loop_.context().set_limits(std::move(limits));
  }

  /// Hands every connection to the loop's heartbeat monitor.
  void watch_heartbeats();

  /// The node ends: closes every session that the pool does not know, and
  /// refuses the handshakes that wait for a place. Those that come later are
  /// closed as they open.
  void turn_away();

  /// Ends every session and connection.
  void end_all();

  // -- http_front -------------------------------------------------------------

  const server_options& options() const override {
    return shared_.options;
  }

  std::shared_ptr<const tls_context> tls() const override;

  const std::vector<std::string>& origins() const override {
    return origins_;
  }

  bool open_session(std::string_view peer) override;

  void close_session(std::string_view peer) override;

  bool open_encrypted(std::string_view peer) override;

  std::string client_address(std::string_view peer,
                             std::string_view forwarded_for) const override;

  std::optional<limit_hit> check_load() override;

  std::optional<limit_hit> take_handshake(std::string_view address) override;

  std::optional<limit_hit> admit(std::string_view address) override;

  queue_entry enter_queue(std::string_view address,
                          std::function<void()> called) override;

  bool leave_queue(std::string_view address, uint64_t ticket,
                   const std::optional<limit_hit>& met) override;

  void forgo(std::string_view address) override;

  bool ready() const override;

  bool joining() const override;

  std::vector<std::string> elsewhere() override;

  std::string_view store_state() const override;

  std::string metrics_text() override;

  void open(ws_upgrade&& upgrade) override;

  void count_reply(unsigned status) override;

  void tls_failed(std::string_view address, std::string_view reason) override;

  // -- ws_session_host --------------------------------------------------------

  void closing(ws_session& x) override;

  void ended(ws_session& x) override;

private:
  struct deadline {
    int64_t due_ms;
    ws_session::ptr session;
  };

  using deadlines = std::deque<deadline>;

  // What is known of a session beside itself.
  struct session_record {
    // Whose place it has.
    std::string address;
    uint64_t number = 0;
    // What it was as its close began; null: it does not close.
    std::unique_ptr<leak_history> closing;
  };

  // -- audited_sockets --------------------------------------------------------

  size_t sockets() const override;

  socket_facts socket(size_t i) const override;

  leak_history socket_history(size_t i) const override;

  int64_t closing_time_ms() const override;

  void close_socket(size_t i) override;

  void end_socket(size_t i) override;

  size_t surplus_places() override;

  void give_back_places(size_t n) override;

  // Goes on looking for what was left behind.
  void audit();

  // Lets the pool know how many descriptors there are.
  void count_descriptors();

  // ---------------------------------------------------------------------------

  // Gives the place of an address back.
  void leave_place(std::string_view address);

  void tick();

  // Takes those that are due off the front, which is in order: all of one
  // queue wait equally long.
  template <class F>
  void expire(deadlines& queue, F&& f);

  void log_states();

  void log_circuits();

  // Sees to it that those go whom another stage of the load has no place for.
  void watch_load();

  void shed_logins();

  void log_load();

  // Gives memory that was freed back to the system, if what there is of it
  // keeps this loop from taking work.
  void trim_memory();

  // Counts a refusal.
  std::optional<limit_hit> counted(std::optional<limit_hit> x);

  server_context& shared_;
  caf::telemetry::int_counter* tls_failures_;
  // Of the whole node.
  caf::telemetry::int_gauge* waiting_;
  std::vector<std::string> origins_;
  ws_framing framing_;
  ws_inflater inflater_;
  ws_parser_options plain_;
  ws_parser_options deflated_;
  io_loop loop_;
  std::vector<ws_session::ptr> sessions_;
  // Each at its session's slot.
  std::vector<session_record> records_;
  uint64_t last_number_ = 0;
  // Places that handshakes have which are no sessions yet.
  size_t reserved_ = 0;
  // The stage of the load that the log tells of, since when.
  load_stage logged_stage_ = load_stage::none;
  int64_t logged_ms_ = 0;
  int64_t trimmed_ms_ = 0;
  deadlines closing_;
  deadlines connecting_;
  http_sessions http_;
  loop_audit audit_;
};

} // namespace callboard::net
