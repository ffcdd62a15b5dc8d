#pragma once

#include "bench/websocket_dialect.hpp"

namespace callboard::cmd::bench {

/// Speaks nchan's plain WebSocket messages. The path says what a connection is
/// for: it publishes to `/publish/TOPIC`, or both ways to `/topic/TOPIC`.
class nchan_dialect final : public websocket_dialect {
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
};

} // namespace callboard::cmd::bench
