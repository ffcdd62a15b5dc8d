#include <callboard/actors/drain_plan.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace callboard {

namespace {

constexpr auto slowest = std::chrono::milliseconds{10};

} // namespace

drain_plan::drain_plan(size_t connections, caf::timespan span) noexcept
  : connections_{connections},
    window_{std::min<caf::timespan>(
      span / 4 * 3, slowest * static_cast<int64_t>(connections))},
    limit_{span / 10 * 9} {
}

size_t drain_plan::due(caf::timespan elapsed) const noexcept {
  auto us = [](caf::timespan x) {
    using std::chrono::microseconds;
    auto n = std::chrono::duration_cast<microseconds>(x).count();
    return static_cast<size_t>(std::max<int64_t>(n, 0));
  };
  if (elapsed >= window_ || us(window_) == 0)
    return connections_;
  return connections_ * us(elapsed) / us(window_);
}

} // namespace callboard
