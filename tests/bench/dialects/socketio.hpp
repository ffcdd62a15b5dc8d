#pragma once

#include <string>

#include "bench/websocket_dialect.hpp"

namespace callboard::cmd::bench {

/// Speaks Socket.IO 5 in Engine.IO 4, by WebSocket alone, with
/// `tests/bench/socketio.mjs`. A payload is a JSON string, so that an event is
/// one WebSocket message; the mark stands in it as 32 hexadecimal digits.
class socketio_dialect final : public websocket_dialect {
public:
  std::string refuses(const bench_options& options) const override;
  message_template publication(const std::string& topic,
                               size_t payload_bytes) const override;

private:
  std::string path_of(worker& self, const link& which) const override;
  void upgraded(worker& self, link& which) override;
  void binary(worker& self, link& which, const uint8_t* first,
              const uint8_t* last) override;
  void text(worker& self, link& which, std::string_view message) override;
  void joined(worker& self, link& which);
  void delivery(worker& self, link& which, std::string_view payload);

  /// The payload that came last, with the mark's bytes over its front.
  std::string content_;
};

} // namespace callboard::cmd::bench
