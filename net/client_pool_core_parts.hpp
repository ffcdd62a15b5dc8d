#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <callboard/actors/circuit_breaker.hpp>
#include <callboard/net/call_site.hpp>
#include <callboard/net/client_pool.hpp>
#include <callboard/net/client_pool_error.hpp>
#include <callboard/net/client_pool_metrics.hpp>
#include <callboard/net/client_pool_sizer.hpp>
#include <callboard/net/client_pool_stack.hpp>

namespace callboard::net {

enum class tenure_state : uint8_t {
  opening,
  idle,
  leased,
  /// On its way from a lease back to the pool.
  returning,
  /// Taken away from its lease.
  reclaimed,
  /// No longer the pool's.
  gone,
};

/// Who borrowed a connection, where and when. One thread writes, which has the
/// connection; another reads meanwhile, and notices if it read two borrows in
/// one. The count is written first. A reader that sees a field of a later
/// borrow therefore sees its count as well, because fields are released and
/// acquired.
class lease_record {
public:
  struct snapshot {
    uint64_t count = 0;
    const char* file = "";
    const char* function = "";
    uint32_t line = 0;
    int64_t taken_ns = 0;
  };

  void write(const call_site& where, int64_t now_ns) noexcept {
    using std::memory_order_release;
    auto count = count_.load(std::memory_order_relaxed) + 1;
    count_.store(count, std::memory_order_release);
    file_.store(where.file_name(), memory_order_release);
    function_.store(where.function_name(), memory_order_release);
    line_.store(where.line(), memory_order_release);
    taken_ns_.store(now_ns, memory_order_release);
  }

  /// Returns the current borrow; none while it changes.
  [[nodiscard]] std::optional<snapshot> read() const noexcept {
    using std::memory_order_acquire;
    snapshot x;
    x.count = count_.load(memory_order_acquire);
    x.file = file_.load(memory_order_acquire);
    x.function = function_.load(memory_order_acquire);
    x.line = line_.load(memory_order_acquire);
    x.taken_ns = taken_ns_.load(memory_order_acquire);
    if (count_.load(std::memory_order_relaxed) != x.count)
      return std::nullopt;
    return x;
  }

private:
  std::atomic<uint64_t> count_{0};
  std::atomic<const char*> file_{""};
  std::atomic<const char*> function_{""};
  std::atomic<uint32_t> line_{0};
  std::atomic<int64_t> taken_ns_{0};
};

/// The time of one connection in a pool. Its state says to whom it belongs;
/// only who has it changes it, but for a lease's, which the pool may take away:
/// both use `change`, and one of them gets it.
struct alignas(64) tenure {
  using time_point = std::chrono::steady_clock::time_point;

  [[nodiscard]] bool is(tenure_state x) const noexcept {
    return state.load(std::memory_order_acquire) == x;
  }

  bool change(tenure_state from, tenure_state to) noexcept {
    return state.compare_exchange_strong(from, to, std::memory_order_acq_rel,
                                         std::memory_order_acquire);
  }

  // Set when it is made.
  client_pool_core* home = nullptr;
  uint32_t index = 0;
  std::shared_ptr<pooled_client> client;
  time_point expires_at = time_point::max();
  time_point opened_at;
  uint32_t circuit_round = 0;

  std::atomic<tenure_state> state{tenure_state::opening};
  /// It is not to be lent any more.
  std::atomic<bool> sick{false};
  lease_record record;

  /// Belongs to who has it, and lies in the pool in between.
  time_point idle_since;

  // Guarded by the pool's lock.
  time_point next_ping;
  std::optional<time_point> ping_deadline;
  uint64_t pings = 0;
  uint64_t reported = 0;
};

using tenure_ptr = std::shared_ptr<tenure>;

/// What a pool is made of. Borrowing and giving back work on `stacks_` and on
/// the place of the index that they took from there; everything else is under
/// `mutex_`, and calls others only after it is free again (`effects`).
class client_pool_core : public std::enable_shared_from_this<client_pool_core> {
public:
  using time_point = tenure::time_point;

  client_pool_core(client_pool_options options, client_factory make,
                   client_pool_surroundings around);

  caf::expected<lease> try_borrow(const call_site& where);

  caf::expected<lease> borrow_idle(const call_site& where);

  /// @returns the borrower's number, for `cancel`; 0 if `done` was called.
  uint64_t borrow_later(caf::timespan wait, lease_handler done,
                        const call_site& where);

  /// Lets a borrower wait no longer, and counts it as one that got nothing.
  /// @returns false if it has been told already.
  bool cancel(uint64_t number);

  // What a borrower is told who got nothing.
  caf::error exhausted() const;

  /// @pre `x` is `returning`, and its lease is over.
  void take_back(tenure_ptr x) noexcept;

  void tick();

  void close();

  client_pool_stats stats() const;

  const client_pool_options& options() const noexcept {
    return options_;
  }

private:
  /// The place of an index.
  struct alignas(64) slot {
    /// Belongs to who has taken the index from a stack.
    tenure_ptr held;
    /// How often it was lent; written by who has the index.
    std::atomic<uint64_t> lent{0};
    /// How many of these leases have come back and will not touch the pool.
    std::atomic<uint64_t> settled{0};
    // Guarded by `mutex_`: its tenure, and how many leases were taken away.
    tenure_ptr owner;
    uint64_t disowned = 0;
  };

