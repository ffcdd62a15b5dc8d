#include <callboard/actors/messages.hpp>

namespace callboard {

std::string to_string(lifecycle_kind x) {
  switch (x) {
    case lifecycle_kind::connected:
      return "connected";
    case lifecycle_kind::subscribed:
      return "subscribed";
    case lifecycle_kind::unsubscribed:
      return "unsubscribed";
    case lifecycle_kind::disconnected:
      return "disconnected";
  }
  return "unknown";
}

bool from_integer(uint8_t number, lifecycle_kind& x) {
  if (number > static_cast<uint8_t>(lifecycle_kind::disconnected))
    return false;
  x = static_cast<lifecycle_kind>(number);
  return true;
}

bool from_string(caf::string_view name, lifecycle_kind& x) {
  for (uint8_t i = 0; from_integer(i, x); ++i)
    if (to_string(x) == name)
      return true;
  return false;
}

event to_event(const publication& x) {
  event result;
  result.topic = x.topic;
  result.epoch = x.epoch;
  result.offset = x.offset;
  result.sender = x.sender;
  result.timestamp = x.timestamp;
  result.payload = x.payload;
  result.key = x.key;
  result.origin = x.origin;
  result.attempt = x.attempts;
  return result;
}

request_outcome request_outcome::failure(errc x) {
  auto& row = info(x);
  request_outcome result;
  result.code = row.number;
  result.name = row.name;
  result.temporary = row.temporary;
  result.retry_after_ms = callboard::retry_after_ms(x);
  result.payload = payload::pack(std::string{row.sentence});
  return result;
}

} // namespace callboard
