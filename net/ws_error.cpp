#include <callboard/net/ws_error.hpp>

#include <array>

#include <callboard/net/ws_frame.hpp>

namespace callboard::net {

namespace {

struct entry {
  ws_error error;
  uint16_t code;
  std::string_view name;
  std::string_view reason;
};

constexpr std::array entries{
  entry{ws_error::none, ws_close::normal, "none", ""},
  entry{ws_error::reserved_bit, ws_close::protocol_error, "reserved_bit",
        "a reserved bit is set"},
  entry{ws_error::reserved_opcode, ws_close::protocol_error, "reserved_opcode",
        "the opcode is reserved"},
  entry{ws_error::fragmented_control, ws_close::protocol_error,
        "fragmented_control", "a control frame is fragmented"},
  entry{ws_error::long_control, ws_close::protocol_error, "long_control",
        "a control frame has more than 125 bytes"},
  entry{ws_error::stray_continuation, ws_close::protocol_error,
        "stray_continuation", "a continuation has no message to continue"},
  entry{ws_error::unfinished_message, ws_close::protocol_error,
        "unfinished_message", "a message begins before the last one ended"},
  entry{ws_error::unmasked, ws_close::protocol_error, "unmasked",
        "a client's frame is not masked"},
  entry{ws_error::masked, ws_close::protocol_error, "masked",
        "a server's frame is masked"},
  entry{ws_error::bad_length, ws_close::protocol_error, "bad_length",
        "a length is not in its shortest form"},
  entry{ws_error::bad_close_body, ws_close::protocol_error, "bad_close_body",
        "a close frame has one byte"},
  entry{ws_error::bad_close_code, ws_close::protocol_error, "bad_close_code",
        "a close frame has a code that must not be sent"},
  entry{ws_error::bad_text, ws_close::invalid_payload, "bad_text",
        "a text message is not UTF-8"},
  entry{ws_error::bad_close_reason, ws_close::invalid_payload,
        "bad_close_reason", "a close frame's reason is not UTF-8"},
  entry{ws_error::bad_deflate, ws_close::invalid_payload, "bad_deflate",
        "a compressed message cannot be inflated"},
  entry{ws_error::message_too_big, ws_close::message_too_big, "message_too_big",
        "a message has more bytes than are taken"},
  entry{ws_error::too_many_fragments, ws_close::policy_violation,
        "too_many_fragments", "a message has too many empty fragments"},
};

constexpr bool in_order() {
  for (size_t i = 0; i < entries.size(); ++i)
    if (entries[i].error != static_cast<ws_error>(i)
        || entries[i].reason.size() > ws_control_bytes_max - 2)
      return false;
  return true;
}

static_assert(in_order()
              && entries.back().error == ws_error::too_many_fragments);

const entry& entry_of(ws_error error) noexcept {
  return entries[static_cast<size_t>(error)];
}

} // namespace

uint16_t close_code(ws_error error) noexcept {
  return entry_of(error).code;
}

std::string_view close_reason(ws_error error) noexcept {
  return entry_of(error).reason;
}

std::string_view to_string(ws_error error) noexcept {
  return entry_of(error).name;
}

} // namespace callboard::net
