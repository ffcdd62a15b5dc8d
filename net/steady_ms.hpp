#pragma once

#include <chrono>
#include <cstdint>

namespace callboard::net {

/// Returns the time of the steady clock in milliseconds. Any thread.
inline int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch())
    .count();
}

} // namespace callboard::net
