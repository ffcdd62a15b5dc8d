#pragma once

#include <string>

#include "dialect.hpp"

namespace callboard::cmd::bench {

/// Speaks WebSocket: asks for the upgrade, takes bytes apart into messages,
/// answers pings. What the messages say is its children's.
class websocket_dialect : public dialect {
public:
  void open(worker& self, link& which) final;

  size_t take(worker& self, link& which, const uint8_t* first,
              size_t size) final;

  void close(worker& self, link& which) final;

protected:
  /// Returns the path to ask for, by default the URL's.
  virtual std::string path_of(worker& self, const link& which) const;

  /// Returns the subprotocol to offer, by default none.
  virtual std::string subprotocol() const;

  /// Goes on after the upgrade.
  virtual void upgraded(worker& self, link& which) = 0;

  /// Takes one binary message.
  virtual void
  binary(worker& self, link& which, const uint8_t* first, const uint8_t* last)
    = 0;

  /// Takes one text message; by default that ends the connection.
  virtual void text(worker& self, link& which, std::string_view message);

private:
  size_t upgrade(worker& self, link& which, std::string_view response);
  size_t messages(worker& self, link& which, const uint8_t* first, size_t size);
  bool message(worker& self, link& which, const ws_header& header,
               const uint8_t* first);
  bool control(worker& self, link& which, const ws_header& header,
               const uint8_t* first);
};

/// Speaks WebSocket messages that are nothing but their payload, at the path of
/// `bench_options::websocket_echo`. Each that comes is an event.
class plain_dialect final : public websocket_dialect {
public:
  std::string refuses(const bench_options&) const override;
  message_template publication(const std::string& topic,
                               size_t payload_bytes) const override;

private:
  std::string path_of(worker& self, const link& which) const override;
  void upgraded(worker& self, link& which) override;
  void binary(worker& self, link& which, const uint8_t* first,
              const uint8_t* last) override;
};

} // namespace callboard::cmd::bench
