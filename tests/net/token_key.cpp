#include <callboard/net/token_key.hpp>

#include <string>

#include <callboard/net/base64url.hpp>
#include <callboard/net/client_error.hpp>

#include "net/token_fixture.hpp"
#include "support/test.hpp"

using namespace callboard::net;

namespace {

// What a reader said: `RS256 ES256`, or why there are no keys.
std::string words(const caf::expected<token_keys>& x) {
  if (!x)
    return details(x.error()).sentence;
  std::string result;
  for (auto& key : *x) {
    if (!result.empty())
      result += ' ';
    result += to_string(key.algorithm());
    if (!key.id().empty())
      result += ':' + key.id();
  }
  return result;
}

std::string set_of(std::string_view keys) {
  return "{\"keys\":[" + std::string{keys} + "]}";
}

std::string jwks(std::string_view keys) {
  return words(read_jwks(set_of(keys)));
}

const std::string broken
  = "A key of the set has no kty, or a member of another type.";

const std::string no_key = "It has no key for HS256, RS256 or ES256.";

// A JWK for HS256 with these members beside.
std::string oct(std::string_view members) {
  return "{\"kty\":\"oct\",\"k\":\"" + to_base64url(secret) + "\""
         + std::string{members} + "}";
}

} // namespace

// -- signatures ---------------------------------------------------------------

CAF_TEST(the examples of RFC 7515 are well signed) {
  struct {
    std::string_view jwk, header, signature;
  } rows[] = {
    {rfc_hs256_jwk, rfc_hs256_header, rfc_hs256_signature},
    {rfc_rs256_jwk, rfc_rs256_header, rfc_rs256_signature},
    {rfc_es256_jwk, rfc_es256_header, rfc_es256_signature},
  };
  for (auto& row : rows) {
    auto keys = read_jwks(set_of(row.jwk));
    CAF_REQUIRE(keys);
    auto& key = keys->front();
    auto text = std::string{row.header} + std::string{rfc_claims};
    auto signature = *from_base64url(row.signature);
    CHECK(key.verify(text, signature));
    CHECK(!key.verify(text + "x", signature));
    CHECK(!key.verify(text, ""));
    CHECK(!key.verify(text, signature + '\0'));
    CHECK(!key.verify(text, std::string_view{signature}.substr(1)));
    for (size_t i : {size_t{0}, signature.size() / 2, signature.size() - 1}) {
      auto other = signature;
      other[i] = static_cast<char>(other[i] ^ 1);
      CHECK(!key.verify(text, other));
    }
    for (auto& foreign : rows)
      if (&foreign != &row)
        CHECK(!key.verify(text, *from_base64url(foreign.signature)));
  }
}

// -- key files ----------------------------------------------------------------

CAF_TEST(a file has public keys or a secret) {
  CHECK_EQ(words(read_token_keys(rsa_public_pem)), "RS256");
  CHECK_EQ(words(read_token_keys(ec_public_pem)), "ES256");
  CHECK_EQ(words(read_token_keys(std::string{rsa_public_pem}
                                 + std::string{ec_public_pem})),
           "RS256 ES256");
  CHECK_EQ(words(read_token_keys(secret)), "HS256");
}

CAF_TEST(a secret has 32 bytes at least) {
  auto short_one = "A secret for HS256 needs 32 bytes at least.";
  CHECK_EQ(words(read_token_keys(std::string(32, 'x'))), "HS256");
  CHECK_EQ(words(read_token_keys(std::string(31, 'x'))), short_one);
  CHECK_EQ(words(read_token_keys("")), short_one);
  // The line's end is none of it.
  CHECK_EQ(words(read_token_keys(std::string(31, 'x') + '\n')), short_one);
  CHECK_EQ(words(read_token_keys(std::string(31, 'x') + "\r\n")), short_one);
  CHECK_EQ(without_line_end("a\n\n"), "a\n");
  CHECK_EQ(without_line_end("a\r\n"), "a");
  CHECK_EQ(without_line_end("a\r"), "a\r");
  auto key = key_of(std::string{secret} + '\n');
  CHECK(key.verify("a", hmac(secret, "a")));
}

