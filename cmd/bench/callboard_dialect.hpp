#pragma once

#include <memory>
#include <string>

#include "websocket_dialect.hpp"

namespace callboard::cmd::bench {

/// Speaks callboard's protocol: takes messages apart into frames, waits for
/// `welcome`, subscribes, and counts errors.
class callboard_dialect final : public websocket_dialect {
public:
  std::string refuses(const bench_options&) const override;
  message_template publication(const std::string& topic,
                               size_t payload_bytes) const override;

private:
  std::string subprotocol() const override;
  void upgraded(worker& self, link& which) override;
  void binary(worker& self, link& which, const uint8_t* first,
              const uint8_t* last) override;
  void frame(worker& self, link& which, const frame_view& frame);
  void welcomed(worker& self, link& which);
  void refused(worker& self, link& which, const frame_view& frame);
};

/// Makes what `callboard bench` speaks: callboard's protocol, or plain messages
/// if the options ask for them.
std::unique_ptr<dialect> make_own_dialect(const bench_options& options);

} // namespace callboard::cmd::bench
