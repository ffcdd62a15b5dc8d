#pragma once

#include <chrono>
#include <cstdint>

#include <caf/timespan.hpp>

namespace callboard {

/// Returns a time in milliseconds, rounded up.
inline int64_t in_ms(caf::timespan x) {
  return std::chrono::ceil<std::chrono::milliseconds>(x).count();
}

} // namespace callboard
