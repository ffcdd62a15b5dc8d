#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <utility>
#include <vector>

#include <callboard/actors/cluster/peer_set.hpp>
#include <callboard/actors/cluster/view_flush.hpp>

namespace callboard {

/// What a broker shard knows of events that may have been lost between nodes.
/// Where a subscriber of a topic stands is compared with what the owner says;
/// those by a pattern stand nowhere, and are told of each moment when events
/// may have been lost, once what follows from it is over. Pure.
class pattern_gaps {
public:
  /// Of which topics events may have been lost.
  enum class extent : uint8_t {
    none,
    /// Those that are durable.
    durable,
    all,
    /// All, and other loops of this node are to be told, too.
    everywhere,
  };

  /// @param replaces whether this shard takes the place of one: what other
  ///        nodes send until they know of it is lost.
  explicit pattern_gaps(bool replaces) noexcept
    : missed_{replaces ? extent::everywhere : extent::none} {
  }

  /// The nodes are these from now on.
  /// @param flush what was heard from those before.
  void begin(const peer_set& now, const peer_set& old, const view_flush& flush);

  /// A shard of the node at `slot` says that it has begun, perhaps in place of
  /// one.
  void take_reset(uint32_t slot, uint32_t shard);

  void take_handed(uint32_t slot, uint32_t shard);

  /// It has heard from all shards: it knows the patterns, too.
  void take_settled(uint32_t slot, uint32_t shard) {
    begun_anew_.erase({slot, shard});
  }

  /// All have settled: returns what is to be told, once.
  [[nodiscard]] extent take() noexcept;

private:
  // More runs than these are remembered of no node that was lost.
  static constexpr size_t runs_max = 256;

  // What a node that was in no view yet may miss is nobody's.
  void note(extent x) noexcept {
    if (settled_)
      missed_ = std::max(missed_, x);
  }

  // Returns whether it is the first time that this shard is heard of.
  bool is_first(uint32_t slot, uint32_t shard);

  void lose(const member& who);

  // Returns whether it is a run that was lost before.
  bool is_back(const member& who);

  // By slot and shard: whether it was heard of.
  std::vector<std::vector<bool>> heard_;
  // Those that have taken the place of one and have yet to settle.
  std::set<std::pair<uint32_t, uint32_t>> begun_anew_;
  // Nodes that were lost: they may live, and go on by themselves (`run_of`).
  std::deque<uint64_t> lost_runs_;
  extent missed_;
  // Whether all have settled once.
  bool settled_ = false;
};

} // namespace callboard
