#include <callboard/net/token_key.hpp>

#include <array>
#include <optional>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <callboard/net/openssl_parts.hpp>

namespace callboard::net {

namespace {

caf::error wrong(std::string sentence) {
  return caf::make_error(caf::sec::invalid_argument, std::move(sentence));
}

// Reads a public key in DER; null if it is none.
std::shared_ptr<EVP_PKEY> read_public_key(std::string_view bytes) {
  auto* at = to_bytes(bytes);
  auto* key = d2i_PUBKEY(nullptr, &at, static_cast<long>(bytes.size()));
  ERR_clear_error();
  return {key, EVP_PKEY_free};
}

bool is_public_key(std::string_view bytes) {
  return bytes.find("-----BEGIN ") != std::string_view::npos
         || read_public_key(bytes) != nullptr;
}

struct pem_block {
  std::string name;
  std::string bytes;
};

// Reads the next block; nothing at the end, and where it is broken.
std::optional<pem_block> read_pem_block(BIO* source) {
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* bytes = nullptr;
  long size = 0;
  if (PEM_read_bio(source, &name, &header, &bytes, &size) != 1)
    return std::nullopt;
  pem_block result{name,
                   {reinterpret_cast<char*>(bytes), static_cast<size_t>(size)}};
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_free(bytes);
  return result;
}

bool is_p256(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  size_t size = 0;
  return EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) == 1
         && std::string_view{name.data(), size} == SN_X9_62_prime256v1;
}

// Makes a public key of its parts; null if they are none.
std::shared_ptr<EVP_PKEY> make_key(const char* type, OSSL_PARAM_BLD* parts) {
  openssl_ptr<OSSL_PARAM> params{OSSL_PARAM_BLD_to_param(parts)};
  openssl_ptr<EVP_PKEY_CTX> context{
    EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* key = nullptr;
  if (params == nullptr || context == nullptr
      || EVP_PKEY_fromdata_init(context.get()) != 1
      || EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY,
                           params.get())
           != 1)
    key = nullptr;
  ERR_clear_error();
  return {key, EVP_PKEY_free};
}

// Returns an ECDSA signature in DER; empty if it is none.
std::string to_der(std::string_view signature) {
  if (signature.size() != size_t{2} * coordinate_bytes)
    return {};
  auto number = [signature](size_t at) {
    return BN_bin2bn(to_bytes(signature) + at, coordinate_bytes, nullptr);
  };
  openssl_ptr<ECDSA_SIG> pair{ECDSA_SIG_new()};
  auto *r = number(0), *s = number(coordinate_bytes);
  if (pair == nullptr || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return {};
  }
  unsigned char* bytes = nullptr;
  auto size = i2d_ECDSA_SIG(pair.get(), &bytes);
  if (size <= 0)
    return {};
  std::string result{reinterpret_cast<char*>(bytes), static_cast<size_t>(size)};
  OPENSSL_free(bytes);
  return result;
}

} // namespace

std::string_view to_string(token_algorithm x) noexcept {
  switch (x) {
    case token_algorithm::hs256:
      return "HS256";
    case token_algorithm::rs256:
      return "RS256";
    case token_algorithm::es256:
      return "ES256";
  }
  return "unknown";
}

caf::expected<token_key> token_key::from_secret(std::string secret,
                                                std::string id) {
  if (secret.size() < secret_bytes_min)
    return wrong("A secret for HS256 needs 32 bytes at least.");
  if (is_public_key(secret))
    return wrong("A public key or certificate is no secret for HS256.");
  token_key result;
  result.algorithm_ = token_algorithm::hs256;
  result.secret_ = std::move(secret);
  result.id_ = std::move(id);
  return result;
}

caf::expected<token_key> token_key::from_rsa(std::string_view modulus,
                                             std::string_view exponent,
                                             std::string id) {
  constexpr size_t bytes_max = rsa_bits_max / 8;
  if (modulus.empty() || exponent.empty() || modulus.size() > bytes_max
      || exponent.size() > bytes_max)
    return wrong("An RSA key lacks n or e, or is too long.");
  auto number = [](std::string_view bytes) {
    return openssl_ptr<BIGNUM>{
      BN_bin2bn(to_bytes(bytes), static_cast<int>(bytes.size()), nullptr)};
  };
  auto n = number(modulus), e = number(exponent);
  // With 1, everybody could sign.
  if (!BN_is_odd(e.get()) || BN_is_one(e.get()))
    return wrong("An RSA key has an exponent that is none.");
  openssl_ptr<OSSL_PARAM_BLD> parts{OSSL_PARAM_BLD_new()};
  OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_N, n.get());
  OSSL_PARAM_BLD_push_BN(parts.get(), OSSL_PKEY_PARAM_RSA_E, e.get());
  return from_pkey(make_key("RSA", parts.get()), std::move(id));
}

