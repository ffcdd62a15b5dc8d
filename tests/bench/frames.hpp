#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// As much of the protocol as the load generator uses. It is written apart
/// from the library, so that a baseline owes nothing to what it is compared
/// with.
namespace baseline {

/// One frame of a client's. Views point into the message that it was read
/// from.
struct frame {
  uint64_t type = 0;
  uint64_t seq_id = 0;
  std::string_view subject;
  /// The payload as it stands there, with its MessagePack header.
  std::string_view payload;
};

/// Takes the next frame from the front of `message`.
/// @returns nothing if there is no well-formed frame.
std::optional<frame> take_frame(std::string_view& message);

/// Returns Unix time in milliseconds.
int64_t now_ms();

/// Appends the first frame of a connection.
void append_welcome(std::string& out, uint64_t connection);

/// Appends a response that holds an encoded payload.
void append_response(std::string& out, uint64_t seq_id,
                     std::string_view payload);

/// Appends the response to a subscribe or publish.
void append_position(std::string& out, uint64_t seq_id, uint64_t offset);

/// Appends a publication for subscribers, with its offset and sender.
void append_event(std::string& out, std::string_view topic,
                  std::string_view payload, uint64_t offset,
                  std::string_view sender);

/// Appends an error.
void append_error(std::string& out, uint64_t seq_id, uint32_t code,
                  std::string_view name);

} // namespace baseline
