#pragma once

#include <memory>
#include <string_view>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

// OpenSSL's objects, owned. Not installed.

namespace callboard::net {

/// Bytes of each of the two numbers of an ES256 signature (RFC 7518, 3.4).
inline constexpr int coordinate_bytes = 32;

/// Frees what OpenSSL has made.
struct openssl_delete {
  void operator()(BIGNUM* x) const noexcept {
    BN_free(x);
  }

  void operator()(BIO* x) const noexcept {
    BIO_free_all(x);
  }

  void operator()(ECDSA_SIG* x) const noexcept {
    ECDSA_SIG_free(x);
  }

  void operator()(EVP_MD_CTX* x) const noexcept {
    EVP_MD_CTX_free(x);
  }

  void operator()(EVP_PKEY* x) const noexcept {
    EVP_PKEY_free(x);
  }

  void operator()(EVP_PKEY_CTX* x) const noexcept {
    EVP_PKEY_CTX_free(x);
  }

  void operator()(OSSL_PARAM* x) const noexcept {
    OSSL_PARAM_free(x);
  }

  void operator()(OSSL_PARAM_BLD* x) const noexcept {
    OSSL_PARAM_BLD_free(x);
  }
};

template <class T>
using openssl_ptr = std::unique_ptr<T, openssl_delete>;

/// Returns a text as OpenSSL takes bytes.
inline const unsigned char* to_bytes(std::string_view x) noexcept {
  return reinterpret_cast<const unsigned char*>(x.data());
}

} // namespace callboard::net
