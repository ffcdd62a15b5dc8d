#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace callboard::cmd::bench {

/// Counts durations in buckets whose width grows with the value: 64 for each
/// power of two, so a percentile is at most 1.6 % too high. Fixed size, no
/// allocation; values above 2⁴⁰ ns (18 minutes) count as that.
class histogram {
public:
  /// Counts one duration in nanoseconds; negative ones count as 0.
  void record(int64_t nanoseconds) {
    auto value = nanoseconds > 0 ? static_cast<uint64_t>(nanoseconds) : 0;
    if (value > max_)
      max_ = value;
    if (value < min_)
      min_ = value;
    ++buckets_[index_of(value)];
    ++count_;
  }

  /// Adds what another histogram has counted.
  void merge(const histogram& other);

  /// Forgets everything.
  void reset();

  /// Returns how many values were counted.
  uint64_t count() const {
    return count_;
  }

  /// Returns the smallest value in nanoseconds, exactly; 0 if there is none.
  uint64_t min() const {
    return count_ == 0 ? 0 : min_;
  }

  /// Returns the largest value in nanoseconds, exactly; 0 if there is none.
  uint64_t max() const {
    return max_;
  }

  /// Returns the value in nanoseconds that the given share of all values does
  /// not exceed; 0 if there is none.
  /// @param share 0 … 1, for instance 0.99.
  uint64_t percentile(double share) const;

private:
  static constexpr unsigned sub_bits = 6;
  static constexpr uint64_t sub_count = 1u << sub_bits;
  static constexpr unsigned value_bits = 40;
  static constexpr size_t bucket_count = (value_bits - sub_bits + 1)
                                         * sub_count;

  static size_t index_of(uint64_t value) {
    if (value < sub_count)
      return static_cast<size_t>(value);
    if (value >= (uint64_t{1} << value_bits))
      return bucket_count - 1;
    auto shift = 63u - sub_bits - static_cast<unsigned>(__builtin_clzll(value));
    return static_cast<size_t>((shift + 1) * sub_count + (value >> shift)
                               - sub_count);
  }

  static uint64_t highest_of(size_t index);

  std::array<uint64_t, bucket_count> buckets_{};
  uint64_t count_ = 0;
  uint64_t min_ = UINT64_MAX;
  uint64_t max_ = 0;
};

} // namespace callboard::cmd::bench
