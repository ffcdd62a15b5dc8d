#include <callboard/actors/cluster/cluster_facts.hpp>

#include <callboard/actors/cluster/cluster_options.hpp>

namespace callboard {

std::string to_string(node_event_kind x) {
  switch (x) {
    case node_event_kind::up:
      return "up";
    case node_event_kind::leaving:
      return "leaving";
    default:
      return "down";
  }
}

bool from_string(caf::string_view name, node_event_kind& x) {
  for (auto y :
       {node_event_kind::up, node_event_kind::leaving, node_event_kind::down})
    if (name.compare(to_string(y)) == 0) {
      x = y;
      return true;
    }
  return false;
}

bool from_integer(uint8_t number, node_event_kind& x) {
  if (number > static_cast<uint8_t>(node_event_kind::down))
    return false;
  x = static_cast<node_event_kind>(number);
  return true;
}

std::string_view to_string(cluster_news x) noexcept {
  switch (x) {
    case cluster_news::link_up:
      return "link_up";
    case cluster_news::link_down:
      return "link_down";
    case cluster_news::refused:
      return "refused";
    case cluster_news::dial_failed:
      return "dial_failed";
    case cluster_news::no_link:
      return "no_link";
    case cluster_news::store_nodes_differ:
      return "store_nodes_differ";
    default:
      return "view_changed";
    case cluster_news::ready:
      return "ready";
    case cluster_news::join_late:
      return "join_late";
  }
}

} // namespace callboard
