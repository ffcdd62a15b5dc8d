#include "upkeep_settings.hpp"

#include <chrono>

namespace callboard::cmd {

std::vector<setting> upkeep_settings(node_options& x) {
  using namespace std::chrono_literals;
  return {
    duration_setting("audit-interval",
                     "Time between two audits, which look for what the node "
                     "has left behind and take it\nback; 0s: none",
                     x.audit_interval, 0s, 24h),
  };
}

} // namespace callboard::cmd
