#pragma once

#include "bench/dialect.hpp"

namespace callboard::cmd::bench {

/// Speaks MQTT 3.1.1 over TCP with a clean session and quality of service 0,
/// so nothing is acknowledged but the subscription.
class mqtt_dialect final : public dialect {
public:
  void open(worker& self, link& which) override;
  size_t take(worker& self, link& which, const uint8_t* first,
              size_t size) override;
  message_template publication(const std::string& topic,
                               size_t payload_bytes) const override;
  void close(worker& self, link& which) override;

private:
  void packet(worker& self, link& which, uint8_t type, const uint8_t* first,
              size_t size);
  void connected(worker& self, link& which, const uint8_t* first, size_t size);
  void subscribed(worker& self, link& which, const uint8_t* first, size_t size);
  void delivery(worker& self, link& which, const uint8_t* first, size_t size);
};

} // namespace callboard::cmd::bench
