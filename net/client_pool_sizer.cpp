#include <callboard/net/client_pool_sizer.hpp>

#include <algorithm>
#include <cmath>

namespace callboard::net {

namespace {

constexpr double service_s_max = 86'400;

} // namespace

pool_sizer::pool_sizer(const pool_sizer_options& options) noexcept
  : options_{options}, size_{options.targets.size_min} {
}

size_t pool_sizer::measure(uint64_t borrows, size_t wanted,
                           time_point now) noexcept {
  if (!measured_at_) {
    measured_at_ = now;
    borrows_ = borrows;
    return size_;
  }
  auto passed = std::chrono::duration<double>(now - *measured_at_).count();
  if (passed <= 0)
    return size_;
  auto half = std::chrono::duration<double>(options_.half_life).count();
  auto keep = std::exp2(-passed / half);
  auto rate = static_cast<double>(borrows - borrows_) / passed;
  rate_ = keep * rate_ + (1 - keep) * rate;
  erlangs_ = keep * erlangs_ + (1 - keep) * static_cast<double>(wanted);
  measured_at_ = now;
  borrows_ = borrows;
  follow(wanted_size(), now);
  return size_;
}

size_t pool_sizer::wanted_size() const noexcept {
  auto load = options_.targets;
  // Little's law: the mean of those borrowed is the rate times the mean time.
  // No borrow is taken to last longer than a day.
  load.rate = std::max({rate_, erlangs_ / service_s_max, 1e-6});
  load.service_s = std::max(erlangs_ / load.rate, 1e-9);
  return size_pool(load).size;
}

void pool_sizer::follow(size_t wanted, time_point now) noexcept {
  auto bound = options_.shrink_below * static_cast<double>(size_);
  if (wanted >= size_ || static_cast<double>(wanted) >= bound) {
    size_ = std::max(size_, wanted);
    small_since_.reset();
    return;
  }
  if (!small_since_) {
    small_since_ = now;
    small_peak_ = 0;
  }
  small_peak_ = std::max(small_peak_, wanted);
  if (now - *small_since_ < options_.shrink_after)
    return;
  auto share = options_.shrink_step * static_cast<double>(size_);
  auto step = std::max<size_t>(1, static_cast<size_t>(share));
  size_ = std::max(small_peak_, size_ - std::min(step, size_ - 1));
  small_since_.reset();
}

} // namespace callboard::net
