#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include <callboard/net/call_site.hpp>
#include <callboard/net/pooled_client.hpp>

namespace callboard::net {

class client_pool_core;

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

  /// @returns the number of the borrow, from 1.
  uint64_t write(const call_site& where, int64_t now_ns) noexcept {
    using std::memory_order_release;
    auto count = count_.load(std::memory_order_relaxed) + 1;
    count_.store(count, std::memory_order_release);
    file_.store(where.file_name(), memory_order_release);
    function_.store(where.function_name(), memory_order_release);
    line_.store(where.line(), memory_order_release);
    taken_ns_.store(now_ns, memory_order_release);
    return count;
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

/// To whom a connection belongs, and by which borrow. Only who has it changes
/// it, but for a lease's, which the pool may take away: both use `change`, and
/// one of them gets it. The number keeps the pool from taking away the next
/// lease where the one that it looked at has just come back.
class tenure_stage {
public:
  [[nodiscard]] tenure_state state() const noexcept {
    return static_cast<tenure_state>(word_.load(std::memory_order_acquire)
                                     & state_mask);
  }

  /// Returns the last borrow's number; 0: there was none.
  [[nodiscard]] uint64_t borrow() const noexcept {
    return word_.load(std::memory_order_relaxed) >> state_bits;
  }

  void set(tenure_state x) noexcept {
    word_.store(word(borrow(), x), std::memory_order_release);
  }

  void lend(uint64_t number) noexcept {
    word_.store(word(number, tenure_state::leased), std::memory_order_release);
  }

  /// Changes it if it is `from` by the borrow with this number.
  bool change(uint64_t number, tenure_state from, tenure_state to) noexcept {
    auto expected = word(number, from);
    return word_.compare_exchange_strong(expected, word(number, to),
                                         std::memory_order_acq_rel,
                                         std::memory_order_acquire);
  }

private:
  static constexpr int state_bits = 8;
  static constexpr uint64_t state_mask = (uint64_t{1} << state_bits) - 1;

  static uint64_t word(uint64_t number, tenure_state x) noexcept {
    return number << state_bits | static_cast<uint64_t>(x);
  }

  std::atomic<uint64_t> word_{0};
};

/// The time of one connection in a pool.
struct alignas(64) tenure {
  using time_point = std::chrono::steady_clock::time_point;

  [[nodiscard]] bool is(tenure_state x) const noexcept {
    return stage.state() == x;
  }

  // Set when it is made.
  client_pool_core* home = nullptr;
  uint32_t index = 0;
  std::shared_ptr<pooled_client> client;
  time_point expires_at = time_point::max();
  time_point opened_at;
  uint32_t circuit_round = 0;

  tenure_stage stage;
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

} // namespace callboard::net
