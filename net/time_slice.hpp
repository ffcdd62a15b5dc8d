#pragma once

#include <algorithm>
#include <chrono>

namespace callboard::net {

/// What a loop gives to work that comes in crowds (newcomers, timers that run
/// out together), so that who is there already waits little for it: a fifth of
/// the time that passes, never less than 20 µs nor more than 25 ms in a row.
class time_slice {
public:
  using clock = std::chrono::steady_clock;

  static constexpr std::chrono::microseconds shortest{20};
  static constexpr std::chrono::milliseconds longest{25};

  explicit time_slice(clock::time_point now = clock::now()) noexcept
    : began_{now}, ends_{now} {
  }

  /// Begins a slice, by how long it is since the last one was over.
  void begin(clock::time_point now = clock::now()) noexcept {
    auto rest = now - ends_;
    began_ = now;
    length_ = std::clamp<clock::duration>(rest / 4, shortest, longest);
  }

  /// Returns whether the slice is used up. The next one goes by the last call.
  bool over(clock::time_point now = clock::now()) noexcept {
    ends_ = now;
    return now - began_ >= length_;
  }

private:
  clock::time_point began_;
  clock::time_point ends_;
  clock::duration length_{0};
};

} // namespace callboard::net
