#include <callboard/messages/frame_writer.hpp>

#include <callboard/messages/detail/transcode.hpp>

namespace callboard {

namespace {

// A payload of several lines would tear its frame apart.
bool is_one_line(std::string_view text) noexcept {
  return text.find('\n') == std::string_view::npos;
}

} // namespace

bool transcode(codec encoding, payload_view payload, byte_buffer& out) {
  if (payload.empty()) {
    out.append(encoding == codec::msgpack ? "\xc0" : "null");
    return true;
  }
  if (payload.encoding == codec::json && encoding == codec::msgpack)
    return is_one_line(payload.bytes)
           && detail::json_to_msgpack(payload.bytes, out);
  if (!well_formed(payload))
    return false;
  if (payload.encoding == encoding)
    out.append(payload.bytes);
  else
    detail::msgpack_to_json(payload.bytes, out);
  return true;
}

bool well_formed(payload_view payload) {
  if (payload.encoding == codec::msgpack)
    return detail::is_msgpack(payload.bytes);
  return is_one_line(payload.bytes) && detail::is_json(payload.bytes);
}

} // namespace callboard
