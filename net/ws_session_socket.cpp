#include <callboard/net/ws_session.hpp>

#include <array>
#include <cerrno>

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// What a session has to do with its socket, encrypted or not.

namespace callboard::net {

namespace {

// Calls the system without libc's cancellation point, which costs two atomic
// operations a call in a process with threads. Nobody cancels a loop's thread.
ssize_t send_to(int socket, std::string_view bytes) noexcept {
  return ::syscall(SYS_sendto, socket, bytes.data(), bytes.size(), MSG_NOSIGNAL,
                   nullptr, 0);
}

} // namespace

ssize_t ws_session::receive_into(std::span<char> buffer) {
  if (!encrypted_)
    return ::recv(socket_, buffer.data(), buffer.size(), 0);
  auto [n, then] = tls_->read(buffer);
  if (tls_->has_unsent())
    watch_for();
  if (then == tls_stream::status::failed) {
    errno = ECONNRESET;
    return -1;
  }
  if (n > 0 || then == tls_stream::status::ended)
    return static_cast<ssize_t>(n);
  // As of a socket that has nothing: what came was no data.
  errno = EAGAIN;
  return -1;
}

size_t ws_session::send(std::string_view bytes) {
  if (socket_ < 0 || broken_)
    return 0;
  auto sent = encrypted_ ? send_encrypted({&bytes, 1})
                         : send_to(socket_, bytes);
  return sent > 0 ? static_cast<size_t>(sent) : 0;
}

ssize_t ws_session::send_pieces(std::span<const std::string_view> pieces) {
  if (encrypted_)
    return send_encrypted(pieces);
  if (pieces.size() == 1)
    return send_to(socket_, pieces[0]);
  std::array<iovec, pieces_max> parts;
  for (size_t i = 0; i < pieces.size(); ++i)
    parts[i] = {const_cast<char*>(pieces[i].data()), pieces[i].size()};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = pieces.size();
  return ::sendmsg(socket_, &message, MSG_NOSIGNAL);
}

ssize_t ws_session::send_encrypted(std::span<const std::string_view> pieces) {
  auto [n, then] = tls_->write(pieces);
  if (then == tls_stream::status::failed) {
    errno = ECONNRESET;
    return -1;
  }
  if (tls_->has_unsent())
    watch_for();
  if (n > 0 || then == tls_stream::status::done)
    return static_cast<ssize_t>(n);
  errno = EAGAIN;
  return -1;
}

bool ws_session::has_unsent() const noexcept {
  return box_->queued_bytes() > 0 || (encrypted_ && tls_->has_unsent());
}

} // namespace callboard::net
