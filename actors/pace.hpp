#pragma once

#include <cstddef>
#include <cstdint>

#include <callboard/actors/limits.hpp>
#include <callboard/actors/options.hpp>
#include <callboard/actors/token_bucket.hpp>

namespace callboard {

/// Keeps one client to its frames and bytes a second. What goes beyond is
/// refused; of that, as much again is borne, and more is a flood.
class pace {
public:
  /// What is to become of a frame.
  struct verdict {
    /// When there is room for it, in milliseconds; 0: now.
    int64_t wait_ms = 0;
    /// The rate that it would break: `frames` or `bytes`.
    limit_kind what = limit_kind::frames;
    /// Whether more has been refused than is borne.
    bool flood = false;
  };

  pace(const node_options& options, int64_t now_ms);

  /// Returns whether these options limit frames or bytes.
  static bool is_needed(const node_options& options) noexcept;

  /// A message of so many bytes follows, whose frames are then taken.
  void begin_message(size_t bytes) noexcept;

  /// Takes a frame of the message, and with the first one the message's bytes.
  /// Where these are refused, all of its frames are. A message without any is
  /// taken as if it had one.
  /// @param price of a token, as in `token_bucket`; what is borne does not
  ///              depend on it.
  verdict take(int64_t now_ms, int64_t price = token_price_full) noexcept;

private:
  class lane {
  public:
    lane(const rate_limit& x, int64_t now_ms)
      : taken_{x, now_ms}, borne_{x, now_ms} {
    }

    // Returns how long to wait; sets `flood` if too much was refused.
    int64_t take(uint64_t n, int64_t now_ms, int64_t price,
                 bool& flood) noexcept;

    // Counts what is refused; sets `flood` if that is too much.
    void bear(uint64_t n, int64_t now_ms, bool& flood) noexcept;

  private:
    token_bucket taken_;
    token_bucket borne_;
  };

  lane frames_;
  lane bytes_;
  size_t message_bytes_ = 0;
  // Whether the message's bytes have been asked for, and what came of it.
  bool asked_ = true;
  int64_t message_wait_ms_ = 0;
  bool flood_ = false;
};

} // namespace callboard
