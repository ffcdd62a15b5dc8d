#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <caf/fwd.hpp>

#include <callboard/actors/connection.hpp>
#include <callboard/actors/leak_suspects.hpp>
#include <callboard/actors/leaks.hpp>
#include <callboard/actors/live_report.hpp>
#include <callboard/actors/loop_context.hpp>

namespace callboard {

/// A WebSocket, as its loop knows it.
struct socket_facts {
  /// Tells it from all others that the loop has had.
  uint64_t number = 0;
  /// Whom it reads for; null: nobody, or nobody any more.
  connection* actor = nullptr;
  /// Whether it never had an actor.
  bool echo = false;
  /// Loop time in milliseconds since which it closes; 0: it does not.
  int64_t closing_ms = 0;
};

/// The sockets of a loop, for its audit. They are in any order; where one goes,
/// only those behind it may change their places.
class audited_sockets {
public:
  virtual ~audited_sockets() = default;

  [[nodiscard]] virtual size_t sockets() const = 0;

  /// @param i 0 … sockets() − 1.
  [[nodiscard]] virtual socket_facts socket(size_t i) const = 0;

  [[nodiscard]] virtual leak_history socket_history(size_t i) const = 0;

  /// Returns within how many milliseconds a close is over.
  [[nodiscard]] virtual int64_t closing_time_ms() const = 0;

  /// Closes a socket with a close frame, as `internal_error`.
  virtual void close_socket(size_t i) = 0;

  /// Ends a socket at once.
  virtual void end_socket(size_t i) = 0;

  /// Returns how many places of the loop the node counts that no socket has.
  [[nodiscard]] virtual size_t surplus_places() = 0;

  /// Gives so many places back.
  virtual void give_back_places(size_t n) = 0;
};

/// Looks for what a loop has left behind, and takes it back. A round goes
/// through the sockets, the connections that live, the subscribers and the
/// places, some at a time. What two rounds in a row find wrong is a leak.
///
/// Lives on the loop's thread; called outside of any actor. The pool looks for
/// the connections that it is told of in its registry.
class loop_audit {
public:
  /// What is looked at in one step; to take something back costs as much as to
  /// look at `reclaim_work` others.
  static constexpr size_t step_work = 1000;
  static constexpr size_t reclaim_work = 20;

  /// What is past its deadline for less than this is in motion yet.
  static constexpr int64_t margin_ms = 5'000;

  /// Leaks of a round that are logged; all are counted.
  static constexpr size_t logged_max = 20;

  /// @param sockets outlives the audit.
  loop_audit(loop_context& ctx, audited_sockets& sockets,
             caf::telemetry::metric_registry& registry);

  /// Goes on, by one step, or begins a round if that is due.
  /// @returns whether a round has begun.
  bool step();

  /// Returns whether a round is under way.
  [[nodiscard]] bool busy() const noexcept {
    return stage_ != stage::resting;
  }

private:
  enum class stage { resting, sockets, connections, subscribers, claims };

  void begin();

  // Goes on within the stage, or to the next one.
  void go_on();

  void enter(stage x, size_t at);

  void look_at_sockets();
  void look_at_socket(size_t i);
  void look_at_connections();
  void look_at(connection& x);
  void look_at_subscribers();
  void look_at_claims();
  void look_at_places();

  // Takes subscriptions back, and what nobody claims.
  void reclaim_subscriber(caf::actor_id who);
  void reclaim_claim(connection_id who);

  // Calls `look(key, value)` for what is in the map's next buckets. If that is
  // true, the key is told to `reclaim` when no iterator is in use.
  template <class Map, class Look, class Reclaim>
  void look_through(Map& map, Look&& look, Reclaim&& reclaim);

  // Returns whether this was found in the round before as well.
  bool is_leak(leak_kind kind, uint64_t what);

  // Counts and logs a leak that is taken back.
  void reclaimed(leak_kind kind, leak_history who, int64_t overdue_ms = 0,
                 uint64_t count = 1);

  void tell_pool();

  void spend(size_t work) noexcept {
    work_ -= work < work_ ? work : work_;
  }

  loop_context& ctx_;
  audited_sockets& sockets_;
  leak_metrics metrics_;
  leak_suspects suspects_;
  stage stage_ = stage::resting;
  uint32_t round_ = 0;
  int64_t began_ms_ = 0;
  int64_t due_ms_ = 0;
  // What is left to do in this step.
  size_t work_ = 0;
  // What comes next in the stage: lists are gone through from their end, so
  // that what takes a free place was looked at; maps by buckets.
  size_t at_ = 0;
  size_t logged_ = 0;
  size_t surplus_ = 0;
  std::vector<live_report::entry> connected_;
};

} // namespace callboard
