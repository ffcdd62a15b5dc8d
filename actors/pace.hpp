#pragma once

#include <cstddef>
#include <cstdint>

#include <callboard/actors/limits.hpp>
#include <callboard/actors/options.hpp>
#include <callboard/actors/token_bucket.hpp>

namespace callboard {

/// Keeps one client to its frames and bytes a second. What goes beyond is
/// refused; of that, as much again is borne, and more is a flood. Where rates
/// are lowered by a price, what they would have let through at the full one is
/// refused and borne.
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

  /// @param frame_bytes_max of the largest message, which always fits.
  pace(const client_limits& limits, size_t frame_bytes_max, int64_t now_ms);

  /// Returns whether these limit frames or bytes.
  static bool is_needed(const client_limits& limits) noexcept;

  /// Goes by other limits from now on, as `token_bucket::change` does.
  void change(const client_limits& limits, size_t frame_bytes_max,
              int64_t now_ms) noexcept;

  /// A message of so many bytes follows, whose frames are then taken.
  void begin_message(size_t bytes) noexcept;

  /// Takes a frame of the message, and with the first one the message's bytes.
  /// Where these are refused, all of its frames are. A message without any is
  /// taken as if it had one.
  /// @param price of a token, as in `token_bucket`; whether there is a flood
  ///              does not depend on it.
  verdict take(int64_t now_ms, int64_t price = token_price_full) noexcept;

private:
  // When there is room for something, and whether it goes beyond the rate at
  // the full price as well.
  struct answer {
    int64_t wait_ms = 0;
    bool beyond = false;
  };

  class lane {
  public:
    lane(const rate_limit& x, int64_t now_ms)
      : taken_{x, now_ms}, known_{x, now_ms}, borne_{x, now_ms} {
    }

    void change(const rate_limit& x, int64_t now_ms) noexcept;

    // Sets `flood` if too much was refused.
    answer take(uint64_t n, int64_t now_ms, int64_t price,
                bool& flood) noexcept;

    // Counts one that is refused for another reason, which is `beyond` a rate
    // or lies in the price; sets `flood` if that is too much.
    void refuse(int64_t now_ms, bool beyond, bool& flood) noexcept;

  private:
    void bear(uint64_t n, int64_t now_ms, bool& flood) noexcept;

    token_bucket taken_;
    // The same at the full price, which is the rate that a client knows.
    token_bucket known_;
    token_bucket borne_;
  };

  lane frames_;
  lane bytes_;
  size_t message_bytes_ = 0;
  // Whether the message's bytes have been asked for, and what came of it.
  bool asked_ = true;
  answer message_;
  bool flood_ = false;
};

} // namespace callboard
