#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace callboard {

/// Deals topics to nodes by rendezvous hashing (Thaler and Ravishankar, "Using
/// name-based mappings to increase hit rates", 1998): the same nodes in any
/// order give every topic the same owner, and where a node comes or goes no
/// topic moves but those that are its. Pure and immutable; any thread.
class placement {
public:
  /// Of no nodes.
  placement() = default;

  /// @param names of the nodes, each once.
  explicit placement(const std::vector<std::string>& names);

  /// Returns the place of the topic's owner among the names. There is at least
  /// one.
  [[nodiscard]] uint32_t owner_of(std::string_view topic) const noexcept;

  /// Puts the places of the best ones into `out`, the owner's first: each is
  /// the owner where those before it do not count. There are as many.
  void best_of(std::string_view topic, std::span<uint32_t> out) const noexcept;

  [[nodiscard]] size_t size() const noexcept {
    return seeds_.size();
  }

private:
  // A hash of each name.
  std::vector<uint64_t> seeds_;
};

} // namespace callboard
