#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include <callboard/net/token_key.hpp>

namespace callboard::net {

/// Signs tokens, for tools and tests. May be used by several threads at a time.
class token_signer {
public:
  /// Takes a private key in PEM (RSA, or EC on P-256), or else a secret for
  /// HS256, without the line's end behind it.
  /// @returns a sentence if the text is neither.
  static caf::expected<token_signer> from_text(std::string_view text);

  /// Returns the algorithm, which is the key's.
  [[nodiscard]] token_algorithm algorithm() const noexcept {
    return algorithm_;
  }

  /// Returns a token in the compact form (RFC 7515).
  /// @param claims the text of a JSON object.
  /// @param key_id the header's `kid`; empty: none. UTF-8.
  [[nodiscard]] std::string sign(std::string_view claims,
                                 std::string_view key_id = {}) const;

private:
  token_signer() = default;

  [[nodiscard]] std::string signature_of(std::string_view text) const;

  token_algorithm algorithm_ = token_algorithm::hs256;
  std::string secret_;
  std::shared_ptr<evp_pkey_st> key_;
};

} // namespace callboard::net
