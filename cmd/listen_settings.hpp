#pragma once

#include <string>
#include <vector>

#include <callboard/net/server_options.hpp>

#include "setting.hpp"

// Where a server listens.

namespace callboard::cmd {

/// Returns the setting of where clients come to. `x` outlives it.
setting listen_setting(net::server_options& x);

/// Returns those of where operators come to.
std::vector<setting> admin_settings(net::admin_options& x);

/// Checks what none of them can check alone.
/// @returns empty, or what is wrong.
std::string check_admin(const net::admin_options& x);

} // namespace callboard::cmd
