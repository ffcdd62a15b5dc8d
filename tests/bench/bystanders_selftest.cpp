// Tests the load generator's connections that do not behave.

#include "selftest.hpp"

#include <cstring>
#include <memory>
#include <string>
#include <tuple>

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.hpp"
#include "bench/silent_crowd.hpp"

using namespace callboard::cmd;
using namespace callboard::cmd::bench;

namespace {

// -- those that say nothing ---------------------------------------------------

/// A server that is the test.
class listening_socket {
public:
  listening_socket() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto generic = reinterpret_cast<sockaddr*>(&address);
    check_that(bind(fd_, generic, size) == 0 && listen(fd_, 16) == 0
                 && getsockname(fd_, generic, &size) == 0,
               "there is a port to listen on");
    std::memcpy(&where_.address, &address, sizeof(address));
    where_.address_size = size;
  }

  listening_socket(const listening_socket&) = delete;

  ~listening_socket() {
    close(fd_);
  }

  const endpoint& where() const {
    return where_;
  }

  int accept_one() const {
    return accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
  }

private:
  int fd_;
  endpoint where_;
};

/// Hands the next events to the crowd, until `cut` have been cut off or nothing
/// happens for 10 s.
void watch(int epoll, silent_crowd& crowd, int64_t now, tally& counts,
           uint64_t cut) {
  epoll_event events[8];
  while (counts.silent_cut.count() < cut) {
    auto count = epoll_wait(epoll, events, 8, 10'000);
    if (count <= 0)
      return;
    for (int i = 0; i < count; ++i)
      crowd.handle(events[i].data.u32, now, counts);
  }
}

void ends_of_silent_connections_are_timed() {
  listening_socket server;
  auto epoll = epoll_create1(EPOLL_CLOEXEC);
  auto counts = std::make_unique<tally>();
  silent_crowd crowd{100, 3};
  crowd.connect_some(epoll, server.where(), 0, 1000, *counts);
  check_that(counts->silent == 3, "three are made");
  auto [first, second, third]
    = std::tuple{server.accept_one(), server.accept_one(), server.accept_one()};
  // An answer in front of the end, as a server's 408.
  check_that(send(first, "late", 4, MSG_NOSIGNAL) == 4, "it can be answered");
  close(first);
  watch(epoll, crowd, 4000, *counts, 1);
  check_that(counts->silent_cut.count() == 1 && counts->silent_cut.min() == 3000
               && counts->silent_cut.max() == 3000,
             "the first was cut off after 3 us");
  linger at_once{1, 0};
  setsockopt(second, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(second);
  watch(epoll, crowd, 6000, *counts, 2);
  check_that(counts->silent_cut.count() == 2 && counts->silent == 3
               && counts->silent_cut.max() == 5000,
             "a reset is an end, too");
  crowd.close_all();
  char nothing = 0;
  check_that(recv(third, &nothing, 1, 0) == 0, "what is left is closed");
  close(third);
  close(epoll);
}

void silent_connections_come_at_their_rate() {
  listening_socket server;
  auto epoll = epoll_create1(EPOLL_CLOEXEC);
  auto counts = std::make_unique<tally>();
  silent_crowd crowd{0, 10};
  constexpr int64_t second = 1'000'000'000;
  crowd.connect_some(epoll, server.where(), 2, second, *counts);
  check_that(counts->silent == 1, "the first comes at once");
  crowd.connect_some(epoll, server.where(), 2, second + second / 2, *counts);
  check_that(counts->silent == 2, "the next after half a second");
  crowd.connect_some(epoll, server.where(), 2, 3 * second, *counts);
  check_that(counts->silent == 5, "two a second");
  crowd.connect_some(epoll, server.where(), 2, 60 * second, *counts);
  check_that(counts->silent == 10, "no more than there are");
  close(epoll);
}

void silent_connections_are_nobody_s_trouble(const bench_options& brief) {
  auto opts = brief;
  opts.mode = bench_mode::echo;
  opts.connections = 10;
  opts.silent = 20;
  opts.threads = 3;
  auto result = measure(opts);
  check_that(result.clean(),
             "silent: " + result.failure + result.counts.trouble);
  check_that(result.counts.silent == 20, "all silent connections are made");
  check_that(result.counts.silent_cut.count() == 0,
             "a server that waits for ever cuts nobody off");
}

// -- those that stop reading --------------------------------------------------

void stalled_subscribers_are_not_counted(const bench_options& brief) {
  auto opts = brief;
  opts.mode = bench_mode::fanout;
  opts.connections = 20;
  opts.stalled = 3;
  opts.threads = 2;
  opts.rate = 200;
  auto result = measure(opts);
  auto& counts = result.counts;
  check_that(result.clean(), "stalled: " + result.failure + counts.trouble);
  check_that(result.connections == 24, "they are connections of their own");
  check_that(counts.published > 0
               && counts.delivered == counts.published * opts.connections,
             "what they get is not counted");
  check_that(counts.stalled_ended == 0 && counts.stalled_end.empty(),
             "a server that holds it all cuts nobody off");
}

void stalled_subscribers_that_are_cut_off_are_told(const bench_options& brief) {
  auto opts = brief;
  opts.mode = bench_mode::fanout;
  opts.connections = 2;
  opts.stalled = 2;
  // Many times what the baseline holds for one.
  opts.payload_bytes = 200'000;
  opts.rate = 100;
  // It may be long until what the kernel holds is full, too.
  opts.duration_s = 5;
  auto result = measure(opts);
  auto& counts = result.counts;
  check_that(result.clean(), "cut off: " + result.failure + counts.trouble);
  check_that(counts.stalled_ended == 2, "both were cut off");
  check_that(!counts.stalled_end.empty(), "it is said how");
}

} // namespace

void test_bystanders(const std::string& url) {
  ends_of_silent_connections_are_timed();
  silent_connections_come_at_their_rate();
  bench_options brief;
  brief.url = url;
  brief.warmup_s = 0.05;
  brief.duration_s = 0.2;
  brief.quiet = true;
  silent_connections_are_nobody_s_trouble(brief);
  stalled_subscribers_are_not_counted(brief);
  stalled_subscribers_that_are_cut_off_are_told(brief);
}
