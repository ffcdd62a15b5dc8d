#include <callboard/net/tls_context.hpp>

#include <new>
#include <string_view>
#include <utility>

#include <caf/sec.hpp>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include <callboard/net/tls_bio.hpp>
#include <callboard/net/tls_stream.hpp>

namespace callboard::net {

namespace {

// Of TLS 1.2; those of TLS 1.3 are all as good.
constexpr auto tls_1_2_ciphers
  = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL:!eNULL:!SHA1";

// Names what sessions of this server belong to (OpenSSL wants it where clients
// show certificates).
constexpr std::string_view session_context = "callboard";

std::string openssl_reason() {
  auto code = ERR_peek_error();
  auto* reason = ERR_reason_error_string(code);
  ERR_clear_error();
  return reason != nullptr ? reason : "unknown error";
}

caf::error bad_file(const std::string& sentence) {
  return caf::make_error(caf::sec::invalid_argument, sentence);
}

/// Takes HTTP/1.1 where the client offers protocols (RFC 7301).
int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, ours, sizeof(ours) - 1, in,
                            in_size)
      != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/// Never asks a terminal for a pass phrase.
int no_pass_phrase(char*, int, int, void*) {
  return 0;
}

caf::error configure(SSL_CTX* x, const tls_options& options) {
  SSL_CTX_set_min_proto_version(x, TLS1_2_VERSION);
  SSL_CTX_set_options(x, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // At rest a connection holds no buffers.
  SSL_CTX_set_mode(x, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(x, choose_protocol, nullptr);
  SSL_CTX_set_default_passwd_cb(x, no_pass_phrase);
  SSL_CTX_set_session_id_context(
    x, reinterpret_cast<const unsigned char*>(session_context.data()),
    static_cast<unsigned>(session_context.size()));
  // Tickets do it, without memory for each client.
  SSL_CTX_set_session_cache_mode(x, SSL_SESS_CACHE_OFF);
  ERR_clear_error();
  if (SSL_CTX_set_cipher_list(x, tls_1_2_ciphers) != 1)
    return bad_file("OpenSSL lacks the ciphers for TLS 1.2: "
                    + openssl_reason());
  // In the other order, a key of something else would be refused as broken.
  auto& key = options.key_file;
  if (SSL_CTX_use_PrivateKey_file(x, key.c_str(), SSL_FILETYPE_PEM) != 1)
    return bad_file("cannot use the private key in '" + key
                    + "': " + openssl_reason());
  auto& certificate = options.certificate_file;
  if (SSL_CTX_use_certificate_chain_file(x, certificate.c_str()) != 1)
    return bad_file("cannot use the certificate in '" + certificate
                    + "': " + openssl_reason());
  if (SSL_CTX_check_private_key(x) != 1)
    return bad_file("the key in '" + key
                    + "' is not that of the certificate in '" + certificate
                    + "'");
  if (options.client_ca_file.empty())
    return {};
  auto& ca = options.client_ca_file;
  auto* names = SSL_load_client_CA_file(ca.c_str());
  if (names == nullptr || SSL_CTX_load_verify_file(x, ca.c_str()) != 1) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return bad_file("cannot use the certificates in '" + ca
                    + "': " + openssl_reason());
  }
  SSL_CTX_set_client_CA_list(x, names);
  auto required = options.client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(x, SSL_VERIFY_PEER | required, nullptr);
  return {};
}

} // namespace

caf::expected<std::shared_ptr<const tls_context>>
tls_context::make(const tls_options& options) {
  auto* context = SSL_CTX_new(TLS_server_method());
  if (context == nullptr)
    return bad_file("cannot set up TLS: " + openssl_reason());
  std::shared_ptr<const tls_context> result
    = std::make_shared<tls_context>(context);
  if (auto failed = configure(context, options))
    return failed;
  return result;
}

tls_context::~tls_context() {
  SSL_CTX_free(context_);
}

std::unique_ptr<tls_stream> tls_context::accept(int socket) const {
  auto* ssl = SSL_new(context_);
  auto* bio = make_tls_bio();
  if (ssl == nullptr || bio == nullptr) {
    SSL_free(ssl);
    throw std::bad_alloc{};
  }
  SSL_set_bio(ssl, bio, bio);
  SSL_set_accept_state(ssl);
  return std::make_unique<tls_stream>(ssl, socket);
}

tls_source::tls_source(tls_options options) : options_{std::move(options)} {
}

caf::error tls_source::load() {
  auto commit = reload();
  if (!commit)
    return std::move(commit.error());
  (*commit)();
  return {};
}

caf::expected<std::function<void()>> tls_source::reload() {
  if (!options_.enabled())
    return std::function<void()>{[] {}};
  auto made = tls_context::make(options_);
  if (!made)
    return std::move(made.error());
  return std::function<void()>{[this, fresh = std::move(*made)] {
    std::lock_guard lock{mutex_};
    current_ = fresh;
  }};
}

std::shared_ptr<const tls_context> tls_source::current() const {
  std::lock_guard lock{mutex_};
  return current_;
}

} // namespace callboard::net