CAF_TEST(a public key is no secret) {
  auto refused = "A public key or certificate is no secret for HS256.";
  auto from_secret = [](std::string x) {
    auto key = token_key::from_secret(std::move(x));
    return key ? "taken" : details(key.error()).sentence;
  };
  CHECK_EQ(from_secret(std::string{rsa_public_pem}), refused);
  CHECK_EQ(from_secret("x" + std::string{ec_public_pem}), refused);
  // The same in DER, as the PEM has it in base64.
  std::string base64;
  for (auto c : ec_public_pem.substr(ec_public_pem.find('\n')))
    if (c == '-')
      break;
    else if (c != '\n' && c != '=')
      base64 += c == '+' ? '-' : c == '/' ? '_' : c;
  CHECK_EQ(from_secret(*from_base64url(base64)), refused);
  CHECK_EQ(words(read_jwks(set_of("{\"kty\":\"oct\",\"k\":\""
                                  + to_base64url(rsa_public_pem) + "\"}"))),
           refused);
}

CAF_TEST(a private key is not for a server) {
  for (auto x : {rsa_private_pem, ec_private_pem})
    CHECK_EQ(words(read_token_keys(x)),
             "It holds a private key; a server needs the public one only.");
}

CAF_TEST(other keys are refused) {
  CHECK_EQ(words(read_token_keys(rsa_1024_public_pem)),
           "An RSA key needs 2048 to 8192 bits.");
  CHECK_EQ(words(read_token_keys(p384_public_pem)),
           "A public key must be RSA, or EC on the curve P-256.");
  auto none = "It is not a public key in PEM.";
  CHECK_EQ(words(read_token_keys("-----BEGIN CERTIFICATE-----\n")), none);
  auto certificate = std::string{ec_public_pem};
  for (auto at = certificate.find("PUBLIC KEY"); at != std::string::npos;
       at = certificate.find("PUBLIC KEY"))
    certificate.replace(at, 10, "CERTIFICATE");
  CHECK_EQ(words(read_token_keys(certificate)),
           "It holds another PEM block than a PUBLIC KEY.");
  auto half = rsa_public_pem.substr(0, rsa_public_pem.size() / 2);
  CHECK_EQ(words(read_token_keys(half)), none);
  CHECK_EQ(words(
             read_token_keys(std::string{ec_public_pem} + std::string{half})),
           none);
}

CAF_TEST(a file has up to 64 keys and 256 KiB) {
  std::string many;
  for (size_t i = 0; i < token_keys_max; ++i)
    many += ec_public_pem;
  CHECK_EQ(read_token_keys(many)->size(), 64u);
  many += ec_public_pem;
  CHECK_EQ(words(read_token_keys(many)), "It holds more than 64 keys.");
  CHECK_EQ(words(read_token_keys(std::string(256 * 1024, 'x'))), "HS256");
  CHECK_EQ(words(read_token_keys(std::string(256 * 1024 + 1, 'x'))),
           "It is larger than 256 KiB.");
}

// -- JWK sets -----------------------------------------------------------------

CAF_TEST(a set gives its keys with their names) {
  auto ec = std::string{rfc_es256_jwk};
  ec.insert(1, R"("kid":"b","use":"sig","alg":"ES256",)");
  CHECK_EQ(jwks(oct(R"(,"kid":"a","alg":"HS256")") + ',' + ec + ','
                + std::string{rfc_rs256_jwk}),
           "HS256:a ES256:b RS256");
}

