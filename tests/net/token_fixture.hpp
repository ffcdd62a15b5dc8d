#pragma once

#include <string>
#include <string_view>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <callboard/net/base64url.hpp>
#include <callboard/net/token_key.hpp>

// Keys that were made for these tests, and tokens that no signer would make.

namespace callboard::net {

inline constexpr std::string_view rsa_private_pem
  = "-----BEGIN PRIVATE KEY-----\n"
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCzWZoQkuo8riPR\n"
    "CKiQ3USMXEeooNlIK6KWEyjbhoMWekedVqvOzpD21gWwRsgLXujSWr6w8dDVJnZw\n"
    "n0OKa7ymUJRZFlnLLoOojgCYYZj8eUBkuaTAr4C9fGNhGWfF5pUWRNfCF4GDBhew\n"
    "9s5M0yIfJBXbtSp1ADynvq3e+tNdkRUKPQItVsakAJmTHIKtO1KRjpjov0KSsxfR\n"
    "fRw55THHTDHVl4/Eqs8aLRDN3+QaXMbOAE5NR3I1k38nrAITRcQ5u7UeQqmPGNnv\n"
    "uakuibkUCcck2C9G8pscp0+i7h+2oI8caeXoGyF7JRWWk/C8V2QUyueF6AR1+XAh\n"
    "01W9di0HAgMBAAECggEAJFkKckV0F2wrchfRIdrWI6QoGbLPlmLRhpzHcQYn1wxd\n"
    "KzP/ieAvXPcvG/ScYkGP6eHeN7oqWqh65IRCifEfwI0gI5X2CMmagTSWRkuxV6mz\n"
    "NTayfyKSctScx3cAowkCOgsltv5Qjx9S+dhrIwK/LZSAoZBr1F6B7HUmg8RNxe5k\n"
    "QY5VOyZMWLPpzSv0wSpYAxWb5ViAnKim2jXGUP6WvuuPgBj7hO9qBhApguo0JhT2\n"
    "Qs8hP83reRgTBLh/tiJxnc/3JKKkEyonzcc6uKoZM4gxI4lEyPUZWG6guArOh79k\n"
    "8S0DfKCKE0YnsHCtQ7V73lLWTBMQUEe71CEIN+I1QQKBgQDmgpov4Fo+FJzkIXtV\n"
    "cSVj3sGMeROcfyZc2OqehP13ta/6NV5bdaoBmnCdVQGAnCoaemf5isl3IKWHMWNN\n"
    "OAcUz4P2P7v149mOZWNehNBMzcUr5vqIDX8tnPj939TjflxK+OQtVvsE1Cec8rTw\n"
    "/L2+bYtVG5lfpj/ha0pRDvkx8QKBgQDHLrtmc8Z1sM5S7of3q1qQf0Tgbx+GrPKz\n"
    "SIJx24Nj7Cx+8nAayohlxngJLGTm8AKO4UWuovm8MJPXGn2CbELQj8WfteZ7H0YF\n"
    "uwD5cYsg/x6L09mPlwKXN5iOTwnX5/jGa+Dp6nEM0ABOJfcFNwI8sJA95kqM2NJD\n"
    "0Oye5WlWdwKBgFYjM870PYS5Wy98u4PgNiKt2RHPJN70PLexb2sxMy6KvGn5i3sN\n"
    "6yuSNMb2Pwt6T9l5KGV90W8sye5NLFhsuWizaxKYGnr2XBP0Gz/0zYoF0spnE/PH\n"
    "Z2D6Kalk/T7Nt1tkyo+O01qolOz3XVo4eAczFEAHgjbV/0UTPMAxojlhAoGBAIiF\n"
    "x30ZrdXNMh410Iw5rwGLujH6+Kjeshugf4h65TwADR+WHLDAUW0w8+WVwDNqHtbA\n"
    "IXrpyjLrOOofBhf3DHTXlqU5kJijfuM+ohRXdv1O4CkHM//viZ8MREyGcEDEhwe5\n"
    "uZebUZFuoEbwTrgMVEQ04SkMR9zyYGyLLyRaKjFRAoGAdqYe3bEo/sLxOsMvx58M\n"
    "FgdF1SH6pmVifFfeMi14aRyMwjfn9KK44AfmO94f2FQrcZuLTO62rb+fQjRbzNWR\n"
    "MSRK30sDXtpnvgFI+mT0zj/+q7uIO5e2uMwp4zA2Xc7tRny4X7G7FuHj33rEdcSN\n"
    "H43r7LVxEag2OhvGzn2I1TQ=\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr std::string_view rsa_public_pem
  = "-----BEGIN PUBLIC KEY-----\n"
    "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAs1maEJLqPK4j0QiokN1E\n"
    "jFxHqKDZSCuilhMo24aDFnpHnVarzs6Q9tYFsEbIC17o0lq+sPHQ1SZ2cJ9Dimu8\n"
    "plCUWRZZyy6DqI4AmGGY/HlAZLmkwK+AvXxjYRlnxeaVFkTXwheBgwYXsPbOTNMi\n"
    "HyQV27UqdQA8p76t3vrTXZEVCj0CLVbGpACZkxyCrTtSkY6Y6L9CkrMX0X0cOeUx\n"
    "x0wx1ZePxKrPGi0Qzd/kGlzGzgBOTUdyNZN/J6wCE0XEObu1HkKpjxjZ77mpLom5\n"
    "FAnHJNgvRvKbHKdPou4ftqCPHGnl6BsheyUVlpPwvFdkFMrnhegEdflwIdNVvXYt\n"
    "BwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

inline constexpr std::string_view ec_private_pem
  = "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgS1AXW1hCW2NF5yZ5\n"
    "aFLz+tQabw2H5dEmjS3WdkHiZ32hRANCAAT00Q88USqAp+GHisM6f8XiHn1AXPQi\n"
    "kQ38ZLC3flr9ykIVCwBH4EERJ+7L637lU7Zxheb/5WN0irI/+FX1WZ+p\n"
    "-----END PRIVATE KEY-----\n";

inline constexpr std::string_view ec_public_pem
  = "-----BEGIN PUBLIC KEY-----\n"
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9NEPPFEqgKfhh4rDOn/F4h59QFz0\n"
    "IpEN/GSwt35a/cpCFQsAR+BBESfuy+t+5VO2cYXm/+VjdIqyP/hV9VmfqQ==\n"
    "-----END PUBLIC KEY-----\n";

/// Too short.
inline constexpr std::string_view rsa_1024_public_pem
  = "-----BEGIN PUBLIC KEY-----\n"
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQD2jzp4PLoZGOkdX36VsBH1nNPh\n"
    "+6sWq9n3DTf4GxERm7/d2xh2fPw0OeSzCg2N0twbzjd3xVoNmHSqXI4XfwDqGHN7\n"
    "57TWUg5Wb+OMMrQ6UZ42gFSSb5tabEBCuzlsw5+cX0iEpDFbUhw1YFzf+hEhAWus\n"
    "gQR7M1NAKTLXj4gnUwIDAQAB\n"
    "-----END PUBLIC KEY-----\n";

/// Of another curve.
inline constexpr std::string_view p384_public_pem
  = "-----BEGIN PUBLIC KEY-----\n"
    "MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEXTaciiiht9r0/EKA99MGDd/+/vbwizcA\n"
    "manAmz7ygADpposWQZVq5EM+hQxiWaqj/SEXOd8qfbKQyeXveNzcgquGj32Qokt1\n"
    "csjv1slJc5DtisPl0/lohulVDWg35NYt\n"
    "-----END PUBLIC KEY-----\n";

/// A secret for HS256.
inline constexpr std::string_view secret = "0123456789abcdef0123456789abcdef";

/// Returns the HMAC with SHA-256.
inline std::string hmac(std::string_view key, std::string_view text) {
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac,
       &size);
  return {reinterpret_cast<char*>(mac), size};
}

