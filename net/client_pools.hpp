#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <callboard/net/call_site.hpp>
#include <callboard/net/client_pool.hpp>
#include <callboard/net/client_pool_targets.hpp>

namespace callboard::net {

/// What pools of several targets and authorities are started with.
struct client_pools_options {
  /// URLs of nodes that serve the same, 1 … 64 different ones.
  std::vector<std::string> targets;
  /// Each pool's; its `name` stands in front of the target's number in metrics:
  /// `chat/0`.
  client_pool_options pool;
  /// Pools at once, one for each pair of target and authority that is in use,
  /// 1 … 65,536.
  size_t pools_max = 256;
  /// How long a pool may lend nothing before it is removed, 1 s … 24 h.
  caf::timespan idle_time = std::chrono::minutes{10};
  ejection_options ejection;
};

/// Returns what is wrong with `x`, as a sentence; empty: nothing.
[[nodiscard]] std::string check(const client_pools_options& x);

/// Makes a connection to a target, on behalf of an authority: `client_factory`.
using authority_client_factory = std::function<std::unique_ptr<pooled_client>(
  const std::string& target, const std::string& authority)>;

/// Pools by target and authority (a tenant, a user: whoever's token is shown).
/// Nothing is shared between authorities but `pools_max`: each has connections,
/// borrowers that wait, circuits and ejected targets of its own, so that one
/// that is exhausted, or refused by the servers, is alone with that.
///
/// Threads, time and callbacks are as in `client_pool`. Borrowing here takes a
/// lock for a moment, to find the pool; `pool` gives what borrows without.
class client_pools {
public:
  /// @pre `check(options)` finds nothing.
  client_pools(client_pools_options options, authority_client_factory make,
               client_pool_surroundings around = {});

  client_pools(const client_pools&) = delete;

  client_pools& operator=(const client_pools&) = delete;

  ~client_pools();

  /// Returns the pool of a target, which is made if it is not there.
  /// @param target its number among `targets`.
  /// @returns `too_many_pools` or `pool_closed`.
  caf::expected<std::shared_ptr<client_pool>>
  pool(size_t target, const std::string& authority);

  /// Returns a connection to any target if one is ready now.
  /// @param key empty: the target with the least in flight; else the one that
  ///            the key belongs to, and another only if that is unavailable.
  caf::expected<lease> try_borrow(const std::string& authority,
                                  std::string_view key = {},
                                  call_site where = call_site::current());

  /// The same, but waits for one, and blocks.
  /// @param wait 0 … 5 min, for each target that is tried.
  caf::expected<lease> borrow(const std::string& authority,
                              std::string_view key, caf::timespan wait,
                              call_site where = call_site::current());

  /// Ticks each pool, and removes those that nobody has used for long.
  void tick();

  /// Closes all pools.
  void close();

  /// Returns the number of pools.
  [[nodiscard]] size_t size() const;

private:
  class impl;

  std::unique_ptr<impl> impl_;
};

} // namespace callboard::net
