#include <callboard/messages/frame.hpp>

#include <array>
#include <cstddef>

#include <callboard/messages/detail/ascii.hpp>

namespace callboard {

namespace {

// Indexed by number - 1.
constexpr std::array<std::string_view, frame_type_max> names{
  "connect",    "welcome",  "request",   "response",    "error",
  "notify",     "cancel",   "subscribe", "unsubscribe", "publish",
  "event",      "ping",     "pong",      "goaway",      "register",
  "unregister", "presence", "ack",       "position",
};

} // namespace

std::string_view to_string(frame_type x) noexcept {
  auto index = static_cast<size_t>(x) - frame_type_min;
  return index < names.size() ? names[index] : "unknown";
}

std::optional<frame_type> frame_type_from(std::string_view name) noexcept {
  for (size_t i = 0; i < names.size(); ++i)
    if (detail::equals_ignoring_case(names[i], name))
      return static_cast<frame_type>(i + frame_type_min);
  return std::nullopt;
}

} // namespace callboard
