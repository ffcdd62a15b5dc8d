#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

namespace callboard::cmd::bench {

/// The frame types that the load generator sends or looks for.
enum wire_type : uint8_t {
  wire_welcome = 2,
  wire_request = 3,
  wire_response = 4,
  wire_error = 5,
  wire_subscribe = 8,
  wire_publish = 10,
  wire_event = 11,
  wire_goaway = 14,
};

/// Travels in the first 16 bytes of each payload, in this machine's byte
/// order: only the process that wrote it reads it.
struct payload_mark {
  /// Who sent it; its meaning is the mode's.
  uint32_t source = 0;
  /// The sender's own count, from 1.
  uint32_t sequence = 0;
  /// When it was sent (or due) on the monotonic clock, in nanoseconds.
  int64_t sent_ns = 0;
};

static_assert(sizeof(payload_mark) == 16);

/// Describes the header of one WebSocket frame.
struct ws_header {
  uint8_t opcode = 0;
  bool last = false;
  size_t header_bytes = 0;
  size_t payload_bytes = 0;
};

/// Tells whether a WebSocket header could be read.
enum class ws_scan : uint8_t {
  complete,
  /// More bytes have to come.
  incomplete,
  /// Masked, reserved bits set, or longer than any server message may be.
  invalid,
};

/// Reads the header of a server's WebSocket frame.
/// @param bytes_max largest payload that is accepted.
ws_scan scan_ws_header(const uint8_t* first, const uint8_t* last,
                       size_t bytes_max, ws_header& result);

/// Appends the header of a client's message, masked with key zero.
void append_ws_header(std::string& out, uint8_t opcode, size_t payload_bytes);

/// Where a topic stands, or stood for a subscriber.
struct topic_position {
  /// Empty: nowhere.
  std::string epoch;
  uint64_t offset = 0;
  /// Whether all that came behind a subscriber's position follows.
  bool recovered = false;
};

/// Describes one frame of the protocol; its views point into the receive
/// buffer.
struct frame_view {
  uint64_t type = 0;
  uint64_t seq_id = 0;
  std::string_view subject;
  /// The payload's bytes without its own header if it is a `bin` or a `str`,
  /// else empty.
  std::string_view content;
  /// The payload's bytes, whatever it is.
  std::string_view payload;
  /// The event's offset; 0 if it has none.
  uint64_t offset = 0;
  /// The error's code; 0 if it has none.
  uint64_t code = 0;
};

/// Reads one frame of a message that can hold several.
/// @param first is moved behind the frame.
/// @returns false if there is no whole frame; `first` is then unspecified.
bool read_frame(const uint8_t*& first, const uint8_t* last, frame_view& result);

/// Reads the payload that answers `subscribe`, `{epoch, offset, recovered}`.
/// @returns false if it has no epoch.
bool read_position(std::string_view payload, topic_position& result);

/// Reads the mark at the front of a payload.
/// @returns false if the payload is shorter than a mark.
inline bool read_mark(std::string_view content, payload_mark& result) {
  if (content.size() < sizeof(result))
    return false;
  std::memcpy(&result, content.data(), sizeof(result));
  return true;
}

/// Appends letters, which neither compress to nothing nor look like a mark.
void append_filler(std::string& out, size_t count);

/// Writes a mark into a payload.
using mark_writer = void (*)(char* at, const payload_mark& mark);

/// Writes a mark as its 16 bytes.
inline void write_mark(char* at, const payload_mark& mark) {
  std::memcpy(at, &mark, sizeof(mark));
}

/// Holds one encoded client message of which only seqId, timestamp and mark
/// change from one sending to the next.
class message_template {
public:
  message_template() = default;

  /// Takes a message that somebody else has encoded.
  /// @param mark_at the position of the payload's front.
  message_template(std::string bytes, size_t mark_at,
                   mark_writer write = write_mark)
    : bytes_(std::move(bytes)), mark_at_(mark_at), write_(write) {
  }

  /// Makes a frame with a payload of `payload_bytes`, mark included.
  static message_template frame(wire_type type, std::string_view subject,
                                size_t payload_bytes);

  /// Makes a WebSocket message that is nothing but its payload.
  static message_template plain(size_t payload_bytes);

  /// Appends the message to `out` with its variable parts filled in.
  /// @param time_ms Unix time in milliseconds.
  void append_to(std::string& out, uint32_t seq_id, int64_t time_ms,
                 const payload_mark& mark) const;

private:
  std::string bytes_;
  /// Positions in `bytes_`; 0: there is no such part.
  size_t seq_id_at_ = 0;
  size_t time_at_ = 0;
  /// The position of the payload in `bytes_`.
  size_t mark_at_ = 0;
  mark_writer write_ = write_mark;
};

/// Appends a `subscribe` for one topic as a whole client message.
/// @param since where the subscriber was; without an epoch it is new.
void append_subscribe(std::string& out, uint32_t seq_id, int64_t time_ms,
                      std::string_view topic, const topic_position& since);

} // namespace callboard::cmd::bench
