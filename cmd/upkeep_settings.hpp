#pragma once

#include <vector>

#include <callboard/actors/options.hpp>

#include "setting.hpp"

namespace callboard::cmd {

/// Returns the settings of what a node does for its own health.
std::vector<setting> upkeep_settings(node_options& x);

} // namespace callboard::cmd
