#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <caf/error.hpp>
#include <caf/message.hpp>
#include <caf/timespan.hpp>

#include <callboard/actors/messages.hpp>
#include <callboard/messages/errc.hpp>

namespace callboard {

/// An error of an application's own, as a responder tells it to an asker.
struct responder_error {
  /// The number on the wire, 1,000 … 65,535.
  uint16_t code = application_errc_min;
  /// The name on the wire, for programs.
  std::string name;
  /// For people.
  std::string sentence;
  /// Whether trying again can help.
  bool temporary = false;
  /// How long to wait before trying again; 0: not said.
  caf::timespan retry_after{0};
};

/// Makes the error that a responder returns for its asker to get `x` with its
/// code and name. It compares equal to `errc::responder_failed`, which is also
/// all that the asker gets where the code is below 1,000.
caf::error to_error(responder_error x);

/// Returns the error of the application's own that `x` carries, if any.
std::optional<responder_error> responder_error_of(const caf::error& x);

/// Returns how long to wait before asking again, as the server or a responder
/// has told an embedded asker; 0: not said.
caf::timespan retry_after_of(const caf::error& x);

/// Returns what an embedded asker is told of an outcome that failed.
caf::error to_error(const request_outcome& x);

/// Returns the outcome that an application's own error stands for.
request_outcome to_outcome(const responder_error& x);

/// Returns what an embedded responder's response tells the asker: a payload, a
/// `responder_error`, an error of ours that a responder may mean, or else
/// `responder_failed`.
request_outcome to_outcome(const caf::message& response);

} // namespace callboard