CAF_TEST(keys that are for something else are skipped) {
  for (auto members :
       {R"(,"use":"enc")", R"(,"alg":"HS512")", R"(,"key_ops":["sign"])",
        R"(,"key_ops":[])", R"(,"key_ops":[1])"})
    CHECK_EQ(jwks(oct(members)), no_key);
  CHECK_EQ(jwks(oct(R"(,"key_ops":["sign","verify"])")), "HS256");
  CHECK_EQ(jwks(R"({"kty":"OKP","crv":"Ed25519","x":"AA"})"), no_key);
  CHECK_EQ(jwks(R"({"kty":"EC","crv":"P-384","x":"AA","y":"AA"})"), no_key);
  CHECK_EQ(jwks(R"({"kty":"RSA","alg":"PS256","n":"AA","e":"AQAB"})"), no_key);
  // A key's own algorithm is not changed by what it says.
  CHECK_EQ(jwks(R"({"kty":"RSA","alg":"HS256","n":"AA","e":"AQAB"})"), no_key);
}

CAF_TEST(a broken key fails the set) {
  for (auto key : {"1", "null", "[]"})
    CHECK_EQ(jwks(key), "A key of the set is not an object.");
  for (auto key : {"{}", R"({"kty":1})", R"({"kty":"oct","kty":"oct"})",
                   R"({"kty":"oct","kid":7})", R"({"kty":"oct","use":[]})"})
    CHECK_EQ(jwks(key), broken);
  CHECK_EQ(jwks(oct(",\"kid\":\"" + std::string(255, 'x') + '"')),
           "HS256:" + std::string(255, 'x'));
  CHECK_EQ(jwks(oct(",\"kid\":\"" + std::string(256, 'x') + '"')), broken);
  auto short_one = "A secret for HS256 needs 32 bytes at least.";
  CHECK_EQ(jwks(R"({"kty":"oct"})"), short_one);
  CHECK_EQ(jwks(R"({"kty":"oct","k":"AAAA"})"), short_one);
  CHECK_EQ(jwks(R"({"kty":"oct","k":"===="})"), short_one);
  CHECK_EQ(jwks(R"({"kty":"oct","k":7})"),
           "A key of the set has a member twice, or too long.");
  CHECK_EQ(jwks(R"({"kty":"RSA","n":"AQAB"})"),
           "An RSA key lacks n or e, or is too long.");
  CHECK_EQ(jwks(R"({"kty":"RSA","n":"AQAB","e":"AQAB"})"),
           "An RSA key needs 2048 to 8192 bits.");
  CHECK_EQ(jwks(R"({"kty":"RSA","n":"AQAB","e":"AQ"})"),
           "An RSA key has an exponent that is none.");
  CHECK_EQ(jwks(R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})"),
           "A coordinate of a P-256 key has 32 bytes.");
  // A point that is not on the curve.
  auto zeros = to_base64url(std::string(32, '\1'));
  CHECK_EQ(jwks(R"({"kty":"EC","crv":"P-256","x":")" + zeros + R"(","y":")"
                + zeros + R"("})"),
           "A public key is broken.");
}

CAF_TEST(what is no set is told) {
  auto no_object = "It is not a JSON object.";
  for (auto text : {"", "[]", "{", "7", "{\"keys\":[}", "\xff"})
    CHECK_EQ(words(read_jwks(text)), no_object);
  for (auto text : {"{}", R"({"keys":7})", R"({"keys":[],"keys":[]})"})
    CHECK_EQ(words(read_jwks(text)), "It has no list of keys, or two.");
  CHECK_EQ(words(read_jwks(R"({"keys":[]})")), no_key);
  CHECK_EQ(words(read_jwks(std::string(256 * 1024 + 1, ' '))),
           "It is larger than 256 KiB.");
  std::string many = oct("");
  for (size_t i = 1; i < token_keys_max; ++i)
    many += ',' + oct("");
  CHECK_EQ(read_jwks(set_of(many))->size(), 64u);
  CHECK_EQ(jwks(many + ',' + oct("")), "The set holds more than 64 keys.");
}
