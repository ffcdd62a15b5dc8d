#pragma once

#include <string>
#include <string_view>

#include <callboard/actors/messages.hpp>

namespace callboard {

/// Returns the name on the wire of a connection of the node `node`.
std::string connection_name(std::string_view node, connection_id id);

} // namespace callboard