caf::expected<token_key>
token_key::from_ec(std::string_view x, std::string_view y, std::string id) {
  if (x.size() != coordinate_bytes || y.size() != coordinate_bytes)
    return wrong("A coordinate of a P-256 key has 32 bytes.");
  std::string point{static_cast<char>(POINT_CONVERSION_UNCOMPRESSED)};
  point += x;
  point += y;
  openssl_ptr<OSSL_PARAM_BLD> parts{OSSL_PARAM_BLD_new()};
  OSSL_PARAM_BLD_push_utf8_string(parts.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                  SN_X9_62_prime256v1, 0);
  OSSL_PARAM_BLD_push_octet_string(parts.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                   point.data(), point.size());
  return from_pkey(make_key("EC", parts.get()), std::move(id));
}

caf::expected<token_key> token_key::from_pkey(std::shared_ptr<evp_pkey_st> key,
                                              std::string id) {
  if (key == nullptr)
    return wrong("A public key is broken.");
  token_key result;
  if (EVP_PKEY_is_a(key.get(), "RSA")) {
    auto bits = EVP_PKEY_get_bits(key.get());
    if (bits < rsa_bits_min || bits > rsa_bits_max)
      return wrong("An RSA key needs 2048 to 8192 bits.");
    result.algorithm_ = token_algorithm::rs256;
  } else if (EVP_PKEY_is_a(key.get(), "EC") && is_p256(key.get())) {
    result.algorithm_ = token_algorithm::es256;
  } else {
    return wrong("A public key must be RSA, or EC on the curve P-256.");
  }
  result.key_ = std::move(key);
  result.id_ = std::move(id);
  return result;
}

bool token_key::verify(std::string_view text,
                       std::string_view signature) const {
  if (algorithm_ == token_algorithm::hs256) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
    unsigned size = 0;
    return HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
                to_bytes(text), text.size(), mac.data(), &size)
             != nullptr
           && size == signature.size()
           && CRYPTO_memcmp(mac.data(), signature.data(), size) == 0;
  }
  std::string der;
  if (algorithm_ == token_algorithm::es256) {
    der = to_der(signature);
    signature = der;
  }
  openssl_ptr<EVP_MD_CTX> context{EVP_MD_CTX_new()};
  auto good = !signature.empty() && context != nullptr
              && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(),
                                      nullptr, key_.get())
                   == 1
              && EVP_DigestVerify(context.get(), to_bytes(signature),
                                  signature.size(), to_bytes(text), text.size())
                   == 1;
  // What is refused leaves a note, which would grow with each.
  ERR_clear_error();
  return good;
}

std::string_view without_line_end(std::string_view text) noexcept {
  if (!text.ends_with('\n'))
    return text;
  text.remove_suffix(1);
  if (text.ends_with('\r'))
    text.remove_suffix(1);
  return text;
}

caf::expected<token_keys> read_token_keys(std::string_view text) {
  if (text.size() > token_file_bytes_max)
    return wrong("It is larger than 256 KiB.");
  if (text.find("PRIVATE KEY-----") != std::string_view::npos)
    return wrong("It holds a private key; a server needs the public one only.");
  token_keys result;
  if (text.find("-----BEGIN ") == std::string_view::npos) {
    auto key = token_key::from_secret(std::string{without_line_end(text)});
    if (!key)
      return key.error();
    result.push_back(std::move(*key));
    return result;
  }
  openssl_ptr<BIO> source{
    BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  while (auto block = read_pem_block(source.get())) {
    if (block->name != PEM_STRING_PUBLIC)
      return wrong("It holds another PEM block than a PUBLIC KEY.");
    auto key = token_key::from_pkey(read_public_key(block->bytes));
    if (!key)
      return key.error();
    result.push_back(std::move(*key));
    if (result.size() > token_keys_max)
      return wrong("It holds more than 64 keys.");
  }
  // The end is where no further block begins.
  auto last = ERR_GET_REASON(ERR_peek_last_error());
  ERR_clear_error();
  if (result.empty() || last != PEM_R_NO_START_LINE)
    return wrong("It is not a public key in PEM.");
  return result;
}

} // namespace callboard::net
