#include <callboard/actors/authority.hpp>

namespace callboard {

std::string_view to_string(operation x) noexcept {
  switch (x) {
    case operation::subscribe:
      return "subscribe";
    case operation::publish:
      return "publish";
    case operation::request:
      return "request";
    case operation::register_action:
      return "register";
  }
  return "unknown";
}

} // namespace callboard
