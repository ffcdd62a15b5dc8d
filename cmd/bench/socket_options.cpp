#include "socket_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace callboard::cmd::bench {

namespace {

constexpr int receive_bytes = 4096;
// Those of a network of Ethernet's.
constexpr int segment_bytes = 1460;

} // namespace

void send_at_once(int socket) {
  int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

void hold_little(int socket) {
  setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &receive_bytes,
             sizeof(receive_bytes));
  setsockopt(socket, IPPROTO_TCP, TCP_MAXSEG, &segment_bytes,
             sizeof(segment_bytes));
}

} // namespace callboard::cmd::bench
