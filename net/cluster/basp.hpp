#pragma once

#include <cstdint>
#include <string>

#include <caf/fwd.hpp>
#include <caf/node_id.hpp>

// What CAF 0.18 lacks in its remoting (BASP): a way to end a connection. It
// keeps one for a pair of nodes, and hands out actors behind that one even
// where nothing comes through it any more; and who once asked for an address
// that never shook hands makes all later ones wait with him. Any thread.

namespace callboard::net {

/// Ends the connection to a node, if there is one: its actors count as down
/// here, and the next attempt opens another one.
void end_connection(caf::actor_system& sys, const caf::node_id& node);

/// Ends the connections to an address of which nobody knows yet what node is
/// there. Who waits for them gets an error.
void end_handshakes(caf::actor_system& sys, const std::string& ip,
                    uint16_t port);

} // namespace callboard::net
