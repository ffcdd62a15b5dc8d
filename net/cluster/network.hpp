#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <caf/timespan.hpp>

#include <callboard/net/boost/asio.hpp>

namespace callboard::net {

/// What who dials other nodes needs of the network beside the connections
/// themselves. It answers on the loop's thread, once, and never before the call
/// has returned.
class cluster_network {
public:
  virtual ~cluster_network() = default;

  /// Asks for all IP addresses of a name; there may be none.
  virtual void resolve(const std::string& host,
                       std::function<void(std::vector<std::string>)> f)
    = 0;

  /// Tries whether somebody takes connections there.
  virtual void
  probe(const std::string& ip, uint16_t port, std::function<void(bool)> f)
    = 0;
};

/// That of a loop, on its thread. The names are looked up on a thread of
/// Asio's.
class loop_network final : public cluster_network {
public:
  /// @param io outlives this.
  /// @param timeout for somebody to take a connection.
  loop_network(asio::io_context& io, caf::timespan timeout);

  ~loop_network() override;

  void resolve(const std::string& host,
               std::function<void(std::vector<std::string>)> f) override;

  void probe(const std::string& ip, uint16_t port,
             std::function<void(bool)> f) override;

private:
  asio::io_context& io_;
  caf::timespan timeout_;
  tcp::resolver resolver_;
};

} // namespace callboard::net
