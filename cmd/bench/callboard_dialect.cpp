#include "callboard_dialect.hpp"

#include "load.hpp"
#include "worker.hpp"

namespace callboard::cmd::bench {

std::string callboard_dialect::refuses(const bench_options&) const {
  return {};
}

message_template callboard_dialect::publication(const std::string& topic,
                                                size_t payload_bytes) const {
  return message_template::frame(wire_publish, topic, payload_bytes);
}

std::string callboard_dialect::subprotocol() const {
  return "callboard.v1.msgpack";
}

void callboard_dialect::upgraded(worker&, link&) {
  // The server speaks first.
}

void callboard_dialect::binary(worker& self, link& which, const uint8_t* first,
                               const uint8_t* last) {
  frame_view view;
  while (first != last && which.state != link_state::closed) {
    if (!read_frame(first, last, view)) {
      ++self.counts.corrupt;
      self.counts.note("the server sent bytes that are not a frame");
      return;
    }
    frame(self, which, view);
  }
}

void callboard_dialect::frame(worker& self, link& which,
                              const frame_view& frame) {
  switch (frame.type) {
    case wire_event:
      return self.what().event(self, which, frame);
    case wire_welcome:
      if (which.state == link_state::joining)
        welcomed(self, which);
      return;
    case wire_response:
      if (which.state == link_state::joining) {
        self.what().joined(self, which, frame);
        return self.ready(which);
      }
      return self.what().answered(self, which, frame);
    case wire_error:
      return refused(self, which, frame);
    default:
      return;
  }
}

void callboard_dialect::welcomed(worker& self, link& which) {
  auto role = self.what().role_of(self, which);
  if (!role.listens)
    return self.ready(which);
  auto& out = self.scratch();
  append_subscribe(out, 1, self.now_ms(), role.topic, role.since);
  self.send(which, out);
}

void callboard_dialect::refused(worker& self, link& which,
                                const frame_view& frame) {
  auto is_known = which.state == link_state::ready
                  && !self.counts.trouble.empty();
  // A server that sheds load makes many, of which one sentence is kept.
  if (is_known)
    ++self.counts.errors;
  else
    self.refuse(which, "error " + std::to_string(frame.code) + " "
                         + std::string{frame.subject} + " ("
                         + std::string{frame.content} + ")");
  if (which.state != link_state::ready)
    return;
  ++self.counts.errors_by_code[frame.code];
  self.what().refused(self, which, frame);
}

std::unique_ptr<dialect> make_own_dialect(const bench_options& options) {
  if (options.websocket_echo.empty())
    return std::make_unique<callboard_dialect>();
  return std::make_unique<plain_dialect>();
}

} // namespace callboard::cmd::bench
