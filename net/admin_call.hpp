#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <callboard/actors/inventory.hpp>
#include <callboard/messages/payload.hpp>
#include <callboard/net/http_reader.hpp>
#include <callboard/net/http_reply.hpp>

// What operators ask for below `/api`, from their requests. No I/O.

namespace callboard::net {

/// What stands behind a path below `/api`.
enum class admin_endpoint : uint8_t {
  none,
  node,
  cluster,
  connections,
  topics,
  publish,
  push,
  close_connection,
  close_user,
  log_level,
};

struct admin_call {
  admin_endpoint what = admin_endpoint::none;
  /// The user of `close_user`.
  std::string user;
  /// The connection of `close_connection`.
  connection_id connection = 0;
};

/// Returns whether a path is `/api`, or below it.
bool is_admin_path(std::string_view path) noexcept;

/// Returns what a path asks for.
admin_call find_admin_call(std::string_view path);

/// Looks at the head of a request for a path below `/api`.
/// @param body_bytes_max largest body.
/// @returns why it is not served: 404, 405, 411, 413 or 415; nothing: it is.
std::optional<http_content> check_admin_request(const http_request& x,
                                                uint64_t body_bytes_max);

// Where tenants are isolated (`isolated`), a `tenant` beside a name says whose
// it is, and makes the name a full one; an empty one is none. Elsewhere it is
// wrong.

/// Reads `limit=1…1000&after=ID&user=NAME&tenant=NAME`, where all may be
/// missing, and the last one goes with the one before.
/// @returns nothing if something is wrong.
std::optional<connection_query> read_connection_query(std::string_view query,
                                                      bool isolated);

/// Reads `limit=1…1000&after=NAME&pattern=PATTERN&tenant=NAME` in the same way.
/// The topic is a full name, and so is the pattern where there is no tenant.
std::optional<topic_query> read_topic_query(std::string_view query,
                                            bool isolated);

/// Returns the full name of a user for whom the query has `tenant=NAME`, or
/// nothing, in the same way.
std::optional<std::string> read_user(std::string_view user,
                                     std::string_view query, bool isolated);

/// What is to be published.
struct admin_publication {
  /// The topic, or the user who gets it; a full name.
  std::string target;
  callboard::payload payload;
  publish_options options;
};

/// Reads `{topic, payload, id?, key?, tenant?}`.
/// @returns nothing if it is something else.
std::optional<admin_publication> read_publish(std::string_view body,
                                              bool isolated);

/// Reads `{user, payload, tenant?}` in the same way.
std::optional<admin_publication> read_push(std::string_view body,
                                           bool isolated);

/// Reads `{level}` in the same way: `debug`, `info`, `warn`, `error` or `off`.
std::optional<std::string> read_log_level(std::string_view body);

} // namespace callboard::net
