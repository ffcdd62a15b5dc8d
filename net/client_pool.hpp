#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include <caf/expected.hpp>
#include <caf/fwd.hpp>
#include <caf/timespan.hpp>

#include <callboard/net/call_site.hpp>
#include <callboard/net/client_pool_lease.hpp>
#include <callboard/net/client_pool_options.hpp>
#include <callboard/net/client_pool_stats.hpp>
#include <callboard/net/pooled_client.hpp>

namespace callboard::net {

class client_pool_core;

/// Hears a borrower's connection, or why there is none.
using lease_handler = std::function<void(caf::expected<lease>)>;

/// What a pool takes from outside; what is left out has the standard meaning.
struct client_pool_surroundings {
  /// Returns the time, which does not go back: `steady_clock`.
  std::function<std::chrono::steady_clock::time_point()> now;
  /// Returns a number that is at least 0 and below 1. Called under the pool's
  /// lock; of several pools, on several threads at a time.
  std::function<double()> random;
  /// Hears of each leaked lease once: `log_lease_leak`.
  std::function<void(const lease_leak&)> on_leak;
  /// Hears of each connection whether it became ready, and of each one that
  /// was ready and is lost: nothing.
  std::function<void(bool good)> on_tried;
  /// Where metrics are kept; must outlive the pool. None: nowhere.
  caf::telemetry::metric_registry* metrics = nullptr;
};

/// Connections to one target, on behalf of one authority, that are lent and
/// come back. docs/client-pool.md tells how to use it.
///
/// Threads: every function but the constructor and destructor may be called on
/// any thread, several at a time. Callbacks (handlers, `on_leak`, `on_tried`)
/// come on the thread whose call made them due: one that borrows, gives back or
/// ticks, or one of a connection's. They are called without a lock, must not
/// block, and must not destroy the pool.
///
/// Time: the pool has no timer. Whatever is due by the time is done by `tick`,
/// which belongs on a thread of its own (client_pool_upkeep.hpp) or a timer,
/// every 100 ms or so. Times are as exact as that.
///
/// Borrowing takes no lock while an unused connection is there and nobody
/// waits.
class client_pool {
public:
  /// @pre `check(options)` finds nothing.
  client_pool(client_pool_options options, client_factory make,
              client_pool_surroundings around = {});

  client_pool(const client_pool&) = delete;

  client_pool& operator=(const client_pool&) = delete;

  /// Closes the pool, see `close`. No call of another thread may be under way
  /// but the end of leases, which may also come later.
  ~client_pool();

  /// Returns a connection if one is ready now. If not, one is opened for those
  /// who ask later, where there may be more.
  /// @returns `pool_exhausted`, `pool_closed` or `target_unavailable`.
  caf::expected<lease> try_borrow(call_site where = call_site::current());

  /// The same, but opens none.
  caf::expected<lease> borrow_idle(call_site where = call_site::current());

  /// Like `try_borrow`, but waits for one, and blocks; not on the thread of a
  /// connection and not on that of `tick`. Borrowers that wait are served in
  /// their order.
  /// @returns `pool_exhausted` when the time is over or `waiters_max` wait;
  ///          where a server refuses this client for good, its error.
  caf::expected<lease> borrow(call_site where = call_site::current());

  /// The same with a time of its own, 0 … 5 min.
  caf::expected<lease> borrow(caf::timespan wait,
                              call_site where = call_site::current());

  /// The same without blocking: `done` hears it once, now or later, on any
  /// thread.
  void borrow_later(caf::timespan wait, lease_handler done,
                    call_site where = call_site::current());

  /// Does what is due: opens connections that are to be kept ready (the first
  /// tick begins the warm-up), closes what is broken, old or too much, pings,
  /// looks for leaked leases, and tells those who have waited too long.
  void tick();

  /// Closes all connections, also the borrowed ones; whoever waits is told
  /// `pool_closed`. Waits for leases that are just being given back. A second
  /// call does nothing.
  void close();

  [[nodiscard]] client_pool_stats stats() const;

private:
  std::shared_ptr<client_pool_core> core_;
};

} // namespace callboard::net
