#include <callboard/net/admin_options.hpp>

#include <callboard/net/boost/asio.hpp>

namespace callboard::net {

std::string check(const admin_options& x) {
  if (!x.enabled || !x.key_file.empty() || is_loopback(x.address))
    return {};
  return "the admin listener is not on loopback (" + x.address
         + ") and needs a file with a key";
}

bool is_loopback(const std::string& address) {
  error_code failed;
  auto ip = asio::ip::make_address(address, failed);
  return !failed && ip.is_loopback();
}

} // namespace callboard::net
