#pragma once

#include <cstddef>
#include <memory>
#include <string>

#include <sys/types.h>

struct ssl_st;

namespace callboard::cmd::bench {

/// The client's end of one TLS connection. It is for a load generator: whoever
/// the server says it is, it is believed.
class tls_link {
public:
  /// @param socket connected, non-blocking, not owned.
  /// @param host for SNI, unless it is an IP address.
  tls_link(int socket, const std::string& host);

  tls_link(const tls_link&) = delete;

  ~tls_link();

  /// Reads what there is, until the buffer is full.
  /// @returns what `recv` does, `errno` as well.
  ssize_t receive(void* buffer, size_t size);

  /// @returns what `send` does, `errno` as well: nothing is taken before the
  ///          server has shaken hands.
  ssize_t send(const void* bytes, size_t size);

private:
  // What OpenSSL's last call, which did not succeed, came to.
  ssize_t outcome();

  ssl_st* ssl_;
};

using tls_link_ptr = std::unique_ptr<tls_link>;

} // namespace callboard::cmd::bench
