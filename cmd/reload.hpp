#pragma once

#include <caf/fwd.hpp>

#include <callboard/net/server.hpp>

#include "serve_config.hpp"

namespace callboard::cmd {

/// Lets a server that runs go by what its options are by now: all that can
/// change while it runs. If something is wrong with them, everything stays as
/// it was. Says in the log what came of it.
/// @param running what the server goes by; takes what has changed.
void reload(net::server& x, caf::actor_system& sys, serve_config& from,
            serve_options& running);

} // namespace callboard::cmd
