#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <caf/error.hpp>
#include <caf/timespan.hpp>

#include <callboard/messages/frame.hpp>

namespace callboard::net {

/// What an error of the client library says.
struct error_details {
  /// The number on the wire: an `errc`, or a responder's own from 1,000 on;
  /// 0 where nothing came from the server (no connection, a bad URL).
  uint16_t code = 0;
  std::string name;
  /// A sentence for people.
  std::string sentence;
  /// Whether trying again can help.
  bool temporary = false;
  /// How long to wait before trying again; 0: not said.
  caf::timespan retry_after{0};
};

/// Makes the error that an `error` frame stands for. It compares equal to its
/// `errc`; a responder's own error, whose code has no `errc`, compares equal
/// to `errc::responder_failed`, and `details` gives its code and name.
caf::error to_error(const frame_view& x);

/// Makes an error of the `errc` with the number or name that a refusal before
/// the WebSocket carried; `errc::internal` where that is neither.
caf::error to_error(std::string_view name, std::string_view sentence,
                    caf::timespan retry_after);

/// Returns what `x` says; works for every error of CAF's and ours.
error_details details(const caf::error& x);

/// Returns whether a server said it, and not this side.
bool is_from_server(const caf::error& x);

/// Returns `x` in one line for people: `300 no_responder: sentence`, or only
/// the sentence where there is no code.
std::string to_line(const caf::error& x);

} // namespace callboard::net
