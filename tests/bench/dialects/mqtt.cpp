#include "mqtt.hpp"

#include "bench/load.hpp"

namespace callboard::cmd::bench {

namespace {

/// Packet types with their fixed flags, MQTT 3.1.1, section 2.2.
enum packet_type : uint8_t {
  packet_connect = 0x10,
  packet_connack = 0x20,
  packet_publish = 0x30,
  packet_subscribe = 0x82,
  packet_suback = 0x90,
  packet_pingresp = 0xd0,
  packet_disconnect = 0xe0,
};

constexpr uint8_t retain_flag = 1;
constexpr uint8_t clean_session = 2;
constexpr size_t length_bytes_max = 4;

/// The front of a packet.
struct packet_header {
  uint8_t type = 0;
  size_t header_bytes = 0;
  size_t size = 0;
};

enum class scan_result : uint8_t { complete, incomplete, invalid };

scan_result scan(const uint8_t* first, size_t have, packet_header& result) {
  if (have < 2)
    return scan_result::incomplete;
  result.type = first[0];
  result.size = 0;
  for (size_t i = 0; i < length_bytes_max; ++i) {
    if (have < i + 2)
      return scan_result::incomplete;
    result.size |= size_t{first[i + 1] & 0x7fu} << 7 * i;
    if ((first[i + 1] & 0x80) != 0)
      continue;
    result.header_bytes = i + 2;
    if (result.size > message_bytes_max)
      return scan_result::invalid;
    return have - result.header_bytes < result.size ? scan_result::incomplete
                                                    : scan_result::complete;
  }
  return scan_result::invalid;
}

void append_length(std::string& out, size_t size) {
  for (; size >= 0x80; size >>= 7)
    out += static_cast<char>(0x80 | (size & 0x7f));
  out += static_cast<char>(size);
}

void append_text(std::string& out, std::string_view text) {
  out += static_cast<char>(text.size() >> 8);
  out += static_cast<char>(text.size() & 0xff);
  out += text;
}

std::string packet_of(packet_type type, const std::string& body) {
  std::string result(1, static_cast<char>(type));
  append_length(result, body.size());
  return result += body;
}

} // namespace

void mqtt_dialect::open(worker& self, link& which) {
  std::string body;
  append_text(body, "MQTT");
  body += '\4';
  body += static_cast<char>(clean_session);
  // The connection is kept for ever, and the server names the client.
  body.append(2, '\0');
  append_text(body, "");
  self.send(which, packet_of(packet_connect, body));
}

size_t mqtt_dialect::take(worker& self, link& which, const uint8_t* first,
                          size_t size) {
  size_t used = 0;
  packet_header header;
  while (which.state != link_state::closed) {
    auto found = scan(first + used, size - used, header);
    if (found == scan_result::invalid)
      self.lose(which, "the server sent a packet whose length is wrong, or one "
                       "over 2 MiB");
    if (found != scan_result::complete)
      break;
    used += header.header_bytes;
    packet(self, which, header.type, first + used, header.size);
    used += header.size;
  }
  return used;
}

message_template mqtt_dialect::publication(const std::string& topic,
                                           size_t payload_bytes) const {
  std::string body;
  append_text(body, topic);
  append_filler(body, payload_bytes);
  auto bytes = packet_of(packet_publish, body);
  auto mark_at = bytes.size() - payload_bytes;
  return {std::move(bytes), mark_at};
}

void mqtt_dialect::close(worker& self, link& which) {
  self.send(which, packet_of(packet_disconnect, ""));
}

void mqtt_dialect::packet(worker& self, link& which, uint8_t type,
                          const uint8_t* first, size_t size) {
  if (type == packet_publish || type == (packet_publish | retain_flag))
    delivery(self, which, first, size);
  else if (type == packet_connack)
    connected(self, which, first, size);
  else if (type == packet_suback)
    subscribed(self, which, first, size);
  else if (type != packet_pingresp)
    self.lose(which, "the server sent an MQTT packet of type "
                       + std::to_string(type >> 4)
                       + " or with flags that bench does not read");
}

void mqtt_dialect::connected(worker& self, link& which, const uint8_t* first,
                             size_t size) {
  auto code = size == 2 ? int{first[1]} : -1;
  if (code != 0)
    return self.lose(which, "the server answered CONNECT with code "
                              + std::to_string(code));
  auto role = self.what().role_of(self, which);
  if (!role.listens)
    return self.ready(which);
  std::string body{'\0', '\1'};
  append_text(body, role.topic);
  body += '\0';
  self.send(which, packet_of(packet_subscribe, body));
}

void mqtt_dialect::subscribed(worker& self, link& which, const uint8_t* first,
                              size_t size) {
  if (size != 3 || first[2] != 0)
    return self.lose(which, "the server refused the subscription");
  self.ready(which);
}

void mqtt_dialect::delivery(worker& self, link& which, const uint8_t* first,
                            size_t size) {
  auto topic_bytes = size < 2 ? size : size_t{first[0]} << 8 | first[1];
  if (topic_bytes + 2 > size)
    return self.lose(which, "the server sent a topic that is longer than its "
                            "packet");
  frame_view event;
  event.content = {reinterpret_cast<const char*>(first) + 2 + topic_bytes,
                   size - 2 - topic_bytes};
  self.what().event(self, which, event);
}

} // namespace callboard::cmd::bench