  struct waiter {
    uint64_t number;
    time_point since;
    time_point deadline;
    call_site where;
    lease_handler done;
  };

  struct answer {
    lease_handler done;
    caf::expected<lease> result;
  };

  struct ping {
    tenure_ptr to;
    uint64_t number;
  };

  /// What is done once the lock is free.
  struct effects {
    std::vector<answer> answers;
    std::vector<tenure_ptr> openings;
    std::vector<std::shared_ptr<pooled_client>> closings;
    std::vector<ping> pings;
    std::vector<lease_leak> leaks;
    std::vector<bool> tried;
    std::vector<std::pair<circuit_state, std::string>> circuits;
  };

  // -- without the lock -------------------------------------------------------

  idle_stack& own_stack() noexcept;

  std::optional<uint32_t> pop() noexcept;

  bool fit(const tenure& x) const noexcept;

  // Takes an index whose tenure is fit, in front of nobody who waits.
  std::optional<uint32_t> pop_now() noexcept;

  lease lend(uint32_t index, const call_site& where) noexcept;

  void push(tenure_ptr x) noexcept;

  // The ends of a lease that take the lock: somebody waits, or its connection
  // is not fit. Both settle it.
  void wake(slot& place);

  void discard(tenure_ptr x, slot& place);

  time_point coarse_now() const noexcept;

  void run(effects& x);

  void changed(const tenure_ptr& x);

  void pinged(const tenure_ptr& x, uint64_t number, bool alive);

  // -- with it ----------------------------------------------------------------

  // Returns the time, and makes it the coarse one.
  time_point look_at_clock() noexcept;

  // Takes an index whose tenure is fit; others are closed.
  std::optional<uint32_t> pop_fit(effects& out);

  void serve(time_point now, effects& out);

  // Gives waiters what there is, opens more for them, or tells them that there
  // will be none.
  void settle_waiters(time_point now, effects& out);

  void fail_waiters(const caf::error& why, effects& out);

  void set_waiting() noexcept;

  void expire_waiters(time_point now, effects& out);

  bool open_one(time_point now, effects& out);

  void became_ready(const tenure_ptr& x, time_point now, effects& out);

  void failed_to_open(const tenure_ptr& x, caf::error why, time_point now,
                      effects& out);

  // One that was ready was so only for a moment.
  void lost_early(const tenure_ptr& x, effects& out);

  void count_try(uint32_t round, bool good, caf::timespan took, time_point now,
                 effects& out);

  // Frees the tenure's place, and has its connection closed.
  void vacate(const tenure_ptr& x, tenure_state end, effects& out);

  void retire(const tenure_ptr& x, close_cause why, effects& out);

  // Because it is broken, or old.
  void retire_unfit(tenure_ptr x, effects& out);

  // Takes a lease away, unless it is just coming back.
  bool disown(const tenure_ptr& x, tenure_state end, effects& out);

  // Closes whatever nobody is just changing.
  void let_go(effects& out);

  // Returns whether no lease will touch the pool any more.
  bool settled() const noexcept;

  // The parts of a tick.
  void give_up_openings(time_point now, effects& out);

  /// An index taken from a stack.
  struct found {
    idle_stack* stack;
    uint32_t index;
  };

  // Looks at all that is unused. What can stay goes back to where it was.
  void sweep(time_point now, effects& out);

  // Takes those from the stacks that are fit, from bottom to top.
  std::vector<found> take_idle(time_point now, effects& out);

  // Closes those of them that are too many, or unused for too long.
  void trim(std::vector<found>& idle, time_point now, effects& out);

  std::optional<close_cause> verdict(const tenure& x, time_point now) const;

  void ping_if_due(const tenure_ptr& x, time_point now, effects& out);

  void check_pings(time_point now);

  void watch_leases(time_point now, effects& out);

  void refill(time_point now, effects& out);

  void follow_load(time_point now);

  void add_waiter(waiter x, time_point now, effects& out);

  // Whether a borrower got nothing because no connection is tried.
  bool is_unavailable(time_point now);

  caf::error refuse(time_point now);

  caf::error exhausted_now() const;

  size_t count(tenure_state x) const noexcept;

  uint64_t borrows() const noexcept;

  client_pool_stats stats_now() const;

  mutable std::mutex mutex_;
  client_pool_options options_;
  client_factory make_;
  client_pool_surroundings around_;
  std::atomic<int64_t> now_ns_{0};
  std::vector<slot> slots_;
  index_links links_;
  // One for each core or so; a power of two.
  std::vector<idle_stack> stacks_;
  // The size of `waiters_`, for those who give back.
  std::atomic<size_t> waiting_{0};

  // Guarded by `mutex_` from here on.
  std::vector<uint32_t> free_;
  std::deque<waiter> waiters_;
  uint64_t last_number_ = 0;
  size_t opening_ = 0;
  circuit_breaker circuit_;
  // Why the last connection did not become ready.
  caf::error failure_;
  std::optional<pool_sizer> sizer_;
  client_pool_stats counts_;
  bool closed_ = false;
  std::unique_ptr<client_pool_metrics> metrics_;
};

} // namespace callboard::net
