#include <callboard/net/backoff.hpp>

#include <algorithm>
#include <cassert>
#include <random>

namespace callboard::net {

backoff::backoff(random_source random, caf::timespan base, caf::timespan cap)
  : random_{std::move(random)}, base_{base}, cap_{cap}, bound_{base} {
  assert(base > caf::timespan{0} && cap >= base);
}

caf::timespan backoff::next() {
  auto wait = caf::timespan{
    static_cast<caf::timespan::rep>(random_() * double(bound_.count()))};
  // Doubling is compared with the cap's half, so it cannot overflow.
  bound_ = bound_ > cap_ / 2 ? cap_ : bound_ * 2;
  ++attempts_;
  return wait;
}

backoff::random_source even_random() {
  return [generator = std::minstd_rand{std::random_device{}()}]() mutable {
    return std::uniform_real_distribution<double>{0, 1}(generator);
  };
}

} // namespace callboard::net
