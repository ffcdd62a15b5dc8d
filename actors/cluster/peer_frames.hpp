#pragma once

#include <cstdint>
#include <utility>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>
#include <caf/byte_buffer.hpp>

// How shards of different nodes talk: a batch (`peer_batch`) is a run of
// frames, each of which is its number and what CAF's inspection makes of it.

namespace callboard {

/// Nodes refuse each other where this differs: what they send is not described
/// by itself.
inline constexpr uint32_t peer_protocol = 5;

/// The number that a frame begins with.
enum class peer_frame : uint8_t {
  // peer_topic_frames.hpp
  publish = 1,
  published = 2,
  attach = 3,
  attached = 4,
  refused = 5,
  detach = 6,
  event = 7,
  fetch = 8,
  slice = 9,
  query = 10,
  found = 11,
  reset = 12,
  fetch_values = 13,
  values = 14,
  // peer_move_frames.hpp
  handover = 25,
  handed = 26,
  settled = 27,
  returned = 28,
  // peer_request_frames.hpp
  offer = 32,
  withdraw = 33,
  serve = 34,
  outcome = 35,
  cancel = 36,
  restart = 37,
  // peer_presence_frames.hpp
  presence = 64,
  presence_news = 65,
  presence_query = 66,
  presence_found = 67,
  presence_returned = 68,
  presence_again = 69,
  // peer_group_frames.hpp
  group_join = 80,
  group_joined = 81,
  group_leave = 82,
  group_event = 83,
  group_answer = 84,
  group_withdraw = 85,
  group_gap = 86,
  group_confirmed = 87,
  // peer_replica_frames.hpp
  replica = 96,
};

/// Appends a frame to a batch.
/// @tparam Frame has a `number` and can be inspected.
template <class Frame>
void append_frame(caf::byte_buffer& out, const Frame& x) {
  caf::binary_serializer sink{nullptr, out};
  // A buffer in memory takes everything.
  static_cast<void>(sink.apply(static_cast<uint8_t>(Frame::number)));
  // The inspection of an object is one function for both directions.
  static_cast<void>(sink.apply(const_cast<Frame&>(x)));
}

/// A frame that is made once for several batches; empty: not yet.
struct ready_frame {
  caf::byte_buffer bytes;
};

inline void append_frame(caf::byte_buffer& out, const ready_frame& x) {
  out.insert(out.end(), x.bytes.begin(), x.bytes.end());
}

/// Reads the frames of a batch, which may be anything.
class frame_source {
public:
  explicit frame_source(const caf::byte_buffer& batch)
    : source_{nullptr, batch} {
  }

  /// Returns whether there is a further frame, and sets `x` to its number.
  bool next(peer_frame& x) {
    uint8_t number = 0;
    if (source_.remaining() == 0 || !source_.apply(number))
      return false;
    x = static_cast<peer_frame>(number);
    return true;
  }

  /// Reads the frame that `next` has found.
  /// @returns false where it is none; nothing behind it can be read then.
  template <class Frame>
  bool read(Frame& x) {
    return source_.apply(x);
  }

  /// Reads the frame that `next` has found, if its number is that of one of
  /// these, and calls `f` with it.
  /// @returns false where it is none of them, or malformed.
  template <class... Frames, class F>
  bool read_one_of(peer_frame number, F&& f) {
    auto taken = false;
    auto take = [&]<class Frame>(Frame x) {
      taken = read(x);
      if (taken)
        f(x);
      return true;
    };
    static_cast<void>(((number == Frames::number && take(Frames{})) || ...));
    return taken;
  }

private:
  caf::binary_deserializer source_;
};

} // namespace callboard
