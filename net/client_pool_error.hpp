#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <caf/error.hpp>
#include <caf/timespan.hpp>

namespace callboard::net {

/// Why a pool has no connection to lend. `details` (client_error.hpp) tells the
/// name, the sentence, whether trying again can help, and after which time; the
/// code is 0, because no server said it. All but `lease_reclaimed` and
/// `pool_closed` are temporary.
enum class pool_errc : uint8_t {
  /// Every connection was borrowed for as long as the borrower could wait, or
  /// as many as may wait did so already.
  pool_exhausted,
  /// The pool is closed.
  pool_closed,
  /// The lease was held too long, and its connection was taken back.
  lease_reclaimed,
  /// There is no connection, and after the failures of late none is tried.
  target_unavailable,
  /// There are as many pools as may be, and none of them is idle.
  too_many_pools,
};

/// Returns the name: `pool_exhausted`.
std::string_view to_string(pool_errc x) noexcept;

/// Makes an error of the pool's.
/// @param retry_after how long to wait before trying again; 0: not said.
caf::error to_error(pool_errc code, std::string sentence,
                    caf::timespan retry_after = caf::timespan{0});

/// Returns whether `x` is this error of a pool's.
bool is_error(const caf::error& x, pool_errc code);

} // namespace callboard::net
