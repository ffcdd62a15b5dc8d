#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

struct ssl_st;

namespace callboard::net {

/// The server's end of one TLS connection, on a non-blocking descriptor that it
/// does not own. Belongs to one thread at a time.
///
/// What it encrypts is sent, or kept if the socket does not take it: bytes that
/// `write` has taken need not be shown to it again. It takes no more while
/// something is kept, so that this is little; at rest there is nothing.
class tls_stream {
public:
  /// Plaintext of the largest record (RFC 8446, 5.1).
  static constexpr size_t record_bytes_max = 16 * 1024;

  enum class status : uint8_t {
    /// It went on.
    done,
    /// The socket takes no more for now; `flush` once it is writable.
    blocked,
    /// The other end has ended the connection.
    ended,
    /// The connection is of no use any more; `error` says why.
    failed,
  };

  struct result {
    size_t bytes = 0;
    status then = status::done;
  };

  /// Takes over one reference.
  tls_stream(ssl_st* x, int socket) noexcept;

  tls_stream(const tls_stream&) = delete;

  tls_stream& operator=(const tls_stream&) = delete;

  ~tls_stream();

  /// Receives once and decrypts all of it into `out`; goes on with the
  /// handshake before. Bytes may come with `ended` and `failed`, too. What has
  /// to be answered may leave something kept.
  /// @param out at least twice `record_bytes_max`.
  result read(std::span<char> out);

  /// Encrypts and sends the bytes of `pieces`, in records as large as can be.
  /// @returns how many bytes were taken: all, unless the socket is full.
  result write(std::span<const std::string_view> pieces);

  /// Sends what is kept.
  /// @returns `done` if nothing is any more.
  status flush();

  /// Returns whether something is kept that the socket did not take.
  [[nodiscard]] bool has_unsent() const noexcept {
    return !unsent_.empty();
  }

  /// Returns whether the handshake is through, or was before it failed.
  [[nodiscard]] bool is_open() const noexcept {
    return open_;
  }

  /// Returns whether the other end has said that no more comes.
  [[nodiscard]] bool has_ended() const noexcept;

  /// Tells the other end that no more comes, unless the socket is full.
  void end();

  /// Returns the one common name in the verified certificate that the other
  /// end has shown; empty: there is none, several, or one that is longer than
  /// 128 bytes or has control characters.
  [[nodiscard]] std::string peer_name() const;

  /// Returns until when that certificate is good, in Unix milliseconds; 0:
  /// there is none.
  [[nodiscard]] int64_t peer_expires_ms() const;

  /// Returns why it failed; empty: it did not.
  [[nodiscard]] const std::string& error() const noexcept {
    return error_;
  }

private:
  // Counts what is said about the connection rather than on it.
  static void on_message(int is_sent, int version, int kind, const void* bytes,
                         size_t size, ssl_st* ssl, void* self);

  // What OpenSSL's last call, which did not succeed, came to.
  status outcome();

  status fail(std::string why);

  // Sends what OpenSSL has left in the thread's buffer, or keeps it.
  status send_output();

  // Sends as much of `bytes` as the socket takes.
  result send_some(std::string_view bytes);

  ssl_st* ssl_;
  int socket_;
  bool open_ = false;
  // Handshake messages that have come after the handshake.
  uint32_t later_messages_ = 0;
  uint64_t received_bytes_ = 0;
  std::string unsent_;
  std::string error_;
};

} // namespace callboard::net
