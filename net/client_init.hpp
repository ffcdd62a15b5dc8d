#pragma once

namespace callboard::net {

/// Makes the types known to CAF that a client uses. Call it once, before the
/// first `actor_system` is made, beside `caf::core::init_global_meta_objects`;
/// a program with a server calls `init` (server.hpp) instead.
void init_client();

} // namespace callboard::net
