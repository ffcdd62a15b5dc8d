#include "worker.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dialect.hpp"
#include "load.hpp"
#include "socket_options.hpp"

namespace callboard::cmd::bench {

namespace {

constexpr size_t buffer_bytes = message_bytes_max + (256u << 10);
constexpr size_t unsent_bytes_max = 16u << 20;
constexpr uint32_t handshakes_max = 256;
constexpr int64_t hang_up_ns_max = 2'000'000'000;
constexpr int64_t idle_turn_ns = 5'000'000;

int64_t read_clock(clockid_t id) {
  timespec result{};
  clock_gettime(id, &result);
  return int64_t{result.tv_sec} * 1'000'000'000 + result.tv_nsec;
}

ssize_t receive_some(link& from, void* buffer, size_t size) {
  return from.tls ? from.tls->receive(buffer, size)
                  : ::recv(from.fd, buffer, size, 0);
}

ssize_t send_some(link& to, const std::string& bytes) {
  return to.tls ? to.tls->send(bytes.data(), bytes.size())
                : ::send(to.fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

std::string system_text(int code) {
  return std::generic_category().message(code);
}

} // namespace

worker::worker(run_state& state, std::unique_ptr<load> what,
               std::unique_ptr<dialect> how, uint32_t links)
  : state_(state),
    what_(std::move(what)),
    how_(std::move(how)),
    links_(links),
    buffer_(new uint8_t[buffer_bytes]) {
  for (uint32_t i = 0; i < links; ++i)
    links_[i].index = i;
}

worker::~worker() {
  for (auto& which : links_)
    if (which.fd >= 0)
      ::close(which.fd);
  if (epoll_ >= 0)
    ::close(epoll_);
}

void worker::add_silent(uint32_t count) {
  auto first_number = static_cast<uint32_t>(links_.size());
  if (count > 0)
    silent_ = std::make_unique<silent_crowd>(first_number, count);
}

void worker::run() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0)
    return fail("cannot create an epoll instance: " + system_text(errno));
  now_ = connect_began_ns_ = read_clock(CLOCK_MONOTONIC);
  unix_offset_ns_ = read_clock(CLOCK_REALTIME) - now_;
  for (;;) {
    if (auto phase = state_.phase.load(std::memory_order_acquire);
        phase != phase_)
      enter(phase);
    if (phase_ == run_phase::connect)
      connect_some();
    if (phase_ == run_phase::measure && silent_)
      connect_silent();
    if (phase_ == run_phase::hang_up
        && (open_ == 0 || now_ - hang_up_began_ns_ > hang_up_ns_max))
      return;
    wait();
    show();
  }
}

void worker::enter(run_phase phase) {
  auto previous = phase_;
  phase_ = phase;
  now_ = read_clock(CLOCK_MONOTONIC);
  if (phase == run_phase::warm_up)
    what_->start(*this);
  if (phase == run_phase::measure) {
    counts.latency.reset();
    window_.elapsed_ns = -now_;
    window_.cpu_ns = -read_clock(CLOCK_THREAD_CPUTIME_ID);
    window_.published = counts.published;
    window_.delivered = counts.delivered;
    window_.received_bytes = counts.received_bytes;
  } else if (previous == run_phase::measure) {
    if (options().rate > 0)
      due_until_ns_ = now_;
    what_->measured(*this);
    window_.elapsed_ns += now_;
    window_.cpu_ns += read_clock(CLOCK_THREAD_CPUTIME_ID);
    window_.published = counts.published - window_.published;
    window_.delivered = counts.delivered - window_.delivered;
    window_.received_bytes = counts.received_bytes - window_.received_bytes;
  }
  if (phase == run_phase::drain)
    for (auto& which : links_)
      if (which.stalls)
        read_on(which);
  if (phase == run_phase::hang_up) {
    silent_ = nullptr;
    if (previous == run_phase::drain)
      what_->finish(*this);
    hang_up_began_ns_ = now_;
    for (auto& which : links_)
      hang_up(which);
  }
}

// -- connecting ---------------------------------------------------------------

void worker::connect_some() {
  auto until = static_cast<double>(links_.size());
  auto& opts = options();
  if (opts.connect_rate > 0) {
    auto seconds = static_cast<double>(now_ - connect_began_ns_) / 1e9;
    auto share = opts.connect_rate / std::max(opts.threads, 1u);
    until = std::min(until, seconds * share + 1);
  }
  while (begun_ < until && may_connect())
    connect(links_[begun_++]);
}

void worker::connect_silent() {
  auto share = options().connect_rate / std::max(options().threads, 1u);
  now_ = read_clock(CLOCK_MONOTONIC);
  silent_->connect_some(epoll_, state_.target, share, now_, counts);
}

bool worker::may_connect() const {
  return handshaking_ < handshakes_max && !failed();
}

void worker::connect(link& which) {
  auto& target = state_.target;
  which.fd = ::socket(target.address.ss_family,
                      SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (which.fd < 0)
    return fail("cannot open a socket: " + system_text(errno));
  ++handshaking_;
  ++open_;
  which.state = link_state::connecting;
  send_at_once(which.fd);
  which.stalls = what_->stalls(which);
  if (which.stalls)
    hold_little(which.fd);
  auto code = ::connect(which.fd,
                        reinterpret_cast<const sockaddr*>(&target.address),
                        target.address_size);
  if (code != 0 && errno != EINPROGRESS)
    return lose(which, system_text(errno));
  epoll_event event{};
  // Edges cost one look at a socket where levels cost two.
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u32 = which.index;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, which.fd, &event) != 0)
    fail("cannot watch a socket: " + system_text(errno));
}

