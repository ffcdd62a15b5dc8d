#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <caf/error.hpp>
#include <caf/expected.hpp>

struct ssl_ctx_st;

namespace callboard::net {

class tls_stream;

/// What a server speaks TLS with. Files are PEM.
struct tls_options {
  /// The certificate, then those that lead to its root; empty: no TLS.
  std::string certificate_file;
  /// The certificate's private key, without a pass phrase.
  std::string key_file;
  /// Certificates of those who vouch for clients; empty: clients show none. One
  /// that is shown must be good.
  std::string client_ca_file;
  /// Whether clients without a certificate are turned away.
  bool client_required = false;
  /// Whether the common name in a client's certificate is its user.
  bool names_users = false;

  [[nodiscard]] bool enabled() const noexcept {
    return !certificate_file.empty();
  }
};

/// Certificates and settings that many TLS connections share: TLS 1.2 and 1.3
/// with forward secrecy and authenticated encryption only. Its connections keep
/// what it was made of, so another one can take its place at any time.
class tls_context {
public:
  /// Reads the files.
  /// @returns `sec::invalid_argument` with a sentence where one of them cannot
  ///          be read, is no PEM, or the key is not that of the certificate.
  static caf::expected<std::shared_ptr<const tls_context>>
  make(const tls_options& options);

  explicit tls_context(ssl_ctx_st* context) noexcept : context_{context} {
  }

  tls_context(const tls_context&) = delete;

  tls_context& operator=(const tls_context&) = delete;

  ~tls_context();

  /// Begins to speak TLS, as a server, on a connected non-blocking descriptor,
  /// which stays the caller's. Any thread.
  [[nodiscard]] std::unique_ptr<tls_stream> accept(int socket) const;

private:
  ssl_ctx_st* context_;
};

/// The `tls_context` of the moment: that of files that may be read again. Any
/// thread.
class tls_source {
public:
  explicit tls_source(tls_options options);

  /// Reads the files.
  /// @returns what `tls_context::make` does where one of them is of no use.
  caf::error load();

  /// The same, but they count only when what is returned is called.
  caf::expected<std::function<void()>> reload();

  /// Returns what was read last; null: nothing is encrypted.
  [[nodiscard]] std::shared_ptr<const tls_context> current() const;

private:
  tls_options options_;
  mutable std::mutex mutex_;
  std::shared_ptr<const tls_context> current_;
};

} // namespace callboard::net
