#include "nats.hpp"

#include <algorithm>
#include <charconv>

#include "bench/load.hpp"

namespace callboard::cmd::bench {

namespace {

/// The server's own limit is 4 KiB, but `INFO` has no limit.
constexpr size_t line_bytes_max = 64u << 10;

constexpr std::string_view line_end = "\r\n";

/// Reads how many bytes follow the line of a `MSG`: its last word of three, or
/// of four with a topic to reply to.
/// @returns false if that is not what the line says.
bool read_size(std::string_view line, size_t& result) {
  auto spaces = std::count(line.begin(), line.end(), ' ');
  if (spaces != 3 && spaces != 4)
    return false;
  auto word = line.substr(line.rfind(' ') + 1);
  auto last = word.data() + word.size();
  auto [end, code] = std::from_chars(word.data(), last, result);
  return code == std::errc{} && end == last && result <= message_bytes_max;
}

} // namespace

void nats_dialect::open(worker&, link&) {
  // The server speaks first.
}

size_t nats_dialect::take(worker& self, link& which, const uint8_t* first,
                          size_t size) {
  std::string_view input{reinterpret_cast<const char*>(first), size};
  while (which.state != link_state::closed) {
    auto used = message(self, which, input);
    if (used == 0)
      break;
    input.remove_prefix(used);
  }
  return size - input.size();
}

message_template nats_dialect::publication(const std::string& topic,
                                           size_t payload_bytes) const {
  auto bytes = "PUB " + topic + ' ' + std::to_string(payload_bytes) + "\r\n";
  auto mark_at = bytes.size();
  append_filler(bytes, payload_bytes);
  bytes += line_end;
  return {std::move(bytes), mark_at};
}

void nats_dialect::close(worker& self, link& which) {
  // There is no word for it.
  self.lose(which, "it was hung up");
}

/// Takes the first message and returns its bytes, 0 if it is not whole.
size_t nats_dialect::message(worker& self, link& which,
                             std::string_view input) {
  auto end = input.substr(0, line_bytes_max).find(line_end);
  if (end == std::string_view::npos) {
    if (input.size() >= line_bytes_max)
      self.lose(which, "the server sent a line of over 64 KiB");
    return 0;
  }
  auto line = input.substr(0, end);
  auto behind = input.substr(end + line_end.size());
  if (line.starts_with("MSG ")) {
    auto used = delivery(self, which, line, behind);
    return used == 0 ? 0 : end + line_end.size() + used;
  }
  operation(self, which, line);
  return end + line_end.size();
}

/// Takes what is behind the line of a `MSG` and returns its bytes, 0 if it is
/// not whole.
size_t nats_dialect::delivery(worker& self, link& which, std::string_view line,
                              std::string_view behind) {
  size_t size = 0;
  if (!read_size(line, size)) {
    self.lose(which, "the server sent a MSG without a size, or one over 2 MiB");
    return 0;
  }
  auto whole = size + line_end.size();
  if (behind.size() < whole)
    return 0;
  if (behind.substr(size, line_end.size()) != line_end) {
    self.lose(which, "the server sent a MSG that is longer than it says");
    return 0;
  }
  frame_view event;
  event.content = behind.substr(0, size);
  self.what().event(self, which, event);
  return whole;
}

void nats_dialect::operation(worker& self, link& which, std::string_view line) {
  auto joining = which.state == link_state::joining;
  if (line.starts_with("INFO ")) {
    // It comes again when the cluster changes.
    if (joining)
      greet(self, which);
  } else if (line == "PONG") {
    if (joining)
      self.ready(which);
  } else if (line == "PING") {
    self.send(which, "PONG\r\n");
  } else if (line.starts_with("-ERR")) {
    self.refuse(which, std::string{line});
  } else if (line != "+OK") {
    self.lose(which, "the server sent something that is not NATS");
  }
}

void nats_dialect::greet(worker& self, link& which) {
  auto role = self.what().role_of(self, which);
  auto& out = self.scratch();
  out += "CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"bench\","
         "\"lang\":\"c++\",\"version\":\"1\",\"protocol\":1}\r\n";
  if (role.listens)
    out += "SUB " + role.topic + " 1\r\n";
  out += "PING\r\n";
  self.send(which, out);
}

} // namespace callboard::cmd::bench
