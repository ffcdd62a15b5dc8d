#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "endpoint.hpp"
#include "options.hpp"
#include "silent_crowd.hpp"
#include "tally.hpp"
#include "tls.hpp"

namespace callboard::cmd::bench {

class dialect;
class load;

/// The steps of a run. The thread that started it moves them on; each worker
/// follows at its next turn.
enum class run_phase : uint8_t { connect, warm_up, measure, drain, hang_up };

/// What all workers of a run share.
struct run_state {
  const bench_options& options;
  endpoint target;
  /// Begins the names of the run's topics, which no other run uses.
  std::string topic;
  std::atomic<run_phase> phase{run_phase::connect};
  /// Whether all that was to be measured was.
  std::atomic<bool> measured{false};
};

enum class link_state : uint8_t {
  fresh,
  connecting,
  /// Waits to become a WebSocket, in those dialects that use one.
  upgrading,
  /// Connected, not yet what the load needs.
  joining,
  ready,
  closed,
};

/// One connection of the load generator.
struct link {
  int fd = -1;
  /// What speaks TLS on it; null: nothing does.
  tls_link_ptr tls;
  /// Counts the worker's connections from 0.
  uint32_t index = 0;
  link_state state = link_state::fresh;
  /// Whether it stops reading while it is measured.
  bool stalls = false;
  /// The front of a message whose rest has not come.
  std::vector<uint8_t> rest;
  /// What the socket did not take.
  std::string unsent;
};

/// One thread of the load generator: an epoll loop with its connections, one
/// receive buffer and no allocation for a message.
class worker {
public:
  /// @param links how many connections to make.
  worker(run_state& state, std::unique_ptr<load> what,
         std::unique_ptr<dialect> how, uint32_t links);

  worker(const worker&) = delete;

  ~worker();

  /// Has it make TCP connections that say nothing, beside its links. Call
  /// before `run`.
  void add_silent(uint32_t count);

  /// Runs until the connections are hung up. Call on a thread of its own.
  void run();

  // -- for any thread ---------------------------------------------------------

  /// Returns the step of the run that it is in; what the others below return
  /// is no older.
  run_phase phase() const {
    return seen_phase_.load(std::memory_order_acquire);
  }

  /// Returns how many connections are ready for the load.
  uint64_t ready_count() const {
    return seen_ready_.load(std::memory_order_relaxed);
  }

  uint64_t published() const {
    return seen_published_.load(std::memory_order_relaxed);
  }

  uint64_t delivered() const {
    return seen_delivered_.load(std::memory_order_relaxed);
  }

  uint64_t errors() const {
    return seen_errors_.load(std::memory_order_relaxed);
  }

  /// Returns how many of the connections that stop reading the server has cut
  /// off.
  uint64_t stalled_ended() const {
    return seen_stalled_ended_.load(std::memory_order_relaxed);
  }

  /// Tells whether the run cannot go on; `failure` says why once `run` ended.
  bool failed() const {
    return failed_.load(std::memory_order_acquire);
  }

  // -- for the load and the dialect, on the worker's thread -------------------

  const bench_options& options() const {
    return state_.options;
  }

  const std::string& topic() const {
    return state_.topic;
  }

  const endpoint& target() const {
    return state_.target;
  }

  load& what() {
    return *what_;
  }

  dialect& how() {
    return *how_;
  }

  std::vector<link>& links() {
    return links_;
  }

  /// Returns the monotonic clock at the last receive, in nanoseconds.
  int64_t now() const {
    return now_;
  }

  /// Returns Unix time in milliseconds.
  int64_t now_ms() const {
    return (now_ + unix_offset_ns_) / 1'000'000;
  }

  /// Tells whether new messages may be sent.
  bool may_publish() const {
    return phase_ == run_phase::warm_up || phase_ == run_phase::measure;
  }

  bool is_measuring() const {
    return phase_ == run_phase::measure;
  }

  /// Returns for how long it has been measuring, in nanoseconds.
  int64_t measured_ns() const {
    return now_ + window_.elapsed_ns;
  }

  /// Ends the measured time: what there was to see was seen.
  void finish_early() {
    state_.measured.store(true, std::memory_order_release);
  }

  /// Tells whether one more connection may be begun: so many are made at once.
  bool may_connect() const;

  /// Begins to connect a link that is fresh.
  void connect(link& which);

  /// Ends a connection as if the network had, and counts nothing: it is fresh
  /// again.
  void drop(link& which);

  /// Returns an empty buffer to gather one connection's output in.
  std::string& scratch() {
    scratch_.clear();
    return scratch_;
  }

  /// Sends whole messages, in order; keeps what the socket does not take.
  void send(link& to, const std::string& bytes);

  /// Says that a connection is ready for the load.
  void ready(link& which);

  /// Closes a connection that is of no use. Before the run begins, that ends
  /// the run.
  /// @param why completes "cannot connect to the server: …".
  void lose(link& which, const std::string& why);

  /// Counts something that the server refused. Before the connection is ready,
  /// that ends the run.
  /// @param what completes "the server answered …".
  void refuse(link& which, const std::string& what);

  /// Counts one message that arrived.
  /// @param sent_ns when it was sent or, at a rate, due.
  void deliver(int64_t sent_ns) {
    ++counts.delivered;
    if (phase_ == run_phase::measure || sent_ns <= due_until_ns_)
      counts.latency.record(now_ - sent_ns);
  }

  tally counts;

  // -- once `run` has returned ------------------------------------------------

  /// Returns why the run could not go on, or an empty string.
  const std::string& failure() const {
    return failure_;
  }

  const measured& window() const {
    return window_;
  }

private:
  void enter(run_phase phase);
  void connect_some();
  void connect_silent();
  void handle(uint32_t number, uint32_t events);
  void handle(link& which, uint32_t events);
  void established(link& which);
  bool receive(link& which);
  void read_on(link& which);
  void flush(link& which);
  void hang_up(link& which);
  void release(link& which, link_state state);
  void fail(std::string why);
  void show();
  void wait();

  run_state& state_;
  std::unique_ptr<load> what_;
  std::unique_ptr<dialect> how_;
  std::vector<link> links_;
  std::unique_ptr<silent_crowd> silent_;
  std::unique_ptr<uint8_t[]> buffer_;
  std::string scratch_;
  int epoll_ = -1;
  run_phase phase_ = run_phase::connect;
  int64_t now_ = 0;
  int64_t unix_offset_ns_ = 0;
  int64_t connect_began_ns_ = 0;
  int64_t hang_up_began_ns_ = 0;
  // When the measured time of a load at a rate ended; negative: it has not.
  int64_t due_until_ns_ = -1;
  uint32_t begun_ = 0;
  uint32_t handshaking_ = 0;
  uint32_t open_ = 0;
  uint64_t ready_ = 0;
  measured window_;
  std::string failure_;
  std::atomic<uint64_t> seen_ready_{0};
  std::atomic<uint64_t> seen_published_{0};
  std::atomic<uint64_t> seen_delivered_{0};
  std::atomic<uint64_t> seen_errors_{0};
  std::atomic<uint64_t> seen_stalled_ended_{0};
  std::atomic<run_phase> seen_phase_{run_phase::connect};
  std::atomic<bool> failed_{false};
};

} // namespace callboard::cmd::bench
