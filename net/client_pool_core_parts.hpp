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
#include <callboard/net/client_pool_tenure.hpp>

namespace callboard::net {

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

  // Takes the lease of this borrow away, unless it is just coming back.
  bool disown(const tenure_ptr& x, uint64_t borrow, tenure_state end,
              effects& out);

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
