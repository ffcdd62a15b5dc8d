#include "silent_crowd.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace callboard::cmd::bench {

namespace {

// Connections that one turn begins.
constexpr uint32_t begun_at_once = 64;

} // namespace

silent_crowd::silent_crowd(uint32_t first_number, uint32_t count)
  : first_number_(first_number), connections_(count) {
}

silent_crowd::~silent_crowd() {
  close_all();
}

void silent_crowd::connect_some(int epoll, const endpoint& target, double rate,
                                int64_t now, tally& counts) {
  if (began_ns_ == 0)
    began_ns_ = now;
  auto due = static_cast<double>(connections_.size());
  if (rate > 0)
    due = std::min(due, static_cast<double>(now - began_ns_) / 1e9 * rate + 1);
  for (uint32_t i = 0; i < begun_at_once && begun_ < due; ++i, ++begun_)
    if (connect(epoll, target, now))
      ++counts.silent;
    else
      counts.note("a silent connection was not made: "
                  + std::generic_category().message(errno));
}

bool silent_crowd::connect(int epoll, const endpoint& target, int64_t now) {
  auto fd = ::socket(target.address.ss_family,
                     SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return false;
  connections_[begun_] = {fd, now};
  epoll_event event{};
  event.events = EPOLLIN | EPOLLRDHUP | EPOLLET;
  event.data.u32 = first_number_ + begun_;
  auto code = ::connect(fd, reinterpret_cast<const sockaddr*>(&target.address),
                        target.address_size);
  return (code == 0 || errno == EINPROGRESS)
         && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

void silent_crowd::handle(uint32_t number, int64_t now, tally& counts) {
  auto& which = connections_[number - first_number_];
  if (which.fd < 0)
    return;
  // An answer of the server's comes in front of its end.
  char ignored[4096];
  ssize_t got = 0;
  do {
    got = ::recv(which.fd, ignored, sizeof(ignored), 0);
  } while (got > 0 || (got < 0 && errno == EINTR));
  if (got < 0 && errno == EAGAIN)
    return;
  if (got == 0 || errno == ECONNRESET) {
    counts.silent_cut.record(now - which.began_ns);
  } else {
    --counts.silent;
    counts.note("a silent connection was not made: "
                + std::generic_category().message(errno));
  }
  ::close(which.fd);
  which.fd = -1;
}

void silent_crowd::close_all() {
  for (auto& which : connections_)
    if (which.fd >= 0)
      ::close(std::exchange(which.fd, -1));
}

} // namespace callboard::cmd::bench
