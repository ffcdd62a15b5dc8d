#include <callboard/actors/pace.hpp>

#include <algorithm>
#include <utility>

namespace callboard {

namespace {

// The largest message must fit, or it could never be sent.
rate_limit bytes_of(const client_limits& limits,
                    size_t frame_bytes_max) noexcept {
  auto result = limits.bytes;
  if (result.burst == 0)
    result.burst = std::max(result.per_second, frame_bytes_max);
  return result;
}

} // namespace

pace::pace(const client_limits& limits, size_t frame_bytes_max, int64_t now_ms)
  : frames_{limits.frames, now_ms},
    bytes_{bytes_of(limits, frame_bytes_max), now_ms} {
}

bool pace::is_needed(const client_limits& limits) noexcept {
  return limits.frames.on() || limits.bytes.on();
}

void pace::change(const client_limits& limits, size_t frame_bytes_max,
                  int64_t now_ms) noexcept {
  frames_.change(limits.frames, now_ms);
  bytes_.change(bytes_of(limits, frame_bytes_max), now_ms);
}

void pace::begin_message(size_t bytes) noexcept {
  message_bytes_ = bytes;
  asked_ = false;
  message_ = {};
}

pace::verdict pace::take(int64_t now_ms, int64_t price) noexcept {
  if (!std::exchange(asked_, true))
    message_ = bytes_.take(message_bytes_, now_ms, price, flood_);
  if (message_.wait_ms > 0) {
    // It is answered like any other that is refused.
    frames_.refuse(now_ms, message_.beyond, flood_);
    return {message_.wait_ms, limit_kind::bytes, flood_};
  }
  auto wait_ms = frames_.take(1, now_ms, price, flood_).wait_ms;
  return {wait_ms, limit_kind::frames, flood_};
}

void pace::lane::change(const rate_limit& x, int64_t now_ms) noexcept {
  for (auto* bucket : {&taken_, &known_, &borne_})
    bucket->change(x, now_ms);
}

pace::answer pace::lane::take(uint64_t n, int64_t now_ms, int64_t price,
                              bool& flood) noexcept {
  auto beyond = known_.take(n, now_ms) > 0;
  auto wait_ms = taken_.take(n, now_ms, price);
  if (wait_ms > 0 && beyond)
    bear(n, now_ms, flood);
  return {wait_ms, beyond};
}

void pace::lane::refuse(int64_t now_ms, bool beyond, bool& flood) noexcept {
  if (beyond || known_.take(1, now_ms) > 0)
    bear(1, now_ms, flood);
}

void pace::lane::bear(uint64_t n, int64_t now_ms, bool& flood) noexcept {
  flood |= borne_.take(n, now_ms) > 0;
}

} // namespace callboard
