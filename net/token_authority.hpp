#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <caf/expected.hpp>

#include <callboard/actors/authority.hpp>
#include <callboard/net/token_verifier.hpp>

namespace callboard::net {

/// What an authority that goes by tokens is made with.
struct token_options {
  /// File with public keys in PEM, or a secret for HS256; empty: none.
  std::string key_file;
  /// File with a JWK set; empty: none.
  std::string jwks_file;
  token_rules rules;
  /// What those may do who show no token: topics, actions and patterns of
  /// them. All empty: a token is needed.
  std::vector<std::string> anonymous_sub_topics;
  std::vector<std::string> anonymous_pub_topics;
  std::vector<std::string> anonymous_actions;

  /// Returns whether there are keys; if not, there is nothing to go by.
  [[nodiscard]] bool has_keys() const noexcept {
    return !key_file.empty() || !jwks_file.empty();
  }
};

/// Makes the `authority` that lets in who shows a signed token, and allows what
/// the token lists (see `verify_token`); everything, where it lists nothing at
/// all. Who shows no token but a certificate is the user that it names, and may
/// do everything. A user's own topic, `$user/NAME`, may always be subscribed
/// to. The files are read now, and again when they change or
/// `authority::reload` says so; one that cannot be used leaves the keys as they
/// are, and is logged.
/// @returns a sentence that says which file or pattern is wrong, and why.
caf::expected<authority> make_token_authority(const token_options& options);

/// Returns whether `who` may do `what` by its `rights`: what the authority of
/// `make_token_authority` answers.
bool is_granted(const identity& who, operation what, std::string_view subject);

} // namespace callboard::net
