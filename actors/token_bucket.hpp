#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>

namespace callboard {

/// How much may happen in a time.
struct rate_limit {
  /// How much a second, at most 2^30; 0: no limit.
  size_t per_second = 0;
  /// How much at once after a rest, at most 2^30; 0: as much as a second has.
  size_t burst = 0;

  /// Returns whether there is a limit.
  [[nodiscard]] bool on() const noexcept {
    return per_second > 0;
  }

  /// Returns how much may happen at once.
  [[nodiscard]] size_t at_once() const noexcept {
    return burst > 0 ? burst : per_second;
  }

  friend bool operator==(const rate_limit&, const rate_limit&) = default;
};

/// What a token costs, in thousandths, unless the rate is lowered: at twice the
/// price there is half of it.
inline constexpr int64_t token_price_full = 1000;

/// Keeps something to a rate: it holds tokens, of which each piece of work
/// takes some, and which come back with time. It counts in thousandths of a
/// token, so that a millisecond brings a whole number of them and nothing is
/// ever rounded. Used on one thread at a time; it knows no clock.
class token_bucket {
public:
  /// The answer to who asks for more than there can ever be at once.
  static constexpr int64_t never = std::numeric_limits<int64_t>::max();

  /// Makes a full one.
  token_bucket(const rate_limit& x, int64_t now_ms) noexcept
    : per_second_{static_cast<int64_t>(x.per_second)},
      capacity_{static_cast<int64_t>(x.at_once()) * parts},
      level_{capacity_},
      at_ms_{now_ms} {
  }

  /// Goes by another limit from now on. What was used stays used: it holds what
  /// it held, as far as that fits, and what is missing comes at the new rate.
  /// One that had no limit begins full.
  void change(const rate_limit& x, int64_t now_ms) noexcept {
    token_bucket fresh{x, std::max(now_ms, at_ms_)};
    if (fresh.per_second_ == per_second_ && fresh.capacity_ == capacity_)
      return;
    if (per_second_ > 0 && x.on()) {
      refill(now_ms);
      fresh.level_ = std::min(level_, fresh.capacity_);
    }
    *this = fresh;
  }

  /// Takes `n` tokens if they are there. Without a limit they always are.
  /// @param now_ms steady time. An earlier one than before counts as that.
  /// @param price of one token in thousandths, 1 … 1,000,000. All of them cost
  ///              no more than what the bucket holds.
  /// @returns 0 if they were taken; else nothing was, and they are there in so
  ///          many milliseconds if nobody takes any meanwhile, or `never`.
  int64_t take(uint64_t n, int64_t now_ms,
               int64_t price = token_price_full) noexcept {
    if (per_second_ == 0)
      return 0;
    if (n > static_cast<uint64_t>(capacity_ / parts))
      return never;
    refill(now_ms);
    auto wanted = std::min(static_cast<int64_t>(n) * price, capacity_);
    if (wanted > level_)
      return time_for(wanted - level_);
    level_ -= wanted;
    return 0;
  }

  /// Returns whether nothing is missing, so that a new one would be the same.
  [[nodiscard]] bool full(int64_t now_ms) const noexcept {
    return level_ == capacity_
           || now_ms - at_ms_ >= time_for(capacity_ - level_);
  }

private:
  static constexpr int64_t parts = token_price_full;

  // Returns the milliseconds in which so many thousandths come; a second brings
  // `per_second_` tokens, and so a millisecond as many thousandths.
  [[nodiscard]] int64_t time_for(int64_t missing) const noexcept {
    return (missing + per_second_ - 1) / per_second_;
  }

  void refill(int64_t now_ms) noexcept {
    auto elapsed_ms = now_ms - at_ms_;
    if (elapsed_ms <= 0)
      return;
    at_ms_ = now_ms;
    // Not by their product, which would be too large after a long rest.
    if (elapsed_ms >= time_for(capacity_ - level_))
      level_ = capacity_;
    else
      level_ += elapsed_ms * per_second_;
  }

  int64_t per_second_;
  int64_t capacity_;
  int64_t level_;
  int64_t at_ms_;
};

/// The same for several threads, without a lock, and for one token at a time.
/// Its rate is at most 1,000,000 a second. The time goes by the rate: it counts
/// the thousandths that have come since time 0, and what the bucket keeps is
/// when, by this time, it is full again.
class shared_token_bucket {
public:
  /// Makes a full one.
  explicit shared_token_bucket(const rate_limit& x) noexcept
    : per_second_{static_cast<int64_t>(x.per_second)},
      capacity_{static_cast<int64_t>(x.at_once()) * parts} {
  }

  /// Makes one in place of another: what was used of that stays used, as in
  /// `token_bucket::change`.
  shared_token_bucket(const rate_limit& x, const shared_token_bucket& before,
                      int64_t now_ms) noexcept
    : shared_token_bucket{x} {
    if (per_second_ == 0 || before.per_second_ == 0)
      return;
    auto now = now_ms * before.per_second_;
    auto full_at = before.full_at_.load(std::memory_order_relaxed);
    auto held = before.capacity_ - (std::max(full_at, now) - now);
    full_at_ = now_ms * per_second_ + capacity_ - std::min(held, capacity_);
  }

  /// Returns whether this is its limit.
  [[nodiscard]] bool has(const rate_limit& x) const noexcept {
    shared_token_bucket other{x};
    return per_second_ == other.per_second_ && capacity_ == other.capacity_;
  }

  /// Takes a token if there is one. Without a limit there always is.
  /// @param now_ms steady time, below 2^43.
  /// @param price of the token in thousandths, as above.
  /// @returns 0 if it was taken; else the milliseconds until there is one.
  int64_t take(int64_t now_ms, int64_t price = token_price_full) noexcept {
    if (per_second_ == 0)
      return 0;
    auto now = now_ms * per_second_;
    auto full_at = full_at_.load(std::memory_order_relaxed);
    for (;;) {
      auto next = std::max(full_at, now) + std::min(price, capacity_);
      if (auto missing = next - now - capacity_; missing > 0)
        return (missing + per_second_ - 1) / per_second_;
      if (full_at_.compare_exchange_weak(full_at, next,
                                         std::memory_order_relaxed))
        return 0;
    }
  }

  /// Returns whether nothing is missing, so that a new one would be the same.
  [[nodiscard]] bool full(int64_t now_ms) const noexcept {
    return full_at_.load(std::memory_order_relaxed) <= now_ms * per_second_;
  }

private:
  static constexpr int64_t parts = token_price_full;

  int64_t per_second_;
  int64_t capacity_;
  std::atomic<int64_t> full_at_ = std::numeric_limits<int64_t>::min();
};

/// Returns the bucket that goes by a limit where `before` did by another one:
/// that itself if it is the same limit; null where there is none.
/// @param before null: there was none.
inline std::shared_ptr<shared_token_bucket>
renewed(std::shared_ptr<shared_token_bucket> before, const rate_limit& x,
        int64_t now_ms) {
  if (!x.on())
    return nullptr;
  if (before == nullptr)
    return std::make_shared<shared_token_bucket>(x);
  if (before->has(x))
    return before;
  return std::make_shared<shared_token_bucket>(x, *before, now_ms);
}

} // namespace callboard
