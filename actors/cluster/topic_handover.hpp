#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

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
    ids_ = events_ = 0;
    begun_ = done_ = false;
  }

  /// Takes the topic back.
  moved_topic take() noexcept {
    return std::move(topic_);
  }

private:
  moved_topic topic_;
  // How many of each have gone.
  size_t ids_ = 0;
  size_t events_ = 0;
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
  std::optional<moved_topic> topic_;
};

} // namespace callboard
