#pragma once

#include <callboard/net/http_front.hpp>
#include <callboard/net/http_reader.hpp>
#include <callboard/net/http_reply.hpp>

namespace callboard::net {

/// Answers a request. Does no I/O.
///
/// A refusal ends its connection, and so does every answer while the server
/// ends. With status 101, `front.admit()` has reserved a place.
http_reply answer(const http_request& request, http_front& front,
                  const http_peer& peer);

} // namespace callboard::net
