#include "histogram.hpp"

#include <algorithm>
#include <cmath>

namespace callboard::cmd::bench {

void histogram::merge(const histogram& other) {
  for (size_t i = 0; i < bucket_count; ++i)
    buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
}

void histogram::reset() {
  buckets_.fill(0);
  count_ = 0;
  min_ = UINT64_MAX;
  max_ = 0;
}

uint64_t histogram::percentile(double share) const {
  if (count_ == 0)
    return 0;
  auto wanted = static_cast<uint64_t>(
    std::ceil(std::clamp(share, 0.0, 1.0) * static_cast<double>(count_)));
  wanted = std::max<uint64_t>(wanted, 1);
  uint64_t seen = 0;
  for (size_t i = 0; i < bucket_count; ++i) {
    seen += buckets_[i];
    if (seen >= wanted)
      return std::min(highest_of(i), max_);
  }
  return max_;
}

uint64_t histogram::highest_of(size_t index) {
  if (index < sub_count)
    return index;
  if (index == bucket_count - 1)
    return UINT64_MAX;
  auto shift = index / sub_count - 1;
  auto sub = index % sub_count + sub_count;
  return ((sub + 1) << shift) - 1;
}

} // namespace callboard::cmd::bench
