#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <unordered_set>

#include <callboard/actors/cluster/peer_move_frames.hpp>
#include <callboard/actors/moved_topic.hpp>

namespace callboard {

/// Takes a topic apart for its new owner, so that no frame is much larger than
/// the others. Pure; times are milliseconds of the caller's clock.
class topic_sender {
public:
  /// What one frame holds, in bytes, but for the last thing in it.
  static constexpr int64_t frame_bytes = 64 * 1024;

  explicit topic_sender(moved_topic x) noexcept : topic_{std::move(x)} {
  }

  [[nodiscard]] const moved_topic& topic() const noexcept {
    return topic_;
  }

  /// Returns the next part.
  /// @param shard who sends it.
  /// @pre it is not done.
  peer_handover next(uint32_t shard, int64_t now_ms);

  [[nodiscard]] bool done() const noexcept {
    return done_;
  }

  /// Begins again with the first part.
  void restart() noexcept {
    ids_ = events_ = members_ = groups_ = group_events_ = 0;
    sent_.clear();
    begun_ = done_ = false;
  }

  /// Takes the topic back.
  moved_topic take() noexcept {
    return std::move(topic_);
  }

private:
  // Appends what there is room for of the groups.
  // @param bytes what the frame has already.
  void add_groups(peer_handover& to, int64_t bytes);

  moved_topic topic_;
  // How many of each have gone; the last one is of the next group.
  size_t ids_ = 0;
  size_t events_ = 0;
  size_t members_ = 0;
  size_t groups_ = 0;
  size_t group_events_ = 0;
  // The offsets of those that have gone with a group.
  std::unordered_set<uint64_t> sent_;
  bool begun_ = false;
  bool done_ = false;
};

/// Puts the topics together that come from one shard of another node. Pure, as
/// above.
class topic_receiver {
public:
  /// Takes a part.
  /// @returns the topic if it is the last one; nothing of it else. Parts of one
  ///          whose first was missed are dropped.
  std::optional<moved_topic> take(peer_handover& x, int64_t now_ms);

private:
  void take(handed_group& x);

  std::optional<moved_topic> topic_;
  // What came with groups, by offset.
  std::unordered_map<uint64_t, publication_ptr> others_;
};

} // namespace callboard
