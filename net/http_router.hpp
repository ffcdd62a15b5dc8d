#pragma once

#include <string_view>

#include <callboard/net/http_front.hpp>
#include <callboard/net/http_reader.hpp>
#include <callboard/net/http_reply.hpp>

namespace callboard::net {

/// Answers a request. Does no I/O.
///
/// A refusal ends its connection, and so does every answer while the server is
/// not ready. With status 101, `front.admit()` has reserved a place.
/// @param address the IP address of the socket's other end.
http_reply answer(const http_request& request, http_front& front,
                  std::string_view address);

} // namespace callboard::net
