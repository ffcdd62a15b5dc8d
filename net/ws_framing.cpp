#include <callboard/net/ws_framing.hpp>

#include <cstring>

#include <callboard/messages/frame_writer.hpp>
#include <callboard/net/ws_frame.hpp>

namespace callboard::net {

namespace {

ws_opcode opcode_of(wire_form form) noexcept {
  return codec_of(form) == codec::json ? ws_opcode::text : ws_opcode::binary;
}

} // namespace

void ws_framing::append(wire_form form, const frame_view& x, byte_buffer& out) {
  if (is_deflated(form))
    return append_deflated(form, x, out);
  auto encoding = codec_of(form);
  auto begin = out.size();
  // Guess the header's size, so that the frame seldom has to be moved.
  auto guess = ws_header_size(frame_size_max(encoding, x));
  static_cast<void>(out.reserve_back(guess));
  out.commit(guess);
  write_frame(encoding, x, out);
  auto size = out.size() - begin - guess;
  auto header = ws_header_size(size);
  if (header != guess) {
    if (header > guess)
      static_cast<void>(out.reserve_back(header - guess));
    std::memmove(out.data() + begin + header, out.data() + begin + guess, size);
    out.truncate(begin + header + size);
  }
  write_ws_header(out.data() + begin, opcode_of(form), size);
}

void ws_framing::append_deflated(wire_form form, const frame_view& x,
                                 byte_buffer& out) {
  plain_.clear();
  write_frame(codec_of(form), x, plain_);
  auto message = plain_.view();
  auto smaller = message.size() >= deflate_bytes_min
                 && deflater_.deflate(message, deflated_);
  if (smaller)
    message = deflated_;
  auto header = ws_header_size(message.size());
  write_ws_header(out.reserve_back(header), opcode_of(form), message.size(),
                  true, smaller);
  out.commit(header);
  out.append(message);
}

} // namespace callboard::net