/// Returns a token with any header, signed with HMAC and any key.
inline std::string forge(std::string_view header, std::string_view claims,
                         std::string_view key = secret) {
  auto result = to_base64url(header) + '.' + to_base64url(claims);
  return result + '.' + to_base64url(hmac(key, result));
}

/// Returns the only key in a text as `--token-key` takes it.
inline token_key key_of(std::string_view text) {
  return read_token_keys(text)->front();
}

// -- RFC 7515, appendix A -----------------------------------------------------

inline constexpr std::string_view rfc_claims
  = ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLm"
    "NvbS9pc19yb290Ijp0cnVlfQ";

inline constexpr std::string_view rfc_hs256_jwk
  = R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH7)"
    R"(5aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})";

inline constexpr std::string_view rfc_hs256_header
  = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";

inline constexpr std::string_view rfc_hs256_signature
  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

inline constexpr std::string_view rfc_rs256_jwk
  = R"({"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0)"
    R"(l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgN)"
    R"(MsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5)"
    R"(z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3)"
    R"(qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkM)"
    R"(Ls91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"})";

inline constexpr std::string_view rfc_rs256_header = "eyJhbGciOiJSUzI1NiJ9";

inline constexpr std::string_view rfc_rs256_signature
  = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm"
    "4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--"
    "f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383Lc"
    "OLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUi"
    "pUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

inline constexpr std::string_view rfc_es256_jwk
  = R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvR)"
    R"(VEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})";

inline constexpr std::string_view rfc_es256_header = "eyJhbGciOiJFUzI1NiJ9";

inline constexpr std::string_view rfc_es256_signature
  = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTU"
    "JqPP3-Kg6NU1Q";

} // namespace callboard::net
