#include "nchan.hpp"

#include "bench/load.hpp"

namespace callboard::cmd::bench {

std::string nchan_dialect::refuses(const bench_options& options) const {
  if (options.mode == bench_mode::idle && options.topics == 0)
    return "a connection of nchan has a topic";
  return dialect::refuses(options);
}

message_template nchan_dialect::publication(const std::string&,
                                            size_t payload_bytes) const {
  return message_template::plain(payload_bytes);
}

std::string nchan_dialect::path_of(worker& self, const link& which) const {
  auto role = self.what().role_of(self, which);
  return (role.listens ? "/topic/" : "/publish/") + role.topic;
}

void nchan_dialect::upgraded(worker& self, link& which) {
  self.ready(which);
}

void nchan_dialect::binary(worker& self, link& which, const uint8_t* first,
                           const uint8_t* last) {
  frame_view event;
  event.content = {reinterpret_cast<const char*>(first),
                   static_cast<size_t>(last - first)};
  self.what().event(self, which, event);
}

void nchan_dialect::text(worker&, link&, std::string_view) {
  // A publisher is told how many have heard it.
}

} // namespace callboard::cmd::bench
