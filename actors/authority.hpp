#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <caf/expected.hpp>

#include <callboard/messages/payload.hpp>

namespace callboard {

/// What somebody wants to do to a subject.
enum class operation : uint8_t {
  subscribe,
  publish,
  request,
  register_action,
};

/// Returns the operation's name.
std::string_view to_string(operation x) noexcept;

/// Who is at the other end of a connection.
struct identity {
  /// The user's name; empty where nobody is logged in.
  std::string user;
};

/// What a client shows to be let in.
struct credentials {
  /// From `Authorization: Bearer`, `?token=` or the `connect` frame.
  std::string token;
  /// The peer's IP address.
  std::string address;
};

/// The application's say in who is let in and who may do what. Both functions
/// are called on the loops' threads, several at a time, and must not block;
/// what they throw counts as a refusal.
struct authority {
  /// Returns who shows these credentials, or an `errc` (`unauthenticated`,
  /// `token_expired`). Empty: everybody is let in, as nobody.
  std::function<caf::expected<identity>(const credentials&)> authenticate;

  /// Returns whether `who` may do `what` to the topic, pattern or action
  /// `subject`. Empty: everything is allowed. Of a subject `$dead/…` it is
  /// asked twice: about the subject, and about what is behind `$dead/`, whose
  /// payloads dead letters are. Both have to be allowed.
  std::function<bool(const identity& who, operation what,
                     std::string_view subject)>
    authorize;
};

/// Returns whether `rights` let `who` do `what` to `subject`. This is the one
/// place that asks `authorize`.
bool is_allowed(const authority& rights, const identity& who, operation what,
                std::string_view subject);

} // namespace callboard
