#pragma once

#include <string>
#include <string_view>

#include <callboard/messages/topic.hpp>

// Where tenants are isolated, what the clients of one see of names and what the
// node knows them by: a visible name, and a full one with the tenant in front.
// Pure; may be used on any thread.

namespace callboard {

/// In front of the full names of tenants' topics, actions and users; the
/// tenant's name and a `/` follow.
inline constexpr std::string_view tenant_prefix = "$tenant/";

/// The same for topics whose visible names begin with `$`: wildcards of a
/// tenant's clients match none of these, as they match none that is visible.
inline constexpr std::string_view tenant_reserved_prefix = "$$tenant/";

/// Returns whether a tenant of this name can have topics: one segment of a
/// topic, so 1 … 255 bytes, that does not begin with `$`.
bool is_tenant_name(std::string_view x) noexcept;

/// Returns the full name of a topic or pattern: that of `a/b` of the tenant
/// `acme` is `$tenant/acme/a/b`, that of `$dead/a` is `$$tenant/acme/$dead/a`.
/// @param tenant may be `+` for a pattern of all tenants' topics; empty: the
///               name stays as it is.
/// @param topic as clients see it, 1 … 255 bytes; the full name may be longer.
std::string tenant_topic(std::string_view tenant, std::string_view topic);

/// Returns the full name of an action that clients of a tenant answer; those
/// without a tenant have a space of their own, that of the empty tenant.
std::string tenant_action(std::string_view tenant, std::string_view action);

/// Returns the full name of a user, which tells users of the same name in
/// several tenants apart.
/// @param tenant empty: the name stays as it is.
std::string tenant_user(std::string_view tenant, std::string_view user);

/// A full name, taken apart.
struct tenant_parts {
  /// Whether a tenant's prefix is in front.
  bool found = false;
  std::string_view tenant;
  /// What is behind the prefix; all of the name where there is none.
  std::string_view visible;
};

/// Takes a full name apart; the texts are parts of `full`.
tenant_parts split_tenant(std::string_view full) noexcept;

/// Returns the name as clients see it, a part of `full`; other names as they
/// are. Only for names that the node made or checked: what a client calls
/// `$tenant/…` is no full name.
inline std::string_view visible_name(std::string_view full) noexcept {
  return full.starts_with('$') ? split_tenant(full).visible : full;
}

/// Returns the tenant in a full name; empty: none is there.
inline std::string_view tenant_of(std::string_view full) noexcept {
  return split_tenant(full).tenant;
}

/// Returns the full name of where dead letters of a topic go.
/// @param topic a full name.
std::string dead_letter_topic(std::string_view topic);

/// Returns whether dead letters go to the topic of this full name.
bool is_dead_letter_topic(std::string_view topic) noexcept;

/// One of the checks of topic.hpp.
using name_check = subject_error (*)(std::string_view) noexcept;

/// Checks a name that an application uses.
/// @param isolated whether tenants are isolated, so that full names count; else
///                 they are reserved.
/// @param check says what visible names may be.
subject_error check_full_name(bool isolated, std::string_view x,
                              name_check check) noexcept;

} // namespace callboard
