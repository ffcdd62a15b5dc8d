#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include <callboard/actors/grants.hpp>

namespace callboard {

/// Who is at the other end of a connection.
struct identity {
  /// The user's name; empty where nobody is logged in.
  std::string user;
  /// Whom the user belongs to; empty: nobody. With
  /// `node_options::tenant_isolation` it has topics, users and actions of its
  /// own, see `tenant_space.hpp`.
  std::string tenant;
  /// Unix time in milliseconds from which on the log-in counts no more; 0: it
  /// does not run out. The connection is then closed with 4500, unless a
  /// `connect` frame with a fresh token has come in time.
  int64_t expires_ms = 0;
  /// What came with the log-in for `authorize` to go by; null: nothing did.
  std::shared_ptr<const grants> rights;
};

/// What a client shows to be let in.
struct credentials {
  /// From `Authorization: Bearer`, `?token=`, the cookie that the server was
  /// told of, or the `connect` frame.
  std::string token = {};
  /// The client's IP address.
  std::string address = {};
  /// The common name in the client's certificate, verified, where such names
  /// are to be users; empty: none, or it comes with a `connect` frame.
  std::string certificate = {};
};

/// The application's say in who is let in and who may do what. The functions
/// are called on the loops' threads, several at a time, and must not block;
/// what they throw counts as a refusal.
struct authority {
  /// Returns who shows these credentials, or an `errc` (`unauthenticated`,
  /// `token_expired`). Empty: everybody is let in, as nobody.
  std::function<caf::expected<identity>(const credentials&)> authenticate;

  /// As whom those are let in who show no token with the HTTP request, where
  /// `authenticate` is set; nothing: they have to send `connect`.
  std::optional<identity> anonymous;

  /// Returns whether `who` may do `what` to the topic, pattern or action
  /// `subject`, named as the client sees it. Empty: everything is allowed. Of a
  /// subject `$dead/…` it is asked twice: about the subject, and about what is
  /// behind `$dead/`, whose payloads dead letters are. Both have to be allowed.
  std::function<bool(const identity& who, operation what,
                     std::string_view subject)>
    authorize;

  /// Reads anew what the others go by, such as keys, and returns what makes
  /// that count, or why it cannot be used. Called by `net::server::reload`, on
  /// that one's thread. Empty: there is nothing to read.
  std::function<caf::expected<std::function<void()>>()> reload;
};

/// Returns whether `rights` let `who` do `what` to `subject`. This is the one
/// place that asks `authorize`.
bool is_allowed(const authority& rights, const identity& who, operation what,
                std::string_view subject);

} // namespace callboard
