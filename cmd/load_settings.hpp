#pragma once

#include <string>
#include <vector>

#include <callboard/net/server_options.hpp>

#include "setting.hpp"

namespace callboard::cmd {

/// Returns the settings of what happens where there is more to do than a node
/// can: the marks of its load, and the queue for places.
std::vector<setting> load_settings(net::server_options& x);

/// Checks what none of them can check alone.
/// @returns empty, or what is wrong.
std::string check_load(const load_options& x);

} // namespace callboard::cmd
