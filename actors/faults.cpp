#include <callboard/actors/faults.hpp>

#ifdef CALLBOARD_FAULTS

#  include <cstdlib>
#  include <string>
#  include <string_view>
#  include <vector>

namespace callboard {

namespace {

std::string_view to_string(fault x) noexcept {
  switch (x) {
    case fault::endless_connecting:
      return "endless_connecting";
    case fault::endless_closing:
      return "endless_closing";
    case fault::keep_socket:
      return "keep_socket";
    case fault::keep_actor:
      return "keep_actor";
    case fault::keep_subscription:
      return "keep_subscription";
    case fault::keep_place:
      return "keep_place";
    case fault::skip_registration:
      return "skip_registration";
    case fault::keep_registration:
      return "keep_registration";
    case fault::keep_descriptor:
      return "keep_descriptor";
  }
  return "unknown";
}

std::string read_name() {
  auto* name = std::getenv("CALLBOARD_FAULT");
  return name != nullptr ? name : "";
}

} // namespace

bool injected(fault x) noexcept {
  static const auto name = read_name();
  return name == to_string(x);
}

void leave_behind(fault x, const caf::strong_actor_ptr& who) {
  // Not destroyed at the process's end, when there is no system any more.
  static auto* left = new std::vector<caf::strong_actor_ptr>;
  if (injected(x))
    left->push_back(who);
}

} // namespace callboard

#endif
