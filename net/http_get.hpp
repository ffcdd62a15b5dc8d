#pragma once

#include <string>

#include <caf/expected.hpp>
#include <caf/timespan.hpp>

#include <callboard/net/url.hpp>

namespace callboard::net {

/// What a server answered.
struct http_answer {
  unsigned status = 0;
  std::string body;
};

/// Asks an HTTP server, on a connection of its own, and waits for the answer:
/// for programs of the command line.
/// @param where of this the host and the port count; nothing is encrypted.
/// @param target path and query.
/// @param key shown as `Authorization: Bearer KEY`; empty: nothing is.
/// @param timeout for all of it but the search for the host's address.
/// @returns a sentence if there is no answer, or one of over 16 MiB.
caf::expected<http_answer> http_get(const url& where, const std::string& target,
                                    const std::string& key,
                                    caf::timespan timeout);

} // namespace callboard::net
