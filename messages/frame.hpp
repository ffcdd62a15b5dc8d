#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include <callboard/messages/codec.hpp>

namespace callboard {

/// What a frame is for; the numbers stand on the wire (docs/protocol.md).
enum class frame_type : uint8_t {
  connect = 1,
  welcome = 2,
  request = 3,
  response = 4,
  error = 5,
  notify = 6,
  cancel = 7,
  subscribe = 8,
  unsubscribe = 9,
  publish = 10,
  event = 11,
  ping = 12,
  pong = 13,
  goaway = 14,
  register_action = 15,
  unregister_action = 16,
  presence = 17,
  ack = 18,
  position = 19,
};

/// The lowest and the highest number of a frame type.
inline constexpr uint8_t frame_type_min = 1;
inline constexpr uint8_t frame_type_max = 19;

/// Returns the lower-case name on the wire: `register` for `register_action`.
std::string_view to_string(frame_type x) noexcept;

/// Returns the type with this name, in any case of ASCII letters.
std::optional<frame_type> frame_type_from(std::string_view name) noexcept;

/// One MessagePack value or one JSON value, as bytes that somebody else owns.
/// Empty bytes stand for no payload: nil in MessagePack, left out in JSON.
struct payload_view {
  codec encoding = codec::msgpack;
  std::string_view bytes;

  [[nodiscard]] bool empty() const noexcept {
    return bytes.empty();
  }
};

/// A place in a topic's order: the topic's incarnation and the last offset.
struct position_view {
  std::string_view epoch;
  uint64_t offset = 0;
};

/// The keys of a frame's meta map, as they stand on the wire.
enum class meta_key : uint8_t {
  offset = 1,
  epoch = 2,
  since = 3,
  id = 4,
  no_echo = 5,
  sender = 6,
  timeout_ms = 7,
  code = 8,
  temporary = 9,
  retry_after_ms = 10,
  pattern = 11,
  trace = 12,
  presence = 13,
  retained = 14,
  group = 15,
  key = 16,
  ack = 17,
  attempt = 18,
  origin = 19,
};

/// Longest `id` of a publication in bytes; the shortest has 1.
inline constexpr size_t publication_id_bytes_max = 64;

/// Longest name of a group in bytes; the shortest has 1.
inline constexpr size_t group_name_bytes_max = 64;

/// Longest `key` of a publication in bytes; the shortest has 1.
inline constexpr size_t publication_key_bytes_max = 64;

/// A frame's meta map. A value that is not there is empty, zero or false; `has`
/// tells it from one that is there and is that.
struct meta_view {
  /// Bit k is set where meta key k is present.
  uint32_t present = 0;
  uint64_t offset = 0;
  std::string_view epoch;
  position_view since;
  /// 1 … 64 bytes.
  std::string_view id;
  bool no_echo = false;
  std::string_view sender;
  uint64_t timeout_ms = 0;
  uint64_t code = 0;
  bool temporary = false;
  uint64_t retry_after_ms = 0;
  std::string_view pattern;
  std::string_view trace;
  bool presence = false;
  bool retained = false;
  /// 1 … 64 bytes.
  std::string_view group;
  /// 1 … 64 bytes.
  std::string_view key;
  bool ack = false;
  uint64_t attempt = 0;
  std::string_view origin;

  [[nodiscard]] bool has(meta_key key) const noexcept {
    return (present & (1u << static_cast<uint8_t>(key))) != 0;
  }

  void mark(meta_key key) noexcept {
    present |= 1u << static_cast<uint8_t>(key);
  }

  void unmark(meta_key key) noexcept {
    present &= ~(1u << static_cast<uint8_t>(key));
  }
};

/// One frame whose text and payload belong to somebody else: to the receive
/// buffer when it was read, to the caller when it is about to be written.
struct frame_view {
  frame_type type = frame_type::ping;
  /// Pairs a reply with its request; 0 where no reply is wanted.
  uint32_t seq_id = 0;
  /// Unix time in milliseconds at the sender.
  int64_t timestamp = 0;
  /// A topic, a pattern, an action, an error's name, or empty.
  std::string_view subject;
  payload_view payload;
  meta_view meta;
};

} // namespace callboard
