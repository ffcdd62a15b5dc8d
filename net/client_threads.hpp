#pragma once

#include <memory>

#include <callboard/net/client.hpp>
#include <callboard/net/client_pool_lease.hpp>
#include <callboard/net/client_types.hpp>
#include <callboard/net/pooled_client.hpp>

namespace callboard::net {

/// Makes clients for pools, and runs each on a thread of its own, because a
/// `client` has an io_context of its own. So there are as many threads as
/// connections, which the pools bound, and one for a moment longer that just
/// ends. Must outlive the pools.
class client_threads {
public:
  client_threads();

  client_threads(const client_threads&) = delete;

  client_threads& operator=(const client_threads&) = delete;

  /// Ends the clients that still run, and waits for their threads. Not on one
  /// of these.
  ~client_threads();

  /// Returns a client for a pool. It does not connect again after it was lost:
  /// the pool replaces it. Any thread.
  /// @param handlers are called on the client's thread.
  std::unique_ptr<pooled_client> make(client_options options,
                                      client_handlers handlers = {});

  /// Returns how many clients run.
  [[nodiscard]] size_t size() const;

private:
  class impl;

  std::shared_ptr<impl> impl_;
};

/// Returns the client that is borrowed by `x`; null where there is none (see
/// `lease::get`), or it is not from `client_threads`. It belongs to a thread of
/// its own: `client_of(x)->post(…)`, and everything else from there. What is
/// subscribed to with it stays so for the next borrower, and should be ended
/// before the lease is.
client* client_of(const lease& x) noexcept;

} // namespace callboard::net