void worker::established(link& which) {
  int code = 0;
  socklen_t size = sizeof(code);
  getsockopt(which.fd, SOL_SOCKET, SO_ERROR, &code, &size);
  if (code != 0)
    return lose(which, system_text(code));
  which.state = link_state::joining;
  if (state_.target.encrypted)
    which.tls = std::make_unique<tls_link>(which.fd, state_.target.host);
  how_->open(*this, which);
}

void worker::ready(link& which) {
  if (which.state != link_state::joining)
    return;
  which.state = link_state::ready;
  --handshaking_;
  ++ready_;
}

// -- bytes in -----------------------------------------------------------------

void worker::wait() {
  epoll_event events[1024];
  auto timeout = what_->tick(*this);
  if (timeout < 0 || timeout > idle_turn_ns)
    timeout = idle_turn_ns;
  timespec limit{0, static_cast<long>(timeout)};
  auto count = epoll_pwait2(epoll_, events, 1024, &limit, nullptr);
  if (count < 0 && errno != EINTR)
    return fail("cannot wait for sockets: " + system_text(errno));
  if (count <= 0)
    now_ = read_clock(CLOCK_MONOTONIC);
  for (int i = 0; i < count; ++i)
    handle(events[i].data.u32, events[i].events);
}

void worker::handle(uint32_t number, uint32_t events) {
  if (number < links_.size())
    return handle(links_[number], events);
  now_ = read_clock(CLOCK_MONOTONIC);
  if (silent_)
    silent_->handle(number, now_, counts);
}

void worker::handle(link& which, uint32_t events) {
  if (which.state == link_state::closed)
    return;
  if (which.stalls && phase_ == run_phase::measure) {
    now_ = read_clock(CLOCK_MONOTONIC);
    return;
  }
  // A server that speaks first can have done so already.
  if (which.state == link_state::connecting)
    established(which);
  if ((events & EPOLLOUT) != 0 && !which.unsent.empty())
    flush(which);
  if ((events & ~uint32_t{EPOLLOUT}) == 0)
    return;
  // A short read empties the socket, unless its end has come as well.
  auto ended = (events & ~uint32_t{EPOLLIN | EPOLLOUT}) != 0;
  while (which.state != link_state::closed && (receive(which) || ended))
    ;
}

