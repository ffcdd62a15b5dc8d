#include "websocket_dialect.hpp"

#include "handshake.hpp"
#include "load.hpp"
#include "worker.hpp"

namespace callboard::cmd::bench {

namespace {

constexpr size_t response_bytes_max = 16u << 10;

std::string_view text_of(const uint8_t* first, size_t size) {
  return {reinterpret_cast<const char*>(first), size};
}

/// Says why the other side closed, from a close frame's payload.
std::string close_text(const uint8_t* first, size_t size) {
  if (size < 2)
    return "the server closed it without a code";
  auto code = first[0] << 8 | first[1];
  std::string reason{text_of(first + 2, size - 2)};
  for (auto& c : reason)
    if (static_cast<unsigned char>(c) < ' ')
      c = '?';
  return "the server closed it with " + std::to_string(code)
         + (reason.empty() ? "" : " (" + reason + ")");
}

} // namespace

// -- any WebSocket ------------------------------------------------------------

void websocket_dialect::open(worker& self, link& which) {
  which.state = link_state::upgrading;
  self.send(which, upgrade_request(self.target(), path_of(self, which),
                                   subprotocol(), self.options().token));
}

size_t websocket_dialect::take(worker& self, link& which, const uint8_t* first,
                               size_t size) {
  size_t used = 0;
  if (which.state == link_state::upgrading)
    used = upgrade(self, which, text_of(first, size));
  if (which.state == link_state::joining || which.state == link_state::ready)
    used += messages(self, which, first + used, size - used);
  return used;
}

void websocket_dialect::close(worker& self, link& which) {
  std::string bye;
  append_ws_header(bye, 8, 2);
  bye += "\x03\xe8";
  self.send(which, bye);
}

std::string websocket_dialect::path_of(worker& self, const link&) const {
  return self.target().path;
}

std::string websocket_dialect::subprotocol() const {
  return {};
}

void websocket_dialect::text(worker& self, link& which, std::string_view) {
  self.lose(which, "the server sent a text message, which bench does not read");
}

size_t websocket_dialect::upgrade(worker& self, link& which,
                                  std::string_view response) {
  auto end = response.find("\r\n\r\n");
  if (end == std::string_view::npos) {
    if (response.size() > response_bytes_max)
      self.lose(which, "the server's answer to the upgrade is too long");
    return 0;
  }
  auto problem = check_upgrade(response.substr(0, end + 2), subprotocol());
  if (!problem.empty()) {
    self.lose(which, problem);
    return 0;
  }
  which.state = link_state::joining;
  upgraded(self, which);
  return end + 4;
}

size_t websocket_dialect::messages(worker& self, link& which,
                                   const uint8_t* first, size_t size) {
  auto pos = first;
  auto last = first + size;
  ws_header header;
  for (;;) {
    auto scan = scan_ws_header(pos, last, message_bytes_max, header);
    if (scan == ws_scan::incomplete)
      break;
    if (scan == ws_scan::invalid) {
      self.lose(which, "the server sent something that is not a WebSocket "
                       "frame, or one over 2 MiB");
      break;
    }
    auto body = pos + header.header_bytes;
    pos = body + header.payload_bytes;
    if (header.opcode == 2 && header.last)
      binary(self, which, body, pos);
    else if (!message(self, which, header, body))
      break;
    if (which.state == link_state::closed)
      break;
  }
  return static_cast<size_t>(pos - first);
}

bool websocket_dialect::message(worker& self, link& which,
                                const ws_header& header, const uint8_t* first) {
  if (header.opcode == 1 && header.last) {
    text(self, which, text_of(first, header.payload_bytes));
    return true;
  }
  return control(self, which, header, first);
}

bool websocket_dialect::control(worker& self, link& which,
                                const ws_header& header, const uint8_t* first) {
  auto size = header.payload_bytes;
  if (header.opcode == 9 && size < 126) {
    std::string pong;
    append_ws_header(pong, 10, size);
    pong += text_of(first, size);
    self.send(which, pong);
    return true;
  }
  if (header.opcode == 10)
    return true;
  if (header.opcode == 8)
    self.lose(which, close_text(first, size));
  else
    self.lose(which, "the server sent a fragment, which bench does not read");
  return false;
}

// -- plain messages -----------------------------------------------------------

std::string plain_dialect::refuses(const bench_options&) const {
  return {};
}

message_template plain_dialect::publication(const std::string&,
                                            size_t payload_bytes) const {
  return message_template::plain(payload_bytes);
}

std::string plain_dialect::path_of(worker& self, const link&) const {
  return self.options().websocket_echo;
}

void plain_dialect::upgraded(worker& self, link& which) {
  self.ready(which);
}

void plain_dialect::binary(worker& self, link& which, const uint8_t* first,
                           const uint8_t* last) {
  frame_view event;
  event.content = text_of(first, static_cast<size_t>(last - first));
  self.what().event(self, which, event);
}

} // namespace callboard::cmd::bench
