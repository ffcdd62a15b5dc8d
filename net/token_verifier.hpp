#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <callboard/actors/authority.hpp>
#include <callboard/net/token_key.hpp>

namespace callboard::net {

/// Longest token in bytes.
inline constexpr size_t token_bytes_max = 8 * 1024;

/// Longest name of a user or tenant in bytes.
inline constexpr size_t token_name_bytes_max = 255;

/// What a token must say beside being signed.
struct token_rules {
  /// What `iss` must be; empty: anything, or nothing.
  std::string issuer;
  /// What `aud` must be or hold. Empty: a token with an `aud` is for somebody
  /// else (RFC 7519, 4.1.3) and refused.
  std::string audience;
  /// How far the signer's clock may be from ours.
  caf::timespan skew = std::chrono::seconds{30};
};

/// Checks a token: a JWT (RFC 7519) signed in the compact form (RFC 7515).
///
/// The keys decide about the algorithm: one is tried if the header's `alg` is
/// its own, and the header's `kid`, where both have one, its own as well.
/// `exp`, `nbf`, `aud` and `iss` are checked. `sub` is the user and has to be
/// there; `tenant` may be. Where one of `sub_topics`, `pub_topics`, `actions`
/// and `register_actions` is there, the identity has `rights`, with what they
/// list and nothing else. No I/O; may be called by several threads at a time.
/// @param now_ms Unix time in milliseconds.
/// @returns who it is, until `exp` and the skew are over; or `token_expired` or
///          `unauthenticated` with a sentence for the operator, in which is
///          nothing of the token.
caf::expected<identity> verify_token(std::string_view token,
                                     const token_keys& keys,
                                     const token_rules& rules, int64_t now_ms);

} // namespace callboard::net