bool worker::receive(link& which) {
  auto buffer = buffer_.get();
  auto have = which.rest.size();
  if (have > 0)
    std::memcpy(buffer, which.rest.data(), have);
  auto got = receive_some(which, buffer + have, buffer_bytes - have);
  now_ = read_clock(CLOCK_MONOTONIC);
  if (got <= 0) {
    if (got < 0 && errno == EAGAIN) {
      // With TLS, this may be what the first bytes were waiting for.
      if (which.tls && !which.unsent.empty())
        flush(which);
      return false;
    }
    lose(which,
         got == 0 ? "the server ended the connection" : system_text(errno));
    return false;
  }
  counts.received_bytes += static_cast<uint64_t>(got);
  auto size = have + static_cast<size_t>(got);
  // What comes after the goodbye is of no interest.
  auto used = phase_ == run_phase::hang_up
                ? size
                : how_->take(*this, which, buffer, size);
  if (which.state == link_state::closed)
    return false;
  if (used < size || have > 0)
    which.rest.assign(buffer + used, buffer + size);
  what_->received(*this, which);
  return size == buffer_bytes;
}

void worker::read_on(link& which) {
  // No edge comes of what has come already, its end included.
  for (auto before = ~counts.received_bytes;
       which.state != link_state::closed && before != counts.received_bytes;) {
    before = counts.received_bytes;
    receive(which);
  }
}

// -- bytes out ----------------------------------------------------------------

void worker::send(link& to, const std::string& bytes) {
  if (to.state == link_state::closed)
    return;
  size_t sent = 0;
  if (to.unsent.empty()) {
    auto code = send_some(to, bytes);
    if (code < 0 && errno != EAGAIN)
      return lose(to, system_text(errno));
    sent = code > 0 ? static_cast<size_t>(code) : 0;
    if (sent == bytes.size())
      return;
  }
  if (to.unsent.size() > unsent_bytes_max)
    return lose(to, "the server does not read: over 16 MiB wait to be sent");
  to.unsent.append(bytes, sent, std::string::npos);
}

void worker::flush(link& which) {
  auto& unsent = which.unsent;
  auto code = send_some(which, unsent);
  if (code < 0 && errno != EAGAIN)
    return lose(which, system_text(errno));
  if (code > 0)
    unsent.erase(0, static_cast<size_t>(code));
}

// -- ends ---------------------------------------------------------------------

void worker::lose(link& which, const std::string& why) {
  if (which.state == link_state::closed)
    return;
  auto was_ready = which.state == link_state::ready;
  release(which, link_state::closed);
  if (phase_ == run_phase::hang_up)
    return;
  if (which.stalls && phase_ != run_phase::connect) {
    ++counts.stalled_ended;
    if (counts.stalled_end.empty())
      counts.stalled_end = why;
    return;
  }
  ++counts.closed;
  if (phase_ == run_phase::connect) {
    fail("cannot connect to " + state_.target.host_and_port() + ": " + why);
  } else {
    counts.note((was_ready ? "a connection was lost: "
                           : "a connection was not made again: ")
                + why);
    if (open_ == 0)
      fail("every connection was lost: " + why);
  }
}

void worker::drop(link& which) {
  if (which.state != link_state::closed && which.state != link_state::fresh)
    release(which, link_state::fresh);
}

void worker::release(link& which, link_state state) {
  if (which.state == link_state::ready)
    --ready_;
  else
    --handshaking_;
  which.state = state;
  which.tls = nullptr;
  ::close(which.fd);
  which.fd = -1;
  which.rest = {};
  which.unsent = {};
  --open_;
}

void worker::refuse(link& which, const std::string& what) {
  auto sentence = "the server answered " + what;
  if (which.state == link_state::joining)
    return lose(which, sentence);
  ++counts.errors;
  counts.note(sentence);
}

void worker::hang_up(link& which) {
  if (which.state != link_state::joining && which.state != link_state::ready) {
    if (which.fd >= 0)
      lose(which, "it was given up");
    return;
  }
  how_->close(*this, which);
}

void worker::fail(std::string why) {
  if (failed())
    return;
  failure_ = std::move(why);
  failed_.store(true, std::memory_order_release);
}

void worker::show() {
  seen_ready_.store(ready_, std::memory_order_relaxed);
  seen_published_.store(counts.published, std::memory_order_relaxed);
  seen_delivered_.store(counts.delivered, std::memory_order_relaxed);
  seen_errors_.store(counts.errors, std::memory_order_relaxed);
  seen_stalled_ended_.store(counts.stalled_ended, std::memory_order_relaxed);
  seen_phase_.store(phase_, std::memory_order_release);
}

} // namespace callboard::cmd::bench
