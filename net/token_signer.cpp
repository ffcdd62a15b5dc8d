#include <callboard/net/token_signer.hpp>

#include <array>

#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <callboard/net/base64url.hpp>
#include <callboard/net/json_parts.hpp>
#include <callboard/net/openssl_parts.hpp>

namespace callboard::net {

namespace {

// Never asks a terminal for a password.
int no_password(char*, int, int, void*) {
  return -1;
}

std::string make_header(token_algorithm algorithm, std::string_view key_id) {
  namespace rj = callboard_rapidjson;
  rj::StringBuffer buffer;
  rj::Writer<rj::StringBuffer> out{buffer};
  auto put = [&out](std::string_view x) {
    out.String(x.data(), static_cast<rj::SizeType>(x.size()));
  };
  out.StartObject();
  put("alg");
  put(to_string(algorithm));
  put("typ");
  put("JWT");
  if (!key_id.empty()) {
    put("kid");
    put(key_id);
  }
  out.EndObject();
  return {buffer.GetString(), buffer.GetSize()};
}

// Returns an ECDSA signature in DER as its two numbers (RFC 7518, 3.4).
std::string from_der(std::string_view der) {
  auto* at = to_bytes(der);
  openssl_ptr<ECDSA_SIG> pair{
    d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()))};
  if (pair == nullptr)
    return {};
  std::string result(2 * coordinate_bytes, '\0');
  auto* out = reinterpret_cast<unsigned char*>(result.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, coordinate_bytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + coordinate_bytes,
               coordinate_bytes);
  return result;
}

} // namespace

caf::expected<token_signer> token_signer::from_text(std::string_view text) {
  token_signer result;
  if (text.find("-----BEGIN ") == std::string_view::npos) {
    auto keys = read_token_keys(text);
    if (!keys)
      return keys.error();
    result.secret_ = without_line_end(text);
    return result;
  }
  openssl_ptr<BIO> source{
    BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
  result.key_
    = {PEM_read_bio_PrivateKey(source.get(), nullptr, no_password, nullptr),
       EVP_PKEY_free};
  ERR_clear_error();
  if (result.key_ == nullptr)
    return caf::make_error(caf::sec::invalid_argument,
                           "It is not a private key in PEM, without a "
                           "password.");
  auto checked = token_key::from_pkey(result.key_);
  if (!checked)
    return checked.error();
  result.algorithm_ = checked->algorithm();
  return result;
}

std::string token_signer::sign(std::string_view claims,
                               std::string_view key_id) const {
  auto result = to_base64url(make_header(algorithm_, key_id)) + '.'
                + to_base64url(claims);
  result += '.' + to_base64url(signature_of(result));
  return result;
}

std::string token_signer::signature_of(std::string_view text) const {
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  if (algorithm_ == token_algorithm::hs256) {
    unsigned size = 0;
    HMAC(EVP_sha256(), secret_.data(), static_cast<int>(secret_.size()),
         to_bytes(text), text.size(), mac.data(), &size);
    return {reinterpret_cast<char*>(mac.data()), size};
  }
  openssl_ptr<EVP_MD_CTX> context{EVP_MD_CTX_new()};
  auto size = static_cast<size_t>(EVP_PKEY_get_size(key_.get()));
  std::string result(size, '\0');
  auto* out = reinterpret_cast<unsigned char*>(result.data());
  EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key_.get());
  if (EVP_DigestSign(context.get(), out, &size, to_bytes(text), text.size())
      != 1)
    return {};
  result.resize(size);
  return algorithm_ == token_algorithm::es256 ? from_der(result) : result;
}

} // namespace callboard::net
