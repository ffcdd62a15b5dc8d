#include <callboard/messages/frame_reader.hpp>

#include <callboard/messages/detail/json_state.hpp>

namespace callboard {

frame_reader::frame_reader(codec encoding) : encoding_{encoding} {
  if (encoding == codec::json)
    json_ = std::make_unique<json_state>();
}

frame_reader::~frame_reader() = default;

frame_reader::frame_reader(frame_reader&&) noexcept = default;

frame_reader& frame_reader::operator=(frame_reader&&) noexcept = default;

void frame_reader::reset(std::string_view message) noexcept {
  rest_ = message;
  reason_ = {};
}

read_status frame_reader::next(frame_view& out) {
  out.type = frame_type::ping;
  out.seq_id = 0;
  out.timestamp = 0;
  out.subject = {};
  out.payload = {encoding_, {}};
  // Who looks at a value alone must not see that of the frame before.
  if (out.meta.present != 0)
    out.meta = {};
  return encoding_ == codec::msgpack ? next_msgpack(out) : next_json(out);
}

} // namespace callboard
