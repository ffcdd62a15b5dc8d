#pragma once

#include <cstdint>
#include <vector>

#include <callboard/actors/cluster/peer_topic_frames.hpp>
#include <callboard/actors/publication.hpp>

// Publications on their way from one node to another. Publishers of the node at
// slot s have the numbers of their connections with s + 1 above them: none is a
// connection of this node, and none is 0.

namespace callboard {

inline constexpr unsigned publisher_bits = 48;

/// Returns the number that a publisher of the node at `slot` has here.
constexpr connection_id foreign(uint32_t slot, connection_id x) noexcept {
  return x == 0 ? 0 : ((uint64_t{slot} + 1) << publisher_bits) | x;
}

/// Returns the number that a publisher has at the node at `slot`; 0: it is of
/// another one.
constexpr connection_id native(uint32_t slot, connection_id x) noexcept {
  return (x >> publisher_bits) == uint64_t{slot} + 1
           ? x & ((uint64_t{1} << publisher_bits) - 1)
           : 0;
}

inline publication_box boxed(uint32_t slot, const publication_ptr& x) {
  return {x, native(slot, x->publisher)};
}

inline std::vector<publication_box>
boxed(uint32_t slot, const std::vector<publication_ptr>& xs) {
  std::vector<publication_box> result;
  result.reserve(xs.size());
  for (auto& x : xs)
    result.push_back(boxed(slot, x));
  return result;
}

} // namespace callboard
