#include "socketio.hpp"

#include "bench/load.hpp"

namespace callboard::cmd::bench {

namespace {

constexpr size_t mark_digits = 2 * sizeof(payload_mark);
constexpr std::string_view event_front = "42[\"event\",\"";
constexpr std::string_view event_back = "\"]";

void write_digits(char* at, const payload_mark& mark) {
  constexpr auto digits = "0123456789abcdef";
  uint8_t bytes[sizeof(mark)];
  std::memcpy(bytes, &mark, sizeof(mark));
  for (auto byte : bytes) {
    *at++ = digits[byte >> 4];
    *at++ = digits[byte & 15];
  }
}

int value_of(char digit) {
  return digit >= '0' && digit <= '9'   ? digit - '0'
         : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                        : -1;
}

/// Reads a mark's digits.
/// @returns false if there are too few or others.
bool read_digits(std::string_view text, char* to) {
  if (text.size() < mark_digits)
    return false;
  for (size_t i = 0; i < mark_digits; i += 2) {
    auto high = value_of(text[i]);
    auto low = value_of(text[i + 1]);
    if (high < 0 || low < 0)
      return false;
    *to++ = static_cast<char>(high << 4 | low);
  }
  return true;
}

void append_text(std::string& out, const std::string& text) {
  append_ws_header(out, 1, text.size());
  out += text;
}

void say(worker& self, link& which, const std::string& text) {
  auto& out = self.scratch();
  append_text(out, text);
  self.send(which, out);
}

} // namespace

std::string socketio_dialect::refuses(const bench_options& options) const {
  if (options.payload_bytes < mark_digits)
    return "a payload of Socket.IO has 32 bytes or more here";
  return dialect::refuses(options);
}

message_template socketio_dialect::publication(const std::string& topic,
                                               size_t payload_bytes) const {
  auto text = "42[\"publish\",\"" + topic + "\",\"";
  append_filler(text, payload_bytes);
  text += event_back;
  std::string bytes;
  append_text(bytes, text);
  auto mark_at = bytes.size() - event_back.size() - payload_bytes;
  return {std::move(bytes), mark_at, write_digits};
}

std::string socketio_dialect::path_of(worker&, const link&) const {
  return "/socket.io/?EIO=4&transport=websocket";
}

void socketio_dialect::upgraded(worker&, link&) {
  // The server speaks first.
}

void socketio_dialect::binary(worker& self, link& which, const uint8_t*,
                              const uint8_t*) {
  self.lose(which, "the server sent an attachment, which bench does not read");
}

void socketio_dialect::text(worker& self, link& which,
                            std::string_view message) {
  auto joining = which.state == link_state::joining;
  if (message.starts_with(event_front) && message.ends_with(event_back)) {
    message.remove_prefix(event_front.size());
    message.remove_suffix(event_back.size());
    delivery(self, which, message);
  } else if (message == "2") {
    say(self, which, "3");
  } else if (joining && message.starts_with('0')) {
    say(self, which, "40");
  } else if (joining && message.starts_with("40")) {
    joined(self, which);
  } else if (joining && message.starts_with("430")) {
    self.ready(which);
  } else {
    self.lose(which, "the server sent '" + std::string{message.substr(0, 80)}
                       + "', which bench does not read");
  }
}

void socketio_dialect::joined(worker& self, link& which) {
  auto role = self.what().role_of(self, which);
  if (!role.listens)
    return self.ready(which);
  // The 0 behind 42 asks for an acknowledgement.
  say(self, which, "420[\"join\",\"" + role.topic + "\"]");
}

void socketio_dialect::delivery(worker& self, link& which,
                                std::string_view payload) {
  content_ = payload;
  frame_view event;
  if (read_digits(payload, content_.data()))
    event.content = content_;
  self.what().event(self, which, event);
}

} // namespace callboard::cmd::bench
