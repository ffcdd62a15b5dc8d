#include "service_notify.hpp"

#include <cerrno>
#include <cstddef>
#include <system_error>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

#include <callboard/net/log.hpp>

namespace callboard::cmd {

namespace {

// Writes the address of a socket.
// @returns its size; 0: this is no name of a socket.
socklen_t to_address(const std::string& socket, sockaddr_un& result) {
  result = {};
  result.sun_family = AF_UNIX;
  auto is_abstract = socket.starts_with('@');
  if (socket.size() < 2 || socket.size() >= sizeof(result.sun_path)
      || !(is_abstract || socket.starts_with('/')))
    return 0;
  socket.copy(result.sun_path, socket.size());
  if (is_abstract)
    result.sun_path[0] = '\0';
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path)
                                + socket.size());
}

// @returns 0, or the system's number of what went wrong.
int send_datagram(const std::string& socket, const std::string& message) {
  sockaddr_un address;
  auto size = to_address(socket, address);
  if (size == 0)
    return EINVAL;
  auto descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0)
    return errno;
  auto sent = sendto(descriptor, message.data(), message.size(), MSG_NOSIGNAL,
                     reinterpret_cast<const sockaddr*>(&address), size);
  auto failed = sent < 0 ? errno : 0;
  close(descriptor);
  return failed;
}

} // namespace

service_notify::service_notify(std::string socket)
  : socket_{std::move(socket)} {
}

void service_notify::waits(std::chrono::microseconds most,
                           const std::string& status) const {
  // The manager's own time for a start counts where that is longer.
  send("STATUS=" + status
       + "\nEXTEND_TIMEOUT_USEC=" + std::to_string(most.count()) + '\n');
}

void service_notify::ready(const std::string& status) const {
  send("READY=1\nSTATUS=" + status + '\n');
}

void service_notify::reloading(
  std::chrono::steady_clock::time_point now) const {
  // The steady clock is CLOCK_MONOTONIC, which the manager compares with its.
  using std::chrono::microseconds;
  auto since_boot
    = std::chrono::duration_cast<microseconds>(now.time_since_epoch());
  send("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(since_boot.count())
       + '\n');
}

void service_notify::stopping() const {
  send("STOPPING=1\n");
}

void service_notify::send(const std::string& message) const {
  if (socket_.empty())
    return;
  if (auto failed = send_datagram(socket_, message); failed != 0)
    logger("cmd")->warn("the service manager cannot be told socket=\"{}\" "
                        "reason=\"{}\"",
                        socket_, std::generic_category().message(failed));
}

} // namespace callboard::cmd
