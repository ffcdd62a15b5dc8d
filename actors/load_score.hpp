#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <callboard/actors/load_options.hpp>
#include <callboard/actors/token_bucket.hpp>

namespace callboard {

/// The new work that a loop does not take. Each stage sheds what those in front
/// of it do, and something more.
enum class load_stage : uint8_t {
  none,
  /// WebSocket handshakes.
  connections,
  /// Connections that are not logged in.
  logins,
  /// Publications that want no answer.
  publishes,
  /// Requests, notifies, and publications that want an answer.
  requests,
};

inline constexpr size_t load_stage_count = 5;

/// Returns the name: `logins`.
std::string_view to_string(load_stage x) noexcept;

/// What a loop finds when it looks at its load; `load_score::add_turn` tells
/// the rest.
struct load_sample {
  /// Actors that the turn has left waiting.
  size_t actors_waiting = 0;
  /// Bytes that wait in the outboxes of the loop.
  size_t outbox_bytes = 0;
  /// 0 … 1.
  double cpu_share = 0;
  /// Of the process.
  size_t memory_bytes = 0;
};

/// The load of one loop as a number from 0 to 1, and what is shed because of
/// it. It follows its parts within half a second, up and down, so that a single
/// long turn does not shed anything.
///
/// What takes memory does not get smaller because work is refused, and could
/// have it refused for ever. So those parts keep newcomers out, and no more:
/// what comes behind `load_stage::logins` goes by the others alone.
class load_score {
public:
  /// Time between two samples, at least.
  static constexpr int64_t sample_ms = 50;
  /// The time in which a part comes nearer to what is found by 63 %.
  static constexpr double smoothing_ms = 500;
  /// What is found counts as so many full loads at most, or it would take too
  /// long to be forgotten.
  static constexpr double part_max = 4;
  /// Waiting actors that are a full load.
  static constexpr size_t actors_waiting_max = 10'000;
  /// What is left of a rate at a score of 1.
  static constexpr double rate_share_min = 0.25;
  /// How far `peak` looks back, in seconds.
  static constexpr int64_t peak_s = 60;

  /// @param loops number of loops that share `load_options::outbox_bytes_max`.
  explicit load_score(const load_options& options = {}, uint32_t loops = 1);

  /// Goes by other options from now on. What was measured stays; the stage
  /// follows with the next sample, or ends at once where nothing is shed.
  void change(const load_options& x) noexcept;

  // -- measuring --------------------------------------------------------------

  /// Counts a turn that has taken so long.
  void add_turn(double ms) noexcept {
    squares_ += ms * ms;
  }

  /// Returns whether it is time for a sample.
  /// @param now_ms steady time.
  [[nodiscard]] bool due(int64_t now_ms) const noexcept {
    return now_ms - sampled_ms_ >= sample_ms;
  }

  /// Takes what was found now, and the turns since the last sample.
  /// @returns whether the stage is another one now.
  bool sample(int64_t now_ms, const load_sample& x);

  // -- what it is -------------------------------------------------------------

  /// Returns the score, 0 … 1.
  [[nodiscard]] double score() const noexcept {
    return std::min(level_.all, 1.0);
  }

  /// Returns the highest score of the last minute.
  [[nodiscard]] double peak() const noexcept {
    return std::ranges::max(peaks_);
  }

  /// Returns one of its parts, where 1 is a full load, without its weight.
  [[nodiscard]] double part(load_part x) const noexcept {
    return parts_[static_cast<size_t>(x)];
  }

  [[nodiscard]] load_stage stage() const noexcept {
    return stage_;
  }

  /// Returns whether something is shed, and this part alone would keep it so.
  [[nodiscard]] bool holds(load_part x) const noexcept {
    return stage_ != load_stage::none
           && options_.weights[static_cast<size_t>(x)] * part(x)
                >= options_.low;
  }

  // -- what it does -----------------------------------------------------------

  /// Returns whether work of this stage is shed.
  [[nodiscard]] bool sheds(load_stage x) const noexcept {
    return stage_ >= x;
  }

  /// Returns whether one piece of work of this stage is to be refused: all of
  /// them if a later stage is reached as well; else a share that grows with the
  /// latest sample, so that the loop does as much as it can.
  bool refuses(load_stage x) noexcept {
    return stage_ >= x && (stage_ > x || refuse_share());
  }

  /// Returns what a token of a rate costs: `token_price_full`, and four times
  /// that at a score of 1 by the parts that get smaller with less work.
  [[nodiscard]] int64_t token_price() const noexcept {
    return token_price_;
  }

private:
  using parts = std::array<double, load_part_count>;

  // The largest of the weighted parts: of all, and of those that get smaller
  // with less work.
  struct levels {
    double all = 0;
    double work = 0;
  };

  // Returns the parts as they are now.
  [[nodiscard]] parts find(double turn_ms, const load_sample& x) const noexcept;

  [[nodiscard]] levels weigh(const parts& x) const noexcept;

  // Returns the level that the n-th stage goes by, 0 … 3.
  [[nodiscard]] double level_of(size_t n) const noexcept;

  void note_peak(int64_t now_ms) noexcept;

  void update_stage() noexcept;

  // Sets what follows from the level of work, and what it was in this sample.
  void update_shares(double latest) noexcept;

  bool refuse_share() noexcept;

  load_options options_;
  uint32_t loops_;
  double turn_ms_max_ = 0;
  double outbox_bytes_max_ = 0;
  int64_t sampled_ms_ = 0;
  // The sum of the squares of the turns' lengths since then.
  double squares_ = 0;
  parts parts_{};
  levels level_;
  load_stage stage_ = load_stage::none;
  int64_t token_price_ = token_price_full;
  // The share that is refused, and what of a refusal is due already.
  double refused_ = 0;
  double owed_ = 0;
  // The highest score of each second, by the second.
  std::array<double, peak_s> peaks_{};
  int64_t second_ = 0;
};

} // namespace callboard
