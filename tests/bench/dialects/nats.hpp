#pragma once

#include <string_view>

#include "bench/dialect.hpp"

namespace callboard::cmd::bench {

/// Speaks the text protocol of NATS clients over TCP, without
/// acknowledgements: `INFO`, `CONNECT`, `SUB`, `PUB`, `MSG`, `PING`, `PONG`.
/// A subscription holds once the server has answered a `PING` behind it.
class nats_dialect final : public dialect {
public:
  void open(worker& self, link& which) override;
  size_t take(worker& self, link& which, const uint8_t* first,
              size_t size) override;
  message_template publication(const std::string& topic,
                               size_t payload_bytes) const override;
  void close(worker& self, link& which) override;

private:
  size_t message(worker& self, link& which, std::string_view input);
  size_t delivery(worker& self, link& which, std::string_view line,
                  std::string_view behind);
  void operation(worker& self, link& which, std::string_view line);
  void greet(worker& self, link& which);
};

} // namespace callboard::cmd::bench
