#include <callboard/actors/load_score.hpp>

#include <chrono>
#include <cmath>

namespace callboard {

namespace {

// The stages that shed something.
constexpr size_t steps = load_stage_count - 1;

// Returns whether a part gets smaller when less work is taken.
constexpr bool follows_work(size_t part) noexcept {
  auto x = static_cast<load_part>(part);
  return x != load_part::outbox && x != load_part::memory;
}

// Returns the n-th of the points that divide the way from `begin` to `end`.
double point(double begin, double end, size_t n) noexcept {
  return begin + (end - begin) * static_cast<double>(n) / steps;
}

// Returns how far `x` is on the way, 0 … 1.
double progress(double begin, double end, double x) noexcept {
  return begin < end ? std::clamp((x - begin) / (end - begin), 0.0, 1.0) : 0;
}

} // namespace

std::string_view to_string(load_stage x) noexcept {
  switch (x) {
    case load_stage::none:
      return "none";
    case load_stage::connections:
      return "connections";
    case load_stage::logins:
      return "logins";
    case load_stage::publishes:
      return "publishes";
    case load_stage::requests:
      return "requests";
  }
  return "unknown";
}

load_score::load_score(const load_options& options, uint32_t loops)
  : loops_{loops} {
  change(options);
}

void load_score::change(const load_options& x) noexcept {
  options_ = x;
  turn_ms_max_ = std::chrono::duration<double, std::milli>{x.turn_max}.count();
  outbox_bytes_max_ = static_cast<double>(x.outbox_bytes_max) / loops_;
  if (x.high > 0)
    return;
  stage_ = load_stage::none;
  token_price_ = token_price_full;
  refused_ = 0;
  owed_ = 0;
}

bool load_score::sample(int64_t now_ms, const load_sample& x) {
  auto elapsed_ms = std::max<int64_t>(now_ms - sampled_ms_, 1);
  sampled_ms_ = now_ms;
  auto time = static_cast<double>(elapsed_ms);
  // A moment is in a turn as often as that is long, hence the square.
  auto latest = find(squares_ / time, x);
  squares_ = 0;
  auto kept = std::exp(-time / smoothing_ms);
  for (size_t i = 0; i < parts_.size(); ++i)
    parts_[i] = kept * parts_[i] + (1 - kept) * latest[i];
  level_ = weigh(parts_);
  note_peak(now_ms);
  if (options_.high <= 0)
    return false;
  auto before = stage_;
  update_stage();
  update_shares(weigh(latest).work);
  return stage_ != before;
}

load_score::parts load_score::find(double turn_ms,
                                   const load_sample& x) const noexcept {
  auto memory = options_.memory_bytes_max == 0
                  ? 0
                  : static_cast<double>(x.memory_bytes)
                      / static_cast<double>(options_.memory_bytes_max);
  parts result{turn_ms / turn_ms_max_,
               static_cast<double>(x.actors_waiting) / actors_waiting_max,
               static_cast<double>(x.outbox_bytes) / outbox_bytes_max_,
               x.cpu_share, memory};
  for (auto& y : result)
    y = std::clamp(y, 0.0, part_max);
  return result;
}

load_score::levels load_score::weigh(const parts& x) const noexcept {
  levels result;
  for (size_t i = 0; i < x.size(); ++i) {
    auto weighted = options_.weights[i] * x[i];
    result.all = std::max(result.all, weighted);
    if (follows_work(i))
      result.work = std::max(result.work, weighted);
  }
  return result;
}

double load_score::level_of(size_t n) const noexcept {
  auto newcomers = n < static_cast<size_t>(load_stage::logins);
  return std::min(newcomers ? level_.all : level_.work, 1.0);
}

void load_score::note_peak(int64_t now_ms) noexcept {
  auto second = now_ms / 1000;
  // What is a minute old, or was left out meanwhile.
  for (auto i = std::max(second_ + 1, second - peak_s + 1); i <= second; ++i)
    peaks_[static_cast<size_t>(i % peak_s)] = 0;
  second_ = second;
  auto& highest = peaks_[static_cast<size_t>(second % peak_s)];
  highest = std::max(highest, score());
}

void load_score::update_stage() noexcept {
  auto reached = static_cast<size_t>(stage_);
  while (reached < steps
         && level_of(reached) >= point(options_.high, 1, reached))
    ++reached;
  while (reached > 0
         && level_of(reached - 1)
              < point(options_.low, options_.high, reached - 1))
    --reached;
  stage_ = static_cast<load_stage>(reached);
}

void load_score::update_shares(double latest) noexcept {
  // It begins as far below the low mark as that is below the high one: there
  // the loop serves well, and to refuse more would leave it idle.
  auto begin = std::max(2 * options_.low - options_.high, 0.0);
  refused_ = progress(begin, options_.high, latest);
  auto lost = (1 - rate_share_min) * progress(options_.low, 1, level_.work);
  token_price_
    = std::llround(static_cast<double>(token_price_full) / (1 - lost));
}

bool load_score::refuse_share() noexcept {
  owed_ += refused_;
  if (owed_ < 1)
    return false;
  owed_ -= 1;
  return true;
}

} // namespace callboard
