#include <callboard/messages/payload.hpp>

#include <algorithm>
#include <tuple>

#include <callboard/messages/detail/transcode.hpp>

namespace callboard {

std::optional<payload> payload::from_json(std::string_view text) {
  if (!detail::is_json(text))
    return std::nullopt;
  // A line feed in JSON is white space, and a frame is one line.
  std::string line{text};
  std::replace(line.begin(), line.end(), '\n', ' ');
  return payload{payload_view{codec::json, line}};
}

std::string payload::to_json() const {
  if (encoding_ == codec::json && !empty())
    return std::string{bytes_.view()};
  byte_buffer out;
  // Bytes that are no value have no JSON; they can only come from a caller who
  // broke the constructor's promise.
  if (!transcode(codec::json, view(), out))
    return "null";
  return std::string{out.view()};
}

std::string_view payload::msgpack_bytes(byte_buffer& converted) const {
  if (encoding_ == codec::msgpack && !empty())
    return bytes_.view();
  std::ignore = transcode(codec::msgpack, view(), converted);
  return converted.view();
}

} // namespace callboard
