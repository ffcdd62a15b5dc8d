#include <callboard/actors/limits.hpp>

namespace callboard {

std::string_view to_string(limit_kind x) noexcept {
  switch (x) {
    case limit_kind::connections:
      return "connections";
    case limit_kind::address_connections:
      return "address_connections";
    case limit_kind::address_sessions:
      return "address_sessions";
    case limit_kind::handshakes:
      return "handshakes";
    case limit_kind::address_handshakes:
      return "address_handshakes";
    case limit_kind::user_connections:
      return "user_connections";
    case limit_kind::tenant_connections:
      return "tenant_connections";
    case limit_kind::frames:
      return "frames";
    case limit_kind::bytes:
      return "bytes";
    case limit_kind::publishes:
      return "publishes";
    case limit_kind::flood:
      return "flood";
    case limit_kind::tenant_name:
      return "tenant_name";
    case limit_kind::accept_queue:
      return "accept_queue";
    case limit_kind::load_connections:
      return "load_connections";
    case limit_kind::load_logins:
      return "load_logins";
    case limit_kind::load_publishes:
      return "load_publishes";
    case limit_kind::load_requests:
      return "load_requests";
  }
  return "unknown";
}

} // namespace callboard
