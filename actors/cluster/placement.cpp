#include <callboard/actors/cluster/placement.hpp>

#include <algorithm>

#include <callboard/actors/string_hash.hpp>

namespace callboard {

namespace {

// The finalizer of SplitMix64 (Steele, Lea and Flood, "Fast splittable
// pseudorandom number generators", 2014). It is a bijection: two nodes with
// different seeds never have the same score.
constexpr uint64_t placement_mix(uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

} // namespace

placement::placement(const std::vector<std::string>& names) {
  seeds_.reserve(names.size());
  for (auto& name : names)
    seeds_.push_back(placement_mix(hash_of(name)));
}

uint32_t placement::owner_of(std::string_view topic) const noexcept {
  if (seeds_.size() == 1)
    return 0;
  auto hash = hash_of(topic);
  uint32_t owner = 0;
  uint64_t best = 0;
  for (uint32_t i = 0; i < seeds_.size(); ++i)
    if (auto score = placement_mix(hash ^ seeds_[i]); score >= best) {
      best = score;
      owner = i;
    }
  return owner;
}

void placement::best_of(std::string_view topic,
                        std::span<uint32_t> out) const noexcept {
  auto hash = hash_of(topic);
  auto score = [&](uint32_t place) {
    return placement_mix(hash ^ seeds_[place]);
  };
  size_t n = 0;
  for (uint32_t i = 0; i < seeds_.size(); ++i) {
    // Of two names with one hash the last one is the owner.
    size_t at = n;
    for (; at > 0 && score(i) >= score(out[at - 1]); --at)
      if (at < out.size())
        out[at] = out[at - 1];
    if (at < out.size())
      out[at] = i;
    n = std::min(n + 1, out.size());
  }
}

} // namespace callboard
