#include <callboard/actors/descriptor_balance.hpp>

#include <algorithm>

namespace callboard {

int64_t descriptor_balance::observe(int64_t open, int64_t sockets) noexcept {
  last_[observed_ % counts] = open - sockets;
  ++observed_;
  if (observed_ < counts)
    return 0;
  auto [least, most] = std::ranges::minmax(last_);
  if (observed_ == counts || most < in_use_) {
    in_use_ = most;
    return 0;
  }
  auto grown = least - in_use_;
  if (grown <= slack)
    return 0;
  in_use_ = least;
  return grown;
}

} // namespace callboard
