#include "tls.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <new>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace callboard::cmd::bench {

namespace {

struct free_context {
  void operator()(SSL_CTX* x) const noexcept {
    SSL_CTX_free(x);
  }
};

/// Returns what all connections share.
SSL_CTX* shared_context() {
  static const std::unique_ptr<SSL_CTX, free_context> made = [] {
    std::unique_ptr<SSL_CTX, free_context> result{
      SSL_CTX_new(TLS_client_method())};
    if (!result)
      throw std::bad_alloc{};
    // OpenSSL writes to sockets that may have been closed.
    signal(SIGPIPE, SIG_IGN);
    SSL_CTX_set_min_proto_version(result.get(), TLS1_2_VERSION);
    SSL_CTX_set_read_ahead(result.get(), 1);
    SSL_CTX_set_mode(result.get(), SSL_MODE_ENABLE_PARTIAL_WRITE
                                     | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return result;
  }();
  return made.get();
}

bool is_name(const std::string& host) {
  return host.find_first_not_of("0123456789.") != std::string::npos
         && host.find(':') == std::string::npos;
}

} // namespace

tls_link::tls_link(int socket, const std::string& host)
  : ssl_{SSL_new(shared_context())} {
  if (ssl_ == nullptr || SSL_set_fd(ssl_, socket) != 1) {
    SSL_free(ssl_);
    throw std::bad_alloc{};
  }
  if (is_name(host))
    SSL_set_tlsext_host_name(ssl_, host.c_str());
  SSL_set_connect_state(ssl_);
}

tls_link::~tls_link() {
  SSL_free(ssl_);
}

ssize_t tls_link::receive(void* buffer, size_t size) {
  size_t have = 0;
  while (have < size) {
    size_t n = 0;
    ERR_clear_error();
    if (SSL_read_ex(ssl_, static_cast<char*>(buffer) + have, size - have, &n)
        != 1) {
      // What comes behind these bytes is told when nothing is left.
      if (have > 0)
        break;
      return outcome();
    }
    have += n;
  }
  return static_cast<ssize_t>(have);
}

ssize_t tls_link::send(const void* bytes, size_t size) {
  size_t sent = 0;
  while (sent < size) {
    size_t n = 0;
    ERR_clear_error();
    if (SSL_write_ex(ssl_, static_cast<const char*>(bytes) + sent, size - sent,
                     &n)
        == 1) {
      sent += n;
      continue;
    }
    if (outcome() == 0)
      errno = ECONNRESET;
    if (errno != EAGAIN || sent == 0)
      return -1;
    break;
  }
  return static_cast<ssize_t>(sent);
}

ssize_t tls_link::outcome() {
  switch (SSL_get_error(ssl_, 0)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      errno = EAGAIN;
      return -1;
    case SSL_ERROR_ZERO_RETURN:
      return 0;
    default:
      errno = EPROTO;
      return -1;
  }
}

} // namespace callboard::cmd::bench
