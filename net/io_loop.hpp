#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include <sys/epoll.h>

#include <caf/execution_unit.hpp>
#include <caf/intrusive_ptr.hpp>
#include <caf/resumable.hpp>

#include <callboard/actors/loop_context.hpp>
#include <callboard/net/boost/asio.hpp>
#include <callboard/net/load_probe.hpp>
#include <callboard/net/time_slice.hpp>

namespace callboard::net {

/// Something with a descriptor that a loop watches.
class io_handler {
public:
  virtual ~io_handler() = default;

  /// The descriptor is ready for `events` (EPOLLIN, EPOLLOUT, …).
  virtual void on_ready(uint32_t events) = 0;
};

/// One thread that hosts actors and their sockets. It waits for its sockets,
/// lets every one that is ready be read, resumes the actors that have mail, and
/// then sends what has come together for each socket: one turn.
///
/// Sockets of WebSockets are in an epoll set of its own: one system call brings
/// a whole turn's readiness, and level triggering needs none to go on. The set
/// hangs in the io_context's, which does everything else (HTTP, timers).
class io_loop final : public caf::execution_unit {
public:
  /// Bytes that one socket may be read for in a turn.
  static constexpr size_t receive_bytes = 64 * 1024;

  /// Descriptors that one turn serves.
  static constexpr size_t ready_max = 1024;

  /// @throws boost::system::system_error where the system has no descriptors.
  io_loop(caf::actor_system& sys, node_context& node, uint32_t index,
          framing& wire);

  ~io_loop() override;

  // -- any thread -------------------------------------------------------------

  /// Resumes `what` in this loop's thread, if it is an actor of the loop, or on
  /// the system's scheduler. Takes over one reference.
  void exec_later(caf::resumable* what) override;

  /// Calls `f` in this loop's thread, soon.
  void post(std::function<void()> f);

  /// Starts the thread.
  void start();

  /// Ends the thread once nothing is left to resume, and waits for it.
  void stop();

  // -- the loop's thread ------------------------------------------------------

  /// Watches `descriptor` for `events`; level-triggered.
  /// @returns false if the system has no room.
  bool watch(int descriptor, uint32_t events, io_handler& handler);

  void rewatch(int descriptor, uint32_t events, io_handler& handler);

  void unwatch(int descriptor, io_handler& handler);

  /// Calls `f` at the end of the turn, outside of any actor.
  void defer(std::function<void()> f) {
    deferred_.push_back(std::move(f));
  }

  /// Calls `f` about every quarter of a second.
  void set_tick(std::function<void()> f) {
    tick_ = std::move(f);
  }

  /// Returns the buffer that sockets are read into.
  [[nodiscard]] std::span<char> receive_buffer() noexcept {
    return receive_buffer_;
  }

  [[nodiscard]] loop_context& context() noexcept {
    return context_;
  }

  [[nodiscard]] asio::io_context& io() noexcept {
    return io_;
  }

  [[nodiscard]] bool in_loop() const noexcept {
    return std::this_thread::get_id() == thread_id_;
  }

private:
  using resumable_ptr = caf::intrusive_ptr<caf::resumable>;

  void wake();

  void run();

  // Serves the descriptors that are ready now.
  // @returns how many there were.
  size_t serve_ready();

  // Takes what other threads have left.
  void take_inbox();

  // Resumes actors, a bounded number of them.
  void resume_actors();

  void resume(resumable_ptr what);

  // Lets asio do a slice of what is ready.
  void serve_asio();

  void end_turn();

  // Counts the turn that ends now as a part of the load.
  void measure_load(std::chrono::steady_clock::time_point now);

  void update_time();

  // Waits until there is something to do.
  void sleep();

  void wait_for_ready();

  void wait_for_tick();

  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_;
  int epoll_;
  asio::posix::stream_descriptor ready_;
  asio::steady_timer tick_timer_;
  std::function<void()> tick_;
  loop_context context_;
  load_probe probe_;
  std::vector<char> receive_buffer_;
  std::vector<epoll_event> events_;
  // Handlers that the current batch of events must not reach any more.
  std::vector<io_handler*> unwatched_;
  std::deque<resumable_ptr> queue_;
  std::vector<std::function<void()>> deferred_;
  std::chrono::steady_clock::time_point turn_began_;
  time_slice asio_slice_;
  bool waiting_for_ready_ = false;

  std::mutex inbox_mutex_;
  std::vector<resumable_ptr> inbox_actors_;
  std::vector<std::function<void()>> inbox_calls_;
  std::atomic<bool> woken_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::thread::id> thread_id_;
  std::thread thread_;
};

} // namespace callboard::net
