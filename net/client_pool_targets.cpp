#include <callboard/net/client_pool_targets.hpp>

#include <algorithm>
#include <numeric>

namespace callboard::net {

namespace {

// FNV-1a.
uint64_t add_bytes(uint64_t hash, std::string_view bytes) noexcept {
  for (auto c : bytes) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 0x100000001b3;
  }
  return hash;
}

// The last bytes reach only the lower bits of FNV; this spreads them (the
// finalizer of MurmurHash3).
uint64_t spread_bits(uint64_t x) noexcept {
  x ^= x >> 33;
  x *= 0xff51afd7ed558ccd;
  x ^= x >> 33;
  x *= 0xc4ceb9fe1a85ec53;
  return x ^ x >> 33;
}

} // namespace

uint64_t affinity(std::string_view key, std::string_view target) noexcept {
  auto hash = add_bytes(0xcbf29ce484222325, target);
  // Targets are URLs, in which this byte does not occur.
  hash = add_bytes(hash, std::string_view{"\xff", 1});
  return spread_bits(add_bytes(hash, key));
}

target_set::target_set(std::vector<std::string> names,
                       const ejection_options& options, size_t first)
  : options_{options}, turn_{first} {
  for (auto& name : names)
    targets_.push_back({std::move(name)});
}

std::vector<size_t> target_set::order(std::string_view key,
                                      const std::vector<size_t>& in_flight,
                                      time_point now) {
  std::vector<size_t> result(targets_.size());
  std::iota(result.begin(), result.end(), size_t{0});
  if (key.empty()) {
    auto first = turn_++ % result.size();
    std::rotate(result.begin(),
                result.begin() + static_cast<std::ptrdiff_t>(first),
                result.end());
    std::stable_sort(result.begin(), result.end(), [&](size_t x, size_t y) {
      return in_flight[x] < in_flight[y];
    });
  } else {
    std::stable_sort(result.begin(), result.end(), [&](size_t x, size_t y) {
      return affinity(key, targets_[x].name) > affinity(key, targets_[y].name);
    });
  }
  std::stable_partition(result.begin(), result.end(),
                        [&](size_t x) { return !is_ejected(x, now); });
  return result;
}

bool target_set::report(size_t target, bool good, time_point now) noexcept {
  auto& x = targets_[target];
  if (good) {
    x.failures = 0;
    x.ejections = 0;
    x.out_until = time_point::min();
    return false;
  }
  ++x.failures;
  if (x.failures < options_.failures || is_ejected(target, now)
      || !may_eject(now))
    return false;
  x.failures = 0;
  ++x.ejections;
  auto times
    = static_cast<caf::timespan::rep>(std::min<size_t>(x.ejections, 1'000'000));
  x.out_until = now + std::min(options_.time * times, options_.time_max);
  return true;
}

bool target_set::may_eject(time_point now) const noexcept {
  auto count = targets_.size();
  size_t out = 0;
  for (size_t i = 0; i < count; ++i)
    out += is_ejected(i, now) ? 1 : 0;
  auto share = options_.share_max * static_cast<double>(count) + 1e-9;
  return out + 1 <= std::min(static_cast<size_t>(share), count - 1);
}

} // namespace callboard::net
