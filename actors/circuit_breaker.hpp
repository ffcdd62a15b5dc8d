#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <caf/actor_clock.hpp>
#include <caf/timespan.hpp>

#include <callboard/actors/action_options.hpp>

namespace callboard {

enum class circuit_state : uint8_t {
  /// Requests pass, and are counted.
  closed,
  /// None passes until its time is over.
  open,
  /// A few pass, to see whether it may close.
  half_open,
};

/// Returns the state's name, as in metrics and logs.
std::string_view to_string(circuit_state x) noexcept;

/// What a request says about who was to answer it.
enum class request_verdict : uint8_t {
  /// It was answered.
  good,
  /// It was not.
  bad,
  /// Nothing: its asker went away, or gave up too early.
  none,
};

/// How the requests of a window, or the probes, have ended.
struct circuit_counts {
  uint64_t requests = 0;
  /// Of these with the verdict `bad`.
  uint64_t failed = 0;
  /// Of these longer than the options' `latency`; 0 where that is 0.
  uint64_t slow = 0;

  friend bool operator==(const circuit_counts&, const circuit_counts&)
    = default;
};

/// Decides whether requests may pass, from how earlier ones have ended. Reads
/// no clock and sets no timer: it becomes half-open by being asked. Times that
/// it is given must not go back. Its size is fixed.
class circuit_breaker {
public:
  using time_point = caf::actor_clock::time_point;

  /// The window goes forward in this many steps.
  static constexpr size_t slice_count = 10;

  /// Makes a closed one.
  explicit circuit_breaker(const circuit_options& options) noexcept;

  /// Goes by other options from now on, and keeps its state. Its counts begin
  /// anew: those of the window, and of probes, of which others are let through.
  /// An open one stays so no longer than the new options would have it.
  void change(const circuit_options& options, time_point now) noexcept;

  /// Returns how long a request has to wait: zero if it may pass now. Becomes
  /// half-open if the time for that has come, and open again where probes have
  /// all places and nothing was heard of them for as long as it was open
  /// before, or for `latency` or `timeout_min`, if these are longer.
  caf::timespan wait(time_point now) noexcept;

  /// Lets a request pass.
  /// @pre `wait` has just returned zero.
  /// @returns the round, which `finish` wants to know.
  uint32_t begin() noexcept;

  /// Returns whether it is open, and longer than until `now`.
  [[nodiscard]] bool blocks(time_point now) const noexcept {
    return state_ == circuit_state::open && now < open_until_;
  }

  /// Counts how a request has ended. One of an earlier round, which began
  /// before the last change of state, counts as nothing.
  /// @param took the time from its beginning, at least 0.
  void finish(uint32_t round, request_verdict verdict, caf::timespan took,
              time_point now) noexcept;

  [[nodiscard]] circuit_state state() const noexcept {
    return state_;
  }

  /// Returns what has opened it the last time: a window, or probes.
  [[nodiscard]] const circuit_counts& cause() const noexcept {
    return cause_;
  }

  /// Returns how long it stays, or stayed, open; zero before the first time.
  [[nodiscard]] caf::timespan open_time() const noexcept {
    return open_time_;
  }

  /// Returns how the requests of the window up to `now` have ended.
  [[nodiscard]] circuit_counts counts(time_point now) const noexcept;

private:
  struct slice {
    // Of the slices since the clock's beginning.
    int64_t number = -1;
    uint32_t requests = 0;
    uint32_t failed = 0;
    uint32_t slow = 0;
  };

  [[nodiscard]] int64_t slice_number(time_point now) const noexcept;

  void count(bool failed, bool slow, time_point now) noexcept;

  void finish_probe(request_verdict verdict, bool slow,
                    time_point now) noexcept;

  // Returns how long probes may be under way without a judgement.
  [[nodiscard]] caf::timespan probe_time() const noexcept;

  // One more has failed, or was slow.
  void fail_probes(bool failed, bool slow, time_point now) noexcept;

  // Returns the longest time for which it may be open.
  [[nodiscard]] caf::timespan open_time_limit() const noexcept;

  [[nodiscard]] bool trips(const circuit_counts& x) const noexcept;

  void open(const circuit_counts& cause, caf::timespan time,
            time_point now) noexcept;

  void enter(circuit_state x) noexcept;

  circuit_options options_;
  circuit_state state_ = circuit_state::closed;
  // Grows with each change of state.
  uint32_t round_ = 0;
  std::array<slice, slice_count> slices_{};
  time_point open_until_;
  caf::timespan open_time_{0};
  circuit_counts cause_;
  // Of this round: those that were let through, and are not known to say
  // nothing, and those that were good.
  size_t probes_ = 0;
  size_t good_probes_ = 0;
  // Where probes are under way: when the first of them began, or the last was
  // good.
  time_point probing_since_;
};

} // namespace callboard
