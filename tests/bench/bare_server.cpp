#include "bare_server.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace baseline {

namespace {

constexpr size_t message_bytes_max = 1 << 20;
constexpr size_t buffer_bytes = message_bytes_max + (256 << 10);
constexpr size_t unsent_bytes_max = 4 << 20;

[[noreturn]] void die(const char* what) {
  fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
  exit(1);
}

} // namespace

server::server(bool coalesce, std::string echo_path)
  : coalesce_(coalesce),
    echo_path_(std::move(echo_path)),
    buffer_(new uint8_t[buffer_bytes]) {
}

void server::listen(uint16_t port) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  int on = 1;
  setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(listener_, generic, size) != 0 || ::listen(listener_, 4096) != 0)
    die("cannot listen");
  getsockname(listener_, generic, &size);
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = listener_;
  if (epoll_ < 0 || epoll_ctl(epoll_, EPOLL_CTL_ADD, listener_, &event) != 0)
    die("cannot use epoll");
  printf("listening on 127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
}

void server::run() {
  epoll_event events[1024];
  for (;;) {
    auto count = epoll_wait(epoll_, events, 1024, -1);
    if (count < 0 && errno != EINTR)
      die("cannot wait");
    for (int i = 0; i < count; ++i) {
      auto fd = events[i].data.fd;
      if (fd == listener_)
        accept_all();
      else if (auto& who = peers_[static_cast<size_t>(fd)])
        handle(*who, events[i].events);
    }
    end_turn();
  }
}

void server::accept_all() {
  for (;;) {
    auto fd = accept4(listener_, nullptr, nullptr,
                      SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0)
      return;
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    auto who = std::make_unique<peer>();
    who->fd = fd;
    who->name = "c" + std::to_string(++accepted_);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.fd = fd;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    if (peers_.size() <= static_cast<size_t>(fd))
      peers_.resize(static_cast<size_t>(fd) + 1);
    peers_[static_cast<size_t>(fd)] = std::move(who);
  }
}

// -- bytes in -----------------------------------------------------------------

void server::handle(peer& who, uint32_t events) {
  if ((events & EPOLLOUT) != 0 && !who.unsent.empty())
    flush(who);
  if ((events & ~uint32_t{EPOLLOUT}) == 0)
    return;
  // A short read empties the socket, unless its end has come as well.
  auto ended = (events & ~uint32_t{EPOLLIN | EPOLLOUT}) != 0;
  while (!who.closing && (receive(who) || ended))
    ;
}

bool server::receive(peer& who) {
  auto have = who.rest.size();
  if (have > 0)
    memcpy(buffer_.get(), who.rest.data(), have);
  auto got = recv(who.fd, buffer_.get() + have, buffer_bytes - have, 0);
  if (got <= 0) {
    if (got == 0 || errno != EAGAIN)
      drop(who);
    return false;
  }
  auto size = have + static_cast<size_t>(got);
  size_t used = 0;
  if (!who.upgraded)
    used = upgrade_peer(who, size);
  if (who.upgraded && !who.closing)
    used += messages(who, buffer_.get() + used, size - used);
  flush_replies(who);
  if (!who.closing && (used < size || have > 0))
    who.rest.assign(buffer_.get() + used, buffer_.get() + size);
  return size == buffer_bytes;
}

size_t server::upgrade_peer(peer& who, size_t size) {
  auto result = answer_upgrade({reinterpret_cast<char*>(buffer_.get()), size});
  if (result.answer.empty())
    return 0;
  write(who, result.answer.data(), result.answer.size());
  if (result.path.empty()) {
    drop(who);
    return size;
  }
  who.upgraded = true;
  who.echoes = result.path == echo_path_;
  if (!who.echoes) {
    body_.clear();
    append_welcome(body_, accepted_);
    reply(who, body_);
  }
  return result.used;
}

size_t server::messages(peer& who, uint8_t* first, size_t size) {
  client_message message;
  size_t used = 0;
  while (!who.closing) {
    auto found = next_message(first + used, size - used, message_bytes_max,
                              message);
    if (found == arrival::part)
      break;
    if (found == arrival::wrong) {
      drop(who);
      break;
    }
    used += message.whole;
    take(who, message);
  }
  return used;
}

void server::take(peer& who, const client_message& message) {
  if (message.opcode == 2 && !who.echoes)
    return protocol(who, message);
  if (message.opcode == 1 || message.opcode == 2 || message.opcode == 9) {
    auto opcode = message.opcode == 9 ? uint8_t{10} : message.opcode;
    append_header(replies_, opcode, message.size);
    auto at = replies_.size();
    replies_.resize(at + message.size);
    unmask(message, reinterpret_cast<uint8_t*>(replies_.data()) + at);
    if (!coalesce_)
      flush_replies(who);
  } else if (message.opcode == 8) {
    reply(who, {"\x03\xe8", 2}, 8);
    flush_replies(who);
    drop(who);
  }
}

