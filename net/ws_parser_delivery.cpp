#include <callboard/net/ws_parser.hpp>

#include <callboard/net/ws_deflate.hpp>
#include <callboard/net/ws_parser_parts.hpp>

// What is done with a message, or a control frame, that is there as a whole.

namespace callboard::net {

/// @param first the first byte of the message's first frame.
void ws_parser::deliver_message(std::string_view bytes, uint8_t first,
                                ws_handler& handler) {
  auto kind = opcode_of(first);
  auto compressed = (first & ws_rsv1_bit) != 0;
  if (compressed) {
    auto max = options_->message_bytes_max;
    auto error = options_->inflater->inflate(bytes, max, bytes);
    if (error != ws_error::none)
      return fail(error);
  }
  if (kind == ws_opcode::text) {
    // What came in pieces was checked as it came.
    auto checked = message_ != 0 && !compressed;
    if (checked ? !text_.complete() : !is_utf8(bytes))
      return fail(ws_error::bad_text);
  }
  went_on(handler.on_message(kind, bytes));
}

void ws_parser::deliver_control(std::string_view bytes, ws_handler& handler) {
  switch (opcode_of(frame_)) {
    case ws_opcode::ping:
      return went_on(handler.on_ping(bytes));
    case ws_opcode::pong:
      return went_on(handler.on_pong(bytes));
    default:
      return deliver_close(bytes, handler);
  }
}

void ws_parser::deliver_close(std::string_view bytes, ws_handler& handler) {
  if (bytes.size() == 1)
    return fail(ws_error::bad_close_body);
  auto code = ws_close::no_status;
  std::string_view reason;
  if (!bytes.empty()) {
    code = static_cast<uint16_t>(read_big_endian(bytes.data(), 2));
    reason = bytes.substr(2);
    if (!is_sendable_close_code(code))
      return fail(ws_error::bad_close_code);
    if (!is_utf8(reason))
      return fail(ws_error::bad_close_reason);
  }
  status_ = ws_status::closed;
  handler.on_close(code, reason);
}

/// Pauses if the handler says so and did not call `shut`.
void ws_parser::went_on(bool go_on) noexcept {
  if (!go_on && status_ == ws_status::open)
    status_ = ws_status::paused;
}

void ws_parser::fail(ws_error error) noexcept {
  status_ = ws_status::failed;
  error_ = error;
}

} // namespace callboard::net
