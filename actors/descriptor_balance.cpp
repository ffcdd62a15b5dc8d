#include <callboard/actors/descriptor_balance.hpp>

#include <algorithm>

namespace callboard {

int64_t descriptor_balance::observe(int64_t open, int64_t sockets) noexcept {
  last_[observed_ % counts] = open - sockets;
  ++observed_;
  if (observed_ < counts)
    return 0;
  auto rest = *std::ranges::min_element(last_);
  if (observed_ == counts || rest < in_use_) {
    in_use_ = rest;
    return 0;
  }
  auto grown = rest - in_use_;
  if (grown <= slack)
    return 0;
  in_use_ = rest;
  return grown;
}

} // namespace callboard
