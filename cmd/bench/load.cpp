#include "load.hpp"

#include <string>

#include "wire.hpp"

namespace callboard::cmd::bench {

int64_t load::tick(worker&) {
  return -1;
}

void load::finish(worker&) {
  // Nothing is outstanding.
}

void protocol_load::join(worker&, link&) {
  // The server speaks first.
}

void protocol_load::message(worker& self, link& which, const uint8_t* first,
                            const uint8_t* last) {
  frame_view frame;
  while (first != last && which.state != link_state::closed) {
    if (!read_frame(first, last, frame)) {
      ++self.counts.corrupt;
      self.counts.note("the server sent bytes that are not a frame");
      return;
    }
    take(self, which, frame);
  }
}

void protocol_load::received(worker&, link&) {
  // Nothing to answer.
}

void protocol_load::take(worker& self, link& which, const frame_view& frame) {
  switch (frame.type) {
    case wire_event:
      return event(self, which, frame);
    case wire_welcome:
      if (which.state == link_state::joining)
        welcomed(self, which);
      return;
    case wire_response:
      if (which.state == link_state::joining)
        return self.ready(which);
      return answered(self, which, frame);
    case wire_error:
      return refused(self, which, frame);
    default:
      return;
  }
}

void protocol_load::welcomed(worker& self, link& which) {
  self.ready(which);
}

void protocol_load::answered(worker&, link&, const frame_view&) {
  // Nothing was asked.
}

void protocol_load::event(worker&, link&, const frame_view&) {
  // Nothing was subscribed to.
}

void protocol_load::refused(worker& self, link& which,
                            const frame_view& frame) {
  auto text = "error " + std::to_string(frame.code) + " "
              + std::string{frame.subject} + " (" + std::string{frame.content}
              + ")";
  if (which.state == link_state::joining)
    return self.lose(which, "the server answered " + text);
  ++self.counts.errors;
  self.counts.note("the server answered " + text);
}

void protocol_load::subscribe(worker& self, link& which,
                              const std::string& topic) {
  auto& out = self.scratch();
  append_subscribe(out, 1, self.now_ms(), topic);
  self.send(which, out);
}

} // namespace callboard::cmd::bench
