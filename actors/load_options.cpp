#include <callboard/actors/load_options.hpp>

namespace callboard {

std::string_view to_string(load_part x) noexcept {
  switch (x) {
    case load_part::turn:
      return "turn";
    case load_part::queue:
      return "queue";
    case load_part::outbox:
      return "outbox";
    case load_part::cpu:
      return "cpu";
    case load_part::memory:
      return "memory";
  }
  return "unknown";
}

} // namespace callboard
