#include <callboard/actors/leaks.hpp>

#include <caf/string_view.hpp>
#include <caf/telemetry/metric_registry.hpp>

#include <callboard/actors/as_caf.hpp>

namespace callboard {

std::string_view to_string(leak_kind x) noexcept {
  switch (x) {
    case leak_kind::stuck_connecting:
      return "stuck_connecting";
    case leak_kind::stuck_disconnecting:
      return "stuck_disconnecting";
    case leak_kind::actor_without_socket:
      return "actor_without_socket";
    case leak_kind::socket_without_actor:
      return "socket_without_actor";
    case leak_kind::subscription_without_subscriber:
      return "subscription_without_subscriber";
    case leak_kind::place_without_owner:
      return "place_without_owner";
    case leak_kind::unregistered:
      return "unregistered";
    case leak_kind::registered_dead:
      return "registered_dead";
    case leak_kind::descriptor:
      return "descriptor";
  }
  return "unknown";
}

leak_metrics make_leak_metrics(caf::telemetry::metric_registry& registry) {
  auto counter = [&registry](caf::string_view name, leak_kind kind,
                             caf::string_view help) {
    return registry
      .counter_family("callboard", name, {"kind"}, help, "1", true)
      ->get_or_add({{"kind", as_caf(to_string(kind))}});
  };
  leak_metrics m{};
  for (size_t i = 0; i < leak_kind_count; ++i) {
    auto kind = static_cast<leak_kind>(i);
    m.found[i] = counter("leaks", kind, "What was left behind, by kind.");
    m.reclaimed[i] = counter("leaks-reclaimed", kind,
                             "Of these, what was taken back.");
  }
  return m;
}

} // namespace callboard
