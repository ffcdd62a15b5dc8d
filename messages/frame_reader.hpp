#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include <callboard/messages/codec.hpp>
#include <callboard/messages/frame.hpp>

namespace callboard {

/// Deepest nesting of arrays and maps in a payload; the outermost value is 1.
inline constexpr size_t payload_depth_max = 64;

/// What `frame_reader::next` found.
enum class read_status {
  /// A whole frame.
  frame,
  /// The message has no further frame.
  end,
  /// Not a frame. Its seqId is set where it could be read, else 0; the rest of
  /// the message cannot be read.
  malformed,
  /// A well-formed frame of a type that this version does not know; its seqId
  /// is set and the frames behind it can be read.
  unknown_type,
};

/// Reads the frames of one WebSocket message, in either codec, without copying
/// them: views point into the message, and for escaped JSON text into the
/// reader's scratch memory. A payload is checked for being one well-formed
/// value (depth ≤ `payload_depth_max`) and is never decoded. In steady state a
/// MessagePack message costs no allocation.
class frame_reader {
public:
  explicit frame_reader(codec encoding);

  ~frame_reader();

  frame_reader(frame_reader&&) noexcept;

  frame_reader& operator=(frame_reader&&) noexcept;

  /// Begins with a new message, which must outlive the calls of `next`.
  void reset(std::string_view message) noexcept;

  /// Reads the next frame to `out`. What `out` refers to is valid until the
  /// next call of `next` or `reset`.
  read_status next(frame_view& out);

  /// Returns a sentence that says why the last `next` was `malformed`; a
  /// string literal.
  [[nodiscard]] std::string_view reason() const noexcept {
    return reason_;
  }

private:
  // Kept for JSON only.
  struct json_state;

  read_status next_msgpack(frame_view& out);

  read_status next_json(frame_view& out);

  codec encoding_;
  std::string_view rest_;
  std::string_view reason_;
  std::unique_ptr<json_state> json_;
};

} // namespace callboard
