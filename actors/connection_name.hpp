#pragma once

#include <string>
#include <string_view>

#include <callboard/actors/messages.hpp>

namespace callboard {

/// Returns the name on the wire of a connection of the node `node`.
std::string connection_name(std::string_view node, connection_id id);

/// Returns the connection that has this name on its node; 0 if it is none's.
connection_id connection_named(std::string_view name) noexcept;

} // namespace callboard
