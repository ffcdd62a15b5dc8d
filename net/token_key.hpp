#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <caf/expected.hpp>

// OpenSSL's; its headers stay out of ours.
struct evp_pkey_st;

namespace callboard::net {

/// How a token is signed (RFC 7518, 3.1).
enum class token_algorithm : uint8_t {
  /// HMAC with SHA-256: who checks can also sign.
  hs256,
  /// RSASSA-PKCS1-v1_5 with SHA-256.
  rs256,
  /// ECDSA on P-256 with SHA-256.
  es256,
};

/// Returns the name that a token's header has for it: `HS256`.
std::string_view to_string(token_algorithm x) noexcept;

/// A key that tokens are checked with. It has one algorithm, which no token can
/// change. Cheap to copy; may be shared between threads.
class token_key {
public:
  /// Bytes that a secret for HS256 has at least (RFC 7518, 3.2).
  static constexpr size_t secret_bytes_min = 32;
  /// Bits that an RSA key has at least (RFC 7518, 3.3), and at most.
  static constexpr int rsa_bits_min = 2048;
  static constexpr int rsa_bits_max = 8192;
  /// Longest `kid` in bytes.
  static constexpr size_t id_bytes_max = 255;

  /// Makes a key for HS256. Refused are secrets that are too short, and public
  /// keys: what is public is no secret.
  static caf::expected<token_key> from_secret(std::string secret,
                                              std::string id = {});

  /// Makes a key for RS256 of modulus and exponent, big-endian (RFC 7518, 6.3).
  static caf::expected<token_key> from_rsa(std::string_view modulus,
                                           std::string_view exponent,
                                           std::string id = {});

  /// Makes a key for ES256 of the coordinates of a point on P-256, 32 bytes
  /// each (RFC 7518, 6.2).
  static caf::expected<token_key>
  from_ec(std::string_view x, std::string_view y, std::string id = {});

  /// Makes a key of one of OpenSSL's, of which it shares the ownership: RSA for
  /// RS256, or P-256 for ES256.
  static caf::expected<token_key> from_pkey(std::shared_ptr<evp_pkey_st> key,
                                            std::string id = {});

  [[nodiscard]] token_algorithm algorithm() const noexcept {
    return algorithm_;
  }

  /// Returns the key's name in tokens' headers, `kid`; empty: it has none.
  [[nodiscard]] const std::string& id() const noexcept {
    return id_;
  }

  /// Returns whether `signature` (RFC 7518, 3.2 – 3.4) is of `text` and of
  /// this key.
  [[nodiscard]] bool verify(std::string_view text,
                            std::string_view signature) const;

private:
  token_key() = default;

  token_algorithm algorithm_ = token_algorithm::hs256;
  std::string id_;
  std::string secret_;
  std::shared_ptr<evp_pkey_st> key_;
};

using token_keys = std::vector<token_key>;

/// Most keys of one file.
inline constexpr size_t token_keys_max = 64;

/// Largest file of keys in bytes.
inline constexpr size_t token_file_bytes_max = 256 * 1024;

/// Returns a text without the line's end behind it.
std::string_view without_line_end(std::string_view text) noexcept;

/// Reads what stands in a file for `--token-key`: public keys in PEM, one
/// behind the other; or else a secret for HS256, without the line's end behind
/// it. Private keys are refused.
/// @returns at least one key, or a sentence.
caf::expected<token_keys> read_token_keys(std::string_view text);

/// Reads a JWK set (RFC 7517, 5). Keys of other kinds, curves, algorithms and
/// uses are skipped; one that ought to be of use and is broken fails the set.
/// @returns at least one key, or a sentence.
caf::expected<token_keys> read_jwks(std::string_view text);

} // namespace callboard::net
