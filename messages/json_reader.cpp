#include <callboard/messages/frame_reader.hpp>

#include <callboard/messages/detail/json_frame.hpp>
#include <callboard/messages/detail/json_state.hpp>

namespace callboard {

read_status frame_reader::next_json(frame_view& out) {
  std::string_view line;
  do {
    if (rest_.empty())
      return read_status::end;
    auto end = rest_.find('\n');
    line = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? line.size() : end + 1);
  } while (line.find_first_not_of(" \t\r") == std::string_view::npos);
  detail::json_frame frame{line, out, json_->scratch};
  if (auto reason = frame.run(json_->parser)) {
    reason_ = reason;
    rest_ = {};
    return read_status::malformed;
  }
  return frame.known_type() ? read_status::frame : read_status::unknown_type;
}

} // namespace callboard
