#include <callboard/net/cluster/network.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace callboard::net {

namespace {

/// One attempt to connect.
struct connect_probe {
  explicit connect_probe(asio::io_context& io) : socket{io}, timer{io} {
  }

  tcp::socket socket;
  asio::steady_timer timer;
};

} // namespace

loop_network::loop_network(asio::io_context& io, caf::timespan timeout)
  : io_{io}, timeout_{timeout}, resolver_{io} {
}

loop_network::~loop_network() = default;

void loop_network::resolve(const std::string& host,
                           std::function<void(std::vector<std::string>)> f) {
  error_code is_name;
  if (auto ip = asio::ip::make_address(host, is_name); !is_name)
    return asio::post(io_, [f = std::move(f), ip] { f({ip.to_string()}); });
  resolver_.async_resolve(
    host, "",
    [f = std::move(f)](error_code failed,
                       const tcp::resolver::results_type& found) {
      std::vector<std::string> result;
      if (!failed)
        for (auto& x : found) {
          auto ip = x.endpoint().address().to_string();
          if (std::find(result.begin(), result.end(), ip) == result.end())
            result.push_back(std::move(ip));
        }
      f(std::move(result));
    });
}

void loop_network::probe(const std::string& ip, uint16_t port,
                         std::function<void(bool)> f) {
  error_code wrong;
  auto address = asio::ip::make_address(ip, wrong);
  if (wrong)
    return asio::post(io_, [f = std::move(f)] { f(false); });
  auto probe = std::make_shared<connect_probe>(io_);
  probe->timer.expires_after(
    std::chrono::duration_cast<asio::steady_timer::duration>(timeout_));
  probe->timer.async_wait([probe](error_code cancelled) {
    error_code ignored;
    if (!cancelled)
      probe->socket.close(ignored);
  });
  probe->socket.async_connect({address, port},
                              [probe, f = std::move(f)](error_code failed) {
                                error_code ignored;
                                probe->timer.cancel();
                                probe->socket.close(ignored);
                                f(!failed);
                              });
}

} // namespace callboard::net