void server::protocol(peer& who, const client_message& message) {
  unmask(message, message.body);
  std::string_view rest{reinterpret_cast<char*>(message.body), message.size};
  while (!rest.empty()) {
    auto what = take_frame(rest);
    body_.clear();
    if (!what) {
      append_error(body_, 0, 100, "malformed_frame");
      return reply(who, body_);
    }
    if (what->type == 10) {
      publish(who, *what);
    } else if (what->type == 3 && what->subject == "callboard.echo") {
      append_response(body_, what->seq_id, what->payload);
      reply(who, body_);
    } else if (what->type == 8) {
      subscribe(who, *what);
    } else {
      append_error(body_, what->seq_id, 101, "unknown_type");
      reply(who, body_);
    }
  }
}

// -- topics -------------------------------------------------------------------

void server::subscribe(peer& who, const frame& what) {
  auto found = rooms_.find(what.subject);
  if (found == rooms_.end())
    found = rooms_.emplace(what.subject, room{}).first;
  auto& where = found->second;
  where.members.push_back(&who);
  who.rooms.push_back(&where);
  append_position(body_, what.seq_id, where.offset);
  reply(who, body_);
}

void server::publish(peer& who, const frame& what) {
  auto found = rooms_.find(what.subject);
  if (found == rooms_.end())
    return;
  auto& where = found->second;
  append_event(body_, what.subject, what.payload, ++where.offset, who.name);
  if (what.seq_id != 0) {
    std::string answer;
    append_position(answer, what.seq_id, where.offset);
    reply(who, answer);
  }
  if (!coalesce_)
    turn_.clear();
  auto first = turn_.size();
  append_header(turn_, 2, body_.size());
  turn_ += body_;
  auto last = turn_.size();
  if (!coalesce_) {
    // A member that is dropped here leaves the room when the turn ends.
    for (auto member : where.members)
      write(*member, turn_.data(), last);
    return;
  }
  for (auto member : where.members) {
    auto& pieces = member->pieces;
    if (pieces.empty()) {
      dirty_.push_back(member);
      pieces.push_back({first, last});
    } else if (pieces.back().last == first) {
      pieces.back().last = last;
    } else {
      pieces.push_back({first, last});
    }
  }
}

void server::end_turn() {
  for (auto who : dirty_) {
    auto& pieces = who->pieces;
    if (pieces.size() == 1) {
      write(*who, turn_.data() + pieces[0].first,
            pieces[0].last - pieces[0].first);
    } else {
      gathered_.clear();
      for (auto& each : pieces)
        gathered_.append(turn_, each.first, each.last - each.first);
      write(*who, gathered_.data(), gathered_.size());
    }
    pieces.clear();
  }
  dirty_.clear();
  turn_.clear();
  for (auto& who : dead_)
    for (auto where : who->rooms)
      std::erase(where->members, who.get());
  dead_.clear();
}

// -- bytes out ----------------------------------------------------------------

void server::reply(peer& who, std::string_view body, uint8_t opcode) {
  append_header(replies_, opcode, body.size());
  replies_ += body;
  if (!coalesce_)
    flush_replies(who);
}

void server::flush_replies(peer& who) {
  if (!replies_.empty())
    write(who, replies_.data(), replies_.size());
  replies_.clear();
}

void server::write(peer& who, const char* data, size_t size) {
  if (who.closing)
    return;
  if (who.unsent.empty()) {
    auto sent = send(who.fd, data, size, MSG_NOSIGNAL);
    if (sent == static_cast<ssize_t>(size))
      return;
    if (sent < 0 && errno != EAGAIN)
      return drop(who);
    data += sent > 0 ? sent : 0;
    size -= sent > 0 ? static_cast<size_t>(sent) : 0;
  }
  if (who.unsent.size() + size > unsent_bytes_max)
    return drop(who);
  who.unsent.append(data, size);
}

void server::flush(peer& who) {
  auto sent = send(who.fd, who.unsent.data(), who.unsent.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN)
    return drop(who);
  if (sent > 0)
    who.unsent.erase(0, static_cast<size_t>(sent));
}

void server::drop(peer& who) {
  if (who.closing)
    return;
  who.closing = true;
  close(who.fd);
  dead_.push_back(std::move(peers_[static_cast<size_t>(who.fd)]));
}

} // namespace baseline
