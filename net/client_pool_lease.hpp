#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include <caf/error.hpp>
#include <caf/timespan.hpp>

#include <callboard/net/pooled_client.hpp>

namespace callboard::net {

struct tenure;

/// A borrowed connection, which goes back when the lease ends: from whichever
/// thread that is, and also after the pool is gone. One thread at a time may
/// use it.
class lease {
public:
  /// Makes one without a connection.
  lease() noexcept;

  /// For the pool.
  explicit lease(std::shared_ptr<tenure> x) noexcept;

  lease(lease&& other) noexcept;

  lease& operator=(lease&& other) noexcept;

  ~lease();

  /// Returns the connection; null where there is none (any more): the lease was
  /// reclaimed, its pool closed, or it was given back. The connection itself
  /// lives as long as the lease, so that one which is reclaimed in the middle
  /// of a call does no harm; it then is closed.
  [[nodiscard]] pooled_client* get() const noexcept;

  /// @pre `get` has not returned null; what it has returned may be used until
  ///      the lease ends.
  pooled_client* operator->() const noexcept;

  explicit operator bool() const noexcept {
    return get() != nullptr;
  }

  /// Returns why there is no connection: `lease_reclaimed` or `pool_closed`;
  /// none while there is one.
  [[nodiscard]] caf::error why() const;

  /// Lets nobody borrow this connection any more: it is closed once it comes
  /// back, and replaced.
  void mark_broken() noexcept;

  /// Gives the connection back now.
  void give_back() noexcept;

private:
  std::shared_ptr<tenure> tenure_;
};

/// A lease that was held for too long.
struct lease_leak {
  /// The pool's name.
  std::string_view pool;
  /// Where it was borrowed; these live as long as the program.
  const char* file = "";
  const char* function = "";
  uint32_t line = 0;
  /// When, and for how long it has been held, as exactly as the pool ticks.
  std::chrono::steady_clock::time_point taken_at;
  caf::timespan held{0};
  /// Whether its connection was taken back.
  bool reclaimed = false;
};

/// Logs the leak as a warning, `lease_leaked`, with where and when the lease
/// was taken. Any thread.
void log_lease_leak(const lease_leak& x);

} // namespace callboard::net
