#pragma once

#include <cstdint>
#include <vector>

namespace callboard {

/// A set of loops, by index.
class loop_set {
public:
  void set(uint32_t loop, bool value) {
    if (loop >= bits_.size())
      bits_.resize(loop + 1);
    bits_[loop] = value;
  }

  void merge(const loop_set& other) {
    for (uint32_t i = 0; i < other.bits_.size(); ++i)
      if (other.bits_[i])
        set(i, true);
  }

  [[nodiscard]] bool empty() const noexcept {
    for (auto x : bits_)
      if (x)
        return false;
    return true;
  }

  template <class F>
  void for_each(F&& f) const {
    for (uint32_t i = 0; i < bits_.size(); ++i)
      if (bits_[i])
        f(i);
  }

  [[nodiscard]] bool contains(uint32_t loop) const noexcept {
    return loop < bits_.size() && bits_[loop];
  }

  void clear() noexcept {
    bits_.clear();
  }

private:
  std::vector<bool> bits_;
};

} // namespace callboard
